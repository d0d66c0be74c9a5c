// Package show is what the examples with a web framework have in common: it delivers
// to the example's endpoint as a provider and others would, prints what came of each
// delivery, and runs the example's server.
package show

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
)

// Main is the main function of an example. It calls show, and ends the process with 1
// if that returns an error. With the flag -serve it calls run in place of that, with
// the address of the flag -addr and with the secret in the environment variable env,
// until the process is told to end.
func Main(env string, show func(out io.Writer) error, run func(ctx context.Context, addr, secret string) error) {
	serve := flag.Bool("serve", false, "receive webhooks")
	addr := flag.String("addr", "localhost:8080", "where to listen")
	flag.Parse()
	if !*serve {
		slog.SetDefault(slog.New(slog.DiscardHandler)) // the guard logs its refusals; the table shows them
		if err := show(os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, os.Getenv(env)); err != nil {
		log.Fatal(err)
	}
}

// Serve runs srv until ctx ends. Then it waits for the handlers that are at work, so
// that their events are committed: for as long as the WriteTimeout of srv at most.
func Serve(ctx context.Context, srv *http.Server, path string) error {
	ended := make(chan error, 1)
	go func() { ended <- srv.ListenAndServe() }()
	log.Printf("listening on http://%s%s", srv.Addr, path)
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), srv.WriteTimeout)
	defer cancel()
	return srv.Shutdown(ctx)
}

// delivery is a request to the endpoint, and what is promised of it.
type delivery struct {
	what     string
	request  func(url string) *http.Request
	promised outcome
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

// effect stands for what a handler does. It fails the first time that it is asked for
// unlucky.
type effect struct {
	runs    int // one request at a time
	unlucky string
	err     error
}

func (e *effect) run(what string) error {
	e.runs++
	if what == e.unlucky {
		e.unlucky = ""
		return e.err
	}
	return nil
}

// Stripe delivers events to what build makes, at /hooks/stripe, and prints what came of
// each. The handler calls pay once for each invoice that is paid. It returns an error if
// what came of them is not what is promised.
func Stripe(out io.Writer, build func(v verify.Verifier, pay func(ctx context.Context, invoice string) error) http.Handler) error {
	secret := "whsec_" + rand.Text() // yours comes from Stripe
	e := &effect{unlucky: "in_2", err: errors.New("the database is down")}
	h := build(stripe.Must(secret), func(_ context.Context, invoice string) error { return e.run(invoice) })
	now := time.Now()
	paid := func(invoice string, signed time.Time, secret string) func(string) *http.Request {
		body := fmt.Appendf(nil, `{"id":"evt_%s","object":"event","type":"invoice.paid","data":{"object":{"id":"%[1]s"}}}`, invoice)
		return func(url string) *http.Request {
			return stripetest.NewRequest(url+"/hooks/stripe", signed, body, secret)
		}
	}
	return deliver(out, h, e, []delivery{
		{"a genuine delivery", paid("in_1", now, secret), outcome{http.StatusNoContent, 1}},
		{"a forged one", paid("in_9", now, "whsec_of_somebody_else"), outcome{http.StatusUnauthorized, 0}},
		{"the genuine one, replayed", paid("in_1", now, secret), outcome{http.StatusConflict, 0}},
		{"one that the handler fails", paid("in_2", now, secret), outcome{http.StatusInternalServerError, 1}},
		{"its retry, signed anew", paid("in_2", now.Add(time.Minute), secret), outcome{http.StatusNoContent, 1}},
		{"another retry of it", paid("in_2", now.Add(2*time.Minute), secret), outcome{http.StatusOK, 0}},
	})
}

// GitHub delivers pushes to what build makes, at /hooks/github, and prints what came of
// each. The handler calls start once for each push. It returns an error if what came of
// them is not what is promised.
func GitHub(out io.Writer, build func(v verify.Verifier, start func(ctx context.Context, ref, commit string) error) http.Handler) error {
	secret := rand.Text() // yours is in the settings of the hook
	e := &effect{unlucky: "c0ffee2", err: errors.New("no runner is free")}
	h := build(github.Must(secret), func(_ context.Context, _, commit string) error { return e.run(commit) })
	pushed := func(commit, secret string) func(string) *http.Request {
		body := fmt.Appendf(nil, `{"ref":"refs/heads/main","after":"%s"}`, commit)
		return func(url string) *http.Request {
			return githubtest.NewRequest(url+"/hooks/github", "push", body, secret)
		}
	}
	return deliver(out, h, e, []delivery{
		{"a genuine delivery", pushed("c0ffee1", secret), outcome{http.StatusNoContent, 1}},
		{"a forged one", pushed("c0ffee9", "the secret of somebody else"), outcome{http.StatusUnauthorized, 0}},
		{"the genuine one, replayed", pushed("c0ffee1", secret), outcome{http.StatusConflict, 0}},
		{"one that the handler fails", pushed("c0ffee2", secret), outcome{http.StatusInternalServerError, 1}},
		{"the same, redelivered", pushed("c0ffee2", secret), outcome{http.StatusNoContent, 1}},
		{"redelivered once more", pushed("c0ffee2", secret), outcome{http.StatusConflict, 0}},
	})
}

// deliver serves h on a loopback address, delivers to it, and prints what came of each.
func deliver(out io.Writer, h http.Handler, e *effect, deliveries []delivery) error {
	srv := httptest.NewServer(h)
	defer srv.Close()
	broken := 0
	for _, d := range deliveries {
		before := e.runs
		resp, err := srv.Client().Do(d.request(srv.URL))
		if err != nil {
			return err
		}
		resp.Body.Close()
		seen := outcome{resp.StatusCode, e.runs - before}
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
