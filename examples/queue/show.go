package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/replay"
)

type buildFunc = func(verify.Verifier, replay.Store, func(context.Context, *verify.Delivery) error) *consumer

// show posts deliveries to an endpoint on a loopback address, lets the consumer that
// build makes consume them, and prints what came of each. It returns an error if
// that is not what is promised.
func show(out io.Writer, build buildFunc) error {
	secret := "whsec_" + rand.Text() // yours comes from Stripe
	runs, down := 0, true
	c := build(stripe.Must(secret), replay.NewMemory(nil), func(_ context.Context, d *verify.Delivery) error {
		runs++
		if d.ID == "evt_2" && down {
			down = false
			return errors.New("the database is down")
		}
		return nil
	})

	var queue [][]byte // stands for yours
	srv := httptest.NewServer(endpoint(func(_ context.Context, message []byte) error {
		queue = append(queue, message)
		return nil
	}))
	defer srv.Close()
	post := func(event string, signed time.Time, secret string) error {
		resp, err := srv.Client().Do(request(srv.URL, event, signed, secret))
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusAccepted {
			return fmt.Errorf("the endpoint answered %d", resp.StatusCode)
		}
		return nil
	}

	now, before := time.Now(), time.Now().Add(-time.Hour)
	waited, err := message("evt_3", before, secret)
	if err != nil {
		return err
	}
	broken := 0
	for _, s := range []struct {
		what     string
		put      func() error
		promised outcome
	}{
		{"a genuine delivery", func() error { return post("evt_1", now, secret) }, outcome{"handled", 1}},
		{"a forged one", func() error { return post("evt_9", now, "whsec_of_somebody_else") }, outcome{"refused: mismatch", 0}},
		{"the genuine one, replayed", func() error { return post("evt_1", now, secret) }, outcome{"refused: replayed", 0}},
		{"one that the handler fails", func() error { return post("evt_2", now, secret) }, outcome{"comes again", 1}},
		{"the same, come again", func() error { return nil }, outcome{"handled", 1}},
		{"one that waited for an hour", func() error { queue = append(queue, waited); return nil }, outcome{"handled", 1}},
		{"the same, replayed in the queue", func() error { queue = append(queue, waited); return nil }, outcome{"refused: replayed", 0}},
		{"the same, posted an hour late", func() error { return post("evt_3", before, secret) }, outcome{"refused: too_old", 0}},
	} {
		if err := s.put(); err != nil {
			return err
		}
		if len(queue) != 1 {
			return fmt.Errorf("%s: %d messages are in the queue, want 1", s.what, len(queue))
		}
		ran := runs
		err := c.consume(context.Background(), queue[0])
		seen := outcome{verdict(err), 0}
		seen.runs = runs - ran
		if seen.verdict != "comes again" {
			queue = nil
		}
		fmt.Fprintf(out, "%-33s%v", s.what, seen)
		if seen != s.promised {
			broken++
			fmt.Fprintf(out, "  BROKEN: promised is %v", s.promised)
			queue = nil
		}
		fmt.Fprintln(out)
	}
	if broken > 0 {
		return fmt.Errorf("%d promises are broken", broken)
	}
	return nil
}

func verdict(err error) string {
	var r *refused
	switch {
	case err == nil:
		return "handled"
	case errors.As(err, &r):
		return "refused: " + verify.ReasonOf(r).String()
	}
	return "comes again"
}

// outcome is what can be seen of a message.
type outcome struct {
	verdict string
	runs    int // of the handler
}

func (o outcome) String() string {
	if o.runs == 0 {
		return o.verdict + ", the handler did not run"
	}
	return o.verdict + ", the handler ran"
}

func request(url, event string, signed time.Time, secret string) *http.Request {
	body := fmt.Appendf(nil, `{"id":%q,"object":"event","type":"invoice.paid"}`, event)
	return stripetest.NewRequest(url+"/hooks/stripe", signed, body, secret)
}

// message is what the endpoint stored when the request was new.
func message(event string, signed time.Time, secret string) ([]byte, error) {
	r := request("http://127.0.0.1", event, signed, secret)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	return capture.New(r, body, signed).Append(nil)
}
