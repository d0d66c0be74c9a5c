package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/diagnose"
	"github.com/spf13/cobra"
)

const maxCandidates = 64

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
func (f *secretFlags) read(p *program) ([]sender.Secret, error) {
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
		s, err := sender.Line(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, sender.Secret{Label: label, Text: s})
	}
	if f.stdin {
		text, err := io.ReadAll(io.LimitReader(p.stdin, sender.MaxSecret+1))
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		s, err := sender.Line(text)
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		all = append(all, sender.Secret{Label: "stdin", Text: s})
	}
	if len(all) > verify.MaxKeys {
		return nil, fmt.Errorf("there are %d secrets: want at most %d", len(all), verify.MaxKeys)
	}
	return all, nil
}

// readSmall reads a file that should be small.
func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fileError(name, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, sender.MaxSecret+1))
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
func (p *program) variables(flag string, names []string) ([]sender.Secret, error) {
	var all []sender.Secret
	for _, name := range names {
		if !variableName.MatchString(name) || sender.HasSecretForm(name) {
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
			all = append(all, sender.Secret{Label: name, Text: text})
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
			all = append(all, diagnose.Candidate{Label: s.Label, Secret: s.Text, OtherMode: kind.otherMode})
		}
	}
	if len(all) > maxCandidates {
		return nil, fmt.Errorf("there are %d other secrets: want at most %d", len(all), maxCandidates)
	}
	return all, nil
}
