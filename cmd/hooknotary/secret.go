package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/diagnose"
	"github.com/spf13/cobra"
)

const (
	maxSecretFile = 64 << 10 // bytes
	maxCandidates = 64
)

// secret is a secret and where it is from. It prints as the latter.
type secret struct{ label, text string }

func (s secret) Format(w fmt.State, _ rune) { io.WriteString(w, s.label) }

// keyList makes the keys of one endpoint.
func keyList(secrets []secret) (verify.KeyList, error) {
	var list verify.KeyList
	for _, s := range secrets {
		k, err := verify.NewKey("default", s.label, []byte(s.text))
		if err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	return list, nil
}

// random returns a text that no provider knows as a secret.
func random() string { return rand.Text() }

// secretFlags say where secrets are.
type secretFlags struct {
	env, files []string
	stdin      bool
}

func (f *secretFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.env, "secret-env", nil, "environment `VAR` that holds the secret (PayPal: the webhook id); repeat it during a rotation")
	flags.StringArrayVar(&f.files, "secret-file", nil, "`FILE` that holds the secret; one line end at its end is cut off")
	flags.BoolVar(&f.stdin, "secret-stdin", false, "read the secret from the standard input; one line end at its end is cut off")
}

// given reports whether there is any.
func (f *secretFlags) given() bool { return len(f.env) > 0 || len(f.files) > 0 || f.stdin }

// read returns the secrets, at least one.
func (f *secretFlags) read(p *program) ([]secret, error) {
	if !f.given() {
		return nil, errors.New("there is no secret: name the environment variable that holds it with --secret-env, or use --secret-file or --secret-stdin")
	}
	all, err := p.variables("secret-env", f.env)
	if err != nil {
		return nil, err
	}
	for i, name := range f.files {
		text, err := readSmall(name)
		if err != nil {
			return nil, err
		}
		label := fmt.Sprintf("file %d", i+1)
		s, err := lineSecret(label, text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, s)
	}
	if f.stdin {
		text, err := io.ReadAll(io.LimitReader(p.stdin, maxSecretFile+1))
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		s, err := lineSecret("stdin", text)
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		all = append(all, s)
	}
	if len(all) > verify.MaxKeys {
		return nil, fmt.Errorf("there are %d secrets: want at most %d", len(all), verify.MaxKeys)
	}
	return all, nil
}

// lineSecret makes a secret of a file, which ends with a line end as files do.
// Everything else about it stays: a program that reads the file may not cut it off.
func lineSecret(label string, text []byte) (secret, error) {
	if len(text) > maxSecretFile {
		return secret{}, errors.New("too large for a secret: want the secret alone")
	}
	s := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if s == "" {
		return secret{}, errors.New("it is empty: want the secret")
	}
	return secret{label, s}, nil
}

// readSmall reads a file that should be small.
func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fileError(name, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil {
		return nil, fileError(name, err)
	}
	return text, nil
}

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

	// ordinaryName is the name of a variable that is surely none of a secret.
	ordinaryName = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$`)
)

// variables reads environment variables as a program would: nothing is cut off.
func (p *program) variables(flag string, names []string) ([]secret, error) {
	var all []secret
	for _, name := range names {
		if !variableName.MatchString(name) || secretArgument().MatchString(name) {
			return nil, fmt.Errorf("--%s wants the name of an environment variable, not the secret itself", flag)
		}
		said := "the variable that --" + flag + " names"
		if ordinaryName.MatchString(name) {
			said = name
		}
		switch text, ok := p.lookup(name); {
		case !ok:
			return nil, fmt.Errorf("%s is not set: is it exported?", said)
		case text == "":
			return nil, fmt.Errorf("%s is empty: want the secret in it", said)
		default:
			all = append(all, secret{name, text})
		}
	}
	return all, nil
}

// candidateFlags name secrets that might be the right ones.
type candidateFlags struct{ other, otherMode []string }

func (f *candidateFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.other, "other-secret-env", nil, "`VAR` with the secret of another endpoint, for the diagnosis only")
	flags.StringArrayVar(&f.otherMode, "other-mode-secret-env", nil, "`VAR` with the secret of the other mode (test or live), for the diagnosis only")
}

func (f *candidateFlags) read(p *program) ([]diagnose.Candidate, error) {
	var all []diagnose.Candidate
	for _, kind := range [...]struct {
		flag      string
		names     []string
		otherMode bool
	}{{"other-secret-env", f.other, false}, {"other-mode-secret-env", f.otherMode, true}} {
		secrets, err := p.variables(kind.flag, kind.names)
		if err != nil {
			return nil, err
		}
		for _, s := range secrets {
			all = append(all, diagnose.Candidate{Label: s.label, Secret: s.text, OtherMode: kind.otherMode})
		}
	}
	if len(all) > maxCandidates {
		return nil, fmt.Errorf("there are %d other secrets: want at most %d", len(all), maxCandidates)
	}
	return all, nil
}
