package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
)

// A sender is a provider, as far as the script needs one.
type sender struct {
	name    string
	secret  string
	maxBody int64
	body    func(event string) []byte
	sign    func(at time.Time, body []byte, secret string) http.Header
}

func newStripe(secret string) *sender {
	return &sender{
		name:    "stripe",
		secret:  secret,
		maxBody: stripe.Must(secret).Profile().MaxBody,
		body: func(event string) []byte {
			return fmt.Appendf(nil, `{"id":"evt_%s","object":"event","type":"invoice.paid"}`, event)
		},
		sign: func(at time.Time, body []byte, secret string) http.Header {
			return stripetest.Header(at, body, secret)
		},
	}
}

func newGitHub(secret string) *sender {
	return &sender{
		name:    "github",
		secret:  secret,
		maxBody: github.Must(secret).Profile().MaxBody,
		body: func(event string) []byte {
			return fmt.Appendf(nil, `{"ref":"refs/heads/main","after":"%s"}`, event)
		},
		sign: func(_ time.Time, body []byte, secret string) http.Header {
			return githubtest.Header("push", body, secret) // GitHub signs no time
		},
	}
}

// newPayPal has no secret: what binds a delivery to the endpoint is the webhook's
// id. Another one stands for another account.
func newPayPal(account *paypaltest.PayPal) *sender {
	other := paypaltest.New("2RN13029J36659323")
	return &sender{
		name:    "paypal",
		secret:  webhookID,
		maxBody: 1 << 20,
		body: func(event string) []byte {
			return fmt.Appendf(nil, `{"id":"WH-%s","event_type":"PAYMENT.SALE.COMPLETED"}`, event)
		},
		sign: func(at time.Time, body []byte, secret string) http.Header {
			if secret != webhookID {
				return other.Header(at, body)
			}
			return account.Header(at, body)
		},
	}
}

// An endpoint is where a sender's deliveries go.
type endpoint struct {
	framework string
	sender    *sender
	url       string
	app       *app
}

const row = "%-9s %-8s %-31s  %-25s %-11s  %s\n"

// play serves a site on a loopback address, plays the script at each of its
// endpoints and prints a table. It returns an error if a promise is broken.
func play(out io.Writer, script []scene) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	site := newSite()
	srv := newServer(site)
	srv.ErrorLog = log.New(io.Discard, "", 0) // the script makes handlers panic
	defer srv.Close()
	go srv.Serve(l)

	base := "http://" + l.Addr().String()
	fromStripe, fromGitHub := newStripe(site.stripeSecret), newGitHub(site.githubSecret)
	fromPayPal := newPayPal(site.payPal)
	endpoints := []*endpoint{
		{"net/http", fromStripe, base + "/nethttp/stripe", &site.netStripe},
		{"net/http", fromGitHub, base + "/nethttp/github", &site.netGitHub},
		{"net/http", fromPayPal, base + "/nethttp/paypal", &site.netPayPal},
		{"echo", fromStripe, base + "/echo/stripe", &site.echoStripe},
		{"echo", fromGitHub, base + "/echo/github", &site.echoGitHub},
		{"echo", fromPayPal, base + "/echo/paypal", &site.echoPayPal},
	}

	start := time.Now()
	deliveries, broken := 0, 0
	fmt.Fprintf(out, row, "FRAMEWORK", "PROVIDER", "SENT", "CAME BACK", "HANDLER", "PROMISED")
	for _, e := range endpoints {
		fmt.Fprintln(out)
		for i, scene := range script {
			for _, r := range newStage(e, i, scene).play(scene.steps...) {
				promised := r.promised.response() + ", " + r.promised.handler()
				if r.seen != r.promised {
					promised += "  BROKEN"
					broken++
				}
				fmt.Fprintf(out, row, e.framework, e.sender.name, r.sent, r.seen.response(), r.seen.handler(), promised)
				deliveries++
			}
		}
	}
	fmt.Fprintf(out, "\n%d deliveries in %v, %d of them as promised.\n",
		deliveries, time.Since(start).Round(time.Millisecond), deliveries-broken)
	if broken > 0 {
		return fmt.Errorf("%d promises are broken", broken)
	}
	return nil
}

