package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/verify"
)

// show serves what build makes on a loopback address, sends deliveries to it as
// GitHub and others would, and prints what came of each. It returns an error if
// that is not what is promised.
func show(out io.Writer, build func(verify.Verifier, *builds) http.Handler) error {
	secret := rand.Text() // yours is in the settings of the hook
	runs, down := 0, true // one request at a time
	srv := httptest.NewServer(build(github.Must(secret), &builds{start: func(_ context.Context, _, commit string) error {
		runs++
		if commit == "c0ffee2" && down {
			down = false
			return errors.New("no runner is free")
		}
		return nil
	}}))
	defer srv.Close()

	broken := 0
	for _, d := range []struct {
		what     string
		commit   string
		secret   string
		promised outcome
	}{
		{"a genuine delivery", "c0ffee1", secret, outcome{http.StatusNoContent, 1}},
		{"a forged one", "c0ffee9", "the secret of somebody else", outcome{http.StatusUnauthorized, 0}},
		{"the genuine one, replayed", "c0ffee1", secret, outcome{http.StatusConflict, 0}},
		{"one that the handler fails", "c0ffee2", secret, outcome{http.StatusInternalServerError, 1}},
		{"the same, redelivered", "c0ffee2", secret, outcome{http.StatusNoContent, 1}},
		{"redelivered once more", "c0ffee2", secret, outcome{http.StatusConflict, 0}},
	} {
		body := fmt.Appendf(nil, `{"ref":"refs/heads/main","after":"%s"}`, d.commit)
		before := runs
		resp, err := srv.Client().Do(githubtest.NewRequest(srv.URL+"/hooks/github", "push", body, d.secret))
		if err != nil {
			return err
		}
		resp.Body.Close()
		seen := outcome{resp.StatusCode, runs - before}
		fmt.Fprintf(out, "%-28s%v", d.what, seen)
		if seen != d.promised {
			broken++
			fmt.Fprintf(out, "  BROKEN: promised is %v", d.promised)
		}
		fmt.Fprintln(out)
	}
	if broken > 0 {
		return fmt.Errorf("%d promises are broken", broken)
	}
	return nil
}

// outcome is what can be seen of a delivery.
type outcome struct {
	status int
	runs   int // of the handler's effect
}

func (o outcome) String() string {
	if o.runs == 0 {
		return fmt.Sprintf("%d, the handler did not run", o.status)
	}
	return fmt.Sprintf("%d, the handler ran", o.status)
}
