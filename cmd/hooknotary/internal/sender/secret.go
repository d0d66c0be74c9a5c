package sender

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
)

// MaxSecret is the largest file of a secret, in bytes.
const MaxSecret = 64 << 10

// Secret is a secret and the name of where it is from. It prints as the latter.
type Secret struct{ Label, Text string }

// Format writes the label, whatever the verb.
func (s Secret) Format(w fmt.State, _ rune) { io.WriteString(w, s.Label) }

// Line returns the text of a file that holds a secret alone, without exactly one line end at
// its end: LF or CRLF, as files have it. Everything else about it stays: a program that reads
// the file may not cut it off. It refuses one over MaxSecret, and one that is empty.
func Line(text []byte) (string, error) {
	if len(text) > MaxSecret {
		return "", errors.New("too large for a secret: want the secret alone")
	}
	s := string(text)
	if cut, ok := strings.CutSuffix(s, "\n"); ok {
		s = strings.TrimSuffix(cut, "\r")
	}
	if s == "" {
		return "", errors.New("it is empty: want the secret")
	}
	return s, nil
}

// random returns a text that no sender knows as a secret.
func random() string { return rand.Text() }

// HasSecretForm reports whether an argument of a command line, or the value of a flag, has the
// form of a secret of one of the senders. A beginning of under four characters, such as "sk_",
// is too common to tell alone.
func HasSecretForm(argument string) bool { return secretForm().MatchString(argument) }

var secretForm = sync.OnceValue(func() *regexp.Regexp {
	forms := []string{privateDER}
	for _, s := range All() {
		if s.About.SecretPrefix != "" {
			forms = append(forms, regexp.QuoteMeta(s.About.SecretPrefix)+tokenText+"*")
		}
		for _, c := range s.About.Credentials {
			prefix := regexp.QuoteMeta(c.Prefix)
			switch {
			case !c.Secret:
			case strings.Contains(c.Prefix, " "): // a text of several lines, such as a private key
				forms = append(forms, prefix+"(?s:.*)")
			case c.Length > 0:
				forms = append(forms, fmt.Sprintf("%s%s{%d}", prefix, tokenText, c.Length-len(c.Prefix)))
			case len(c.Prefix) < 4:
				forms = append(forms, prefix+"(live|test)_"+tokenText+"*", prefix+tokenText+"{16,}")
			default:
				forms = append(forms, prefix+tokenText+"*")
			}
		}
	}
	return regexp.MustCompile(`^(--?[a-z0-9-]*=|-[A-Za-z])?(` + strings.Join(forms, "|") + `)$`)
})

// privateDER is the DER of a private key (PKCS #8) in base64, which sign takes: a sequence, of
// a length in one byte, two or three, that starts with the number 0 and a sequence.
const privateDER = `(M[A-H][A-Za-z0-9+/]CAQAw|MI[GH][A-Za-z0-9+/]AgEAM|MII[A-Za-z0-9+/]{2}[AQgw]IBADA)[A-Za-z0-9+/=]{32,}`

// tokenText is a character of a token.
const tokenText = `[A-Za-z0-9+/=$_-]`