func (o outcome) response() string {
	switch {
	case o.status == 0 && o.note == "":
		return "no response"
	case o.status == 0:
		return o.note
	case o.note == "":
		return fmt.Sprint(o.status)
	}
	return fmt.Sprintf("%d %s", o.status, o.note)
}

func (o outcome) handler() string {
	switch o.runs {
	case 0:
		return "did not run"
	case 1:
		return "ran"
	}
	return fmt.Sprintf("ran %d times", o.runs)
}

// A stage is where a scene is played: an endpoint, and the genuine delivery of an
// event that is new to it.
type stage struct {
	*endpoint
	signed time.Time
	body   []byte
	header http.Header

	atWork chan struct{} // closed by a handler that waits
	goOn   chan struct{} // for this to be closed
}

func newStage(e *endpoint, number int, sc scene) *stage {
	s := &stage{
		endpoint: e,
		signed:   time.Now(),
		body:     e.sender.body(fmt.Sprintf("demo%d", number)),
		atWork:   make(chan struct{}),
		goOn:     make(chan struct{}),
	}
	s.header = e.sender.sign(s.signed, s.body, e.sender.secret)
	e.app.trouble.Store(nil)
	if sc.trouble != nil {
		trouble := func() error { return sc.trouble(s) }
		e.app.trouble.Store(&trouble)
	}
	return s
}

// result is a row of the table.
type result struct {
	step
	seen outcome
}

// play sends one delivery after the other. No other event is under way at this
// endpoint, so whenever its handler runs, it runs for this one.
func (s *stage) play(steps ...step) []result {
	var results []result
	for _, st := range steps {
		if st.not == s.sender.name || st.only != "" && st.only != s.sender.name && st.only != s.framework {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		before := s.app.runs.Load()
		var seen outcome
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			seen = s.send(ctx, st)
		}()
		var others []result
		if st.meanwhile != nil {
			select {
			case <-s.atWork:
			case <-answered: // the handler did not wait
			}
			others = s.play(*st.meanwhile)
			close(s.goOn)
		}
		<-answered
		cancel()
		seen.runs = s.app.runs.Load() - before
		for _, other := range others {
			seen.runs -= other.seen.runs
		}
		results = append(results, result{st, seen})
		results = append(results, others...)
	}
	return results
}

// client opens a connection for each delivery, as strangers do.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// send sends one delivery and says what came back. It leaves runs to the caller.
func (s *stage) send(ctx context.Context, st step) outcome {
	if st.hangUp {
		// A response leaves after the event is committed. So with its first byte
		// the event is done.
		ctx, hangUp := context.WithCancel(ctx)
		defer hangUp()
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotFirstResponseByte: hangUp})
		resp, err := client.Do(s.request(ctx, st))
		switch {
		case err == nil:
			resp.Body.Close()
		case !errors.Is(err, context.Canceled):
			return outcome{note: err.Error()}
		}
		return outcome{}
	}
	resp, err := client.Do(s.request(ctx, st))
	switch {
	case errors.Is(err, io.EOF): // the server cut the connection
		return outcome{}
	case err != nil:
		return outcome{note: err.Error()}
	}
	defer resp.Body.Close()
	seen := outcome{status: resp.StatusCode}
	if resp.Header.Get("Retry-After") != "" {
		seen.note = "Retry-After"
	}
	if v := resp.Header.Get("Webhook-Duplicate"); v != "" {
		seen.note = "Webhook-Duplicate: " + v
	}
	return seen
}

// request returns the genuine delivery with the step's change.
func (s *stage) request(ctx context.Context, st step) *http.Request {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, nil)
	if err != nil {
		panic(err) // not with the URL of a listener
	}
	r.Header = s.header.Clone()
	setBody(r, s.body)
	if st.change != nil {
		st.change(s, r)
	}
	return r
}
