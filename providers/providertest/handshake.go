package providertest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	handshakeToken     = "the verify token of the battery"
	handshakeChallenge = "bGlzdGVu-17_x.y"
)

// greeting is a request that is a handshake, or differs from one in one thing.
type greeting struct {
	s         Sender
	by        scheme.Handshake
	at        time.Time
	challenge string
	token     string // "": none
	lacks     int    // index of the condition that is left out; -1: none
	unsigned  bool
	secret    string
	event     bool // it has what tells an event
}

// request returns head and body.
func (g greeting) request() (*verify.Head, []byte) {
	h := &verify.Head{Method: http.MethodPost, URL: &url.URL{Path: "/hooks"}, Header: make(http.Header), ReceivedAt: g.at}
	query, body := make(url.Values), make(map[string]any)
	signed := g.by.Kind == scheme.SignedHandshake
	for i, c := range g.by.If {
		switch {
		case i == g.lacks:
		case !signed:
			query.Set(c.Name, c.Value)
		default:
			var value any = c.Value
			if n, err := strconv.Atoi(c.Value); err == nil {
				value = n
			}
			put(body, c.Name, value)
		}
	}
	if g.by.Token != "" && g.token != "" {
		query.Set(g.by.Token, g.token)
	}
	switch {
	case g.by.Parameter != "":
		query.Set(g.by.Parameter, g.challenge)
	case g.by.Header != "":
		h.Header.Set(g.by.Header, g.challenge)
	case g.by.Member != "":
		put(body, g.by.Member, g.challenge)
	}
	if g.event && signed {
		put(body, g.by.Without, map[string]any{"type": "x"})
	} else if g.event {
		h.Header.Set(g.by.Without, "x")
	}
	h.URL.RawQuery = query.Encode()
	switch g.by.Kind {
	case scheme.GetHandshake:
		h.Method = http.MethodGet
	case scheme.HeadHandshake:
		h.Method = http.MethodHead
	}
	if !signed && g.by.Member == "" {
		return h, nil
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		panic(err)
	}
	all := []byte(strings.TrimSuffix(text.String(), "\n"))
	if signed && !g.unsigned {
		for name, values := range g.s.sign(0, g.at, all, g.secret) {
			h.Header[name] = values
		}
	}
	return h, all
}

// put sets a member at a path with dots.
func put(object map[string]any, path string, value any) {
	name, rest, more := strings.Cut(path, ".")
	if !more {
		object[name] = value
		return
	}
	inner, ok := object[name].(map[string]any)
	if !ok {
		inner = make(map[string]any)
		object[name] = inner
	}
	put(inner, rest, value)
}

// testHandshakes answers each handshake of the definition, and refuses what differs from
// it in one thing.
func (s Sender) testHandshakes(t *testing.T) {
	if len(s.Definition.Handshakes) == 0 {
		t.Skip("the provider has none")
	}
	secrets := s.secrets()
	for _, by := range s.Definition.Handshakes {
		t.Run(by.Describe(), func(t *testing.T) {
			o := s.options()
			if by.Token != "" {
				o.VerifyToken = handshakeToken
			}
			v := s.mustNew(t, o, secrets[0])
			good := greeting{
				s: s, by: by, at: time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC), challenge: handshakeChallenge,
				token: handshakeToken, lacks: -1, secret: secrets[0],
			}
			ask := func(g greeting) (*verify.Response, error) {
				h, body := g.request()
				return verify.Respond(context.Background(), v, h, body)
			}
			r, err := ask(good)
			if err != nil || r == nil {
				t.Fatalf("the handshake is not answered: %v", err)
			}
			m := hmac.New(sha256.New, []byte(secrets[0]))
			m.Write([]byte(handshakeChallenge))
			sum := m.Sum(nil)
			computes := strings.Contains(by.Response, "$hmac")
			if computes && s.Definition.Secret.Encoding != scheme.TextSecret {
				t.Fatal("the battery makes HMACs with texts alone")
			}
			want := strings.NewReplacer("$challenge", handshakeChallenge, "$hmac_hex", hex.EncodeToString(sum), "$hmac_base64", base64.StdEncoding.EncodeToString(sum)).Replace(by.Response)
			if string(r.Body) != want {
				t.Errorf("response %q, want %q", r.Body, want)
			}
			if strings.HasPrefix(want, "{") && !json.Valid(r.Body) {
				t.Errorf("response %q is no JSON", r.Body)
			}
			if r.Computed != computes {
				t.Errorf("computed is %v", r.Computed)
			}

			type change struct {
				name   string
				change func(*greeting)
				none   bool // it is no handshake, and no error: an event, or another method's refusal
			}
			var changes []change
			if strings.Contains(by.Response, "$challenge") || computes {
				for name, text := range map[string]string{
					"HTML": "<script>", "JSON": `{"id":"evt_1"}`, "nothing": "", "a quotation mark": `a"b`, "a line break": "a\nb",
					"a challenge without end": strings.Repeat("a", 1025), "a letter beyond ASCII": "é",
				} {
					changes = append(changes, change{name, func(g *greeting) { g.challenge = text }, false})
				}
				for _, p := range s.Definition.Message { // what is signed
					if text := p.Text(); computes && p.Kind() == scheme.LiteralPart && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.~+/=") != "" {
						changes = append(changes, change{"the start of a message", func(g *greeting) { g.challenge = text + "1" }, false})
					}
				}
			}
			for i, c := range by.If {
				changes = append(changes, change{"one without " + c.Name, func(g *greeting) { g.lacks = i }, by.Kind == scheme.SignedHandshake})
			}
			if by.Token != "" {
				changes = append(changes,
					change{"another verify token", func(g *greeting) { g.token += "s" }, false},
					change{"no verify token", func(g *greeting) { g.token = "" }, false})
			}
			if by.Kind == scheme.SignedHandshake {
				changes = append(changes,
					change{"another secret", func(g *greeting) { g.secret = secrets[1] }, false},
					change{"no signature", func(g *greeting) { g.unsigned = true }, false})
			}
			if by.Without != "" && by.Kind == scheme.SignedHandshake {
				changes = append(changes, change{"an event, by its member " + by.Without, func(g *greeting) { g.event = true }, true})
			}
			for _, c := range changes {
				t.Run(c.name, func(t *testing.T) {
					g := good
					c.change(&g)
					r, err := ask(g)
					if r != nil || (err == nil) != c.none {
						t.Errorf("response %+v, error %v", r, err)
					}
				})
			}
		})
	}
}
