package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// config is all that a server knows. It comes on its standard input, which stays
// open for as long as the server is wanted.
type config struct {
	Process string // its name in the journal
	Journal string // path
	Store   string
	Address string // of the store
	Lease   time.Duration
	Plant   string // the bug that was planted, or ""

	StripeSecret string
	GitHubSecret string
	WebhookID    string
	Certificates string // where PayPal's certificates are served
	Root         []byte // of PayPal's certificates, in DER
}

// serve is the whole life of a server process. It writes the address on which it
// listens to out. It ends when it is killed or when in ends.
func serve(in io.Reader, out io.Writer) error {
	var c config
	if err := json.NewDecoder(in).Decode(&c); err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, in)
		os.Exit(0) // whoever started it is gone
	}()
	h, err := newSite(c)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, l.Addr())
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // handlers panic
	}
	return srv.Serve(l)
}

// newSite makes what is served: three endpoints, each behind its guard.
func newSite(c config) (http.Handler, error) {
	j, err := openJournal(c.Journal, c.Process)
	if err != nil {
		return nil, err
	}
	go j.watch(context.Background())
	store, db, err := openStore(c.Store, c.Address)
	if err != nil {
		return nil, err
	}
	bug := plants[c.Plant]
	a := &app{journal: j}
	if db != nil {
		a.inbox = &inbox{db, store.(committer), bug.apart}
	}
	if bug.store != nil {
		store = bug.store(store)
	}
	if bug.tokens != nil {
		store = bug.tokens(knowing{store, filepath.Dir(c.Journal)})
	}
	verifiers, err := newVerifiers(c)
	if err != nil {
		return nil, err
	}
	var marked replay.Store = newMarkedStore(store, j)
	if bug.marked != nil {
		marked = bug.marked(marked)
	}
	var handler http.Handler = a
	if bug.handler != nil {
		handler = bug.handler(a)
	}
	mux := http.NewServeMux()
	for name, v := range verifiers {
		o := &middleware.Options{Lease: c.Lease, Observe: observe(j)}
		if name == gitHub {
			// What its operator redelivers may have been handled: the first
			// response was lost. With this his script sees a 2xx.
			o.Duplicates = middleware.AcknowledgeDuplicates
		}
		guarded, err := guard(name, v, marked, o, handler)
		if err != nil {
			return nil, err
		}
		mux.Handle("POST /"+name, guarded)
	}
	var site http.Handler = mux
	if bug.site != nil {
		site = bug.site(site)
	}
	return withRequest(site), nil
}

// guard makes a guard of an endpoint, and a twin that differs in Detach alone. Each request
// is for one of them.
func guard(name string, v verify.Verifier, s replay.Store, o *middleware.Options, next http.Handler) (http.Handler, error) {
	guards := make(map[bool]http.Handler)
	for _, detach := range []bool{false, true} {
		o.Detach = detach
		g, err := middleware.New(name, v, s, o)
		if err != nil {
			return nil, err
		}
		guards[detach] = g.Handler(next)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		guards[requestOf(r.Context()).fate.detached].ServeHTTP(w, r)
	}), nil
}

func newVerifiers(c config) (map[string]verify.Verifier, error) {
	root, err := x509.ParseCertificate(c.Root)
	if err != nil {
		return nil, err
	}
	p, err := paypal.New(c.WebhookID, &paypal.Options{
		Transport: server(c.Certificates),
		Roots:     []*x509.Certificate{root},
	})
	if err != nil {
		return nil, err
	}
	return map[string]verify.Verifier{
		stripeName: stripe.Must(c.StripeSecret),
		gitHub:     github.Must(c.GitHubSecret),
		payPal:     p,
	}, nil
}

// server is a transport that asks the server at this address for whatever URL
// it is asked for.
type server string

func (e server) RoundTrip(r *http.Request) (*http.Response, error) {
	moved := r.Clone(r.Context())
	moved.URL = &url.URL{Scheme: "http", Host: string(e), RawQuery: url.Values{"url": {r.URL.String()}}.Encode()}
	moved.Host = ""
	return http.DefaultTransport.RoundTrip(moved)
}

// request is what a server knows of a request apart from what the guard verifies.
type request struct {
	id     string
	fate   fate
	client context.Context // ends when the sender hangs up
}

type requestKey struct{}

// withRequest reads the two headers by which the sender tells requests apart and
// decides their fate.
func withRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, err := parseFate(r.Header.Get(fateHeader))
		if err != nil {
			http.Error(w, err.Error(), http.StatusTeapot)
			return
		}
		req := &request{r.Header.Get(requestHeader), f, r.Context()}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, req)))
	})
}

func requestOf(ctx context.Context) *request { return ctx.Value(requestKey{}).(*request) }

func observe(j *journal) func(context.Context, middleware.Report) {
	return func(ctx context.Context, e middleware.Report) {
		if e.Reason == verify.ErrUnavailable || e.Outcome == middleware.CommitFailed {
			fmt.Fprintf(os.Stderr, "%v %s: %v: %v\n", time.Now().Format(timeFormat), j.process, requestOf(ctx).id, e.Err)
		}
		if e.Outcome != middleware.Refused && e.Outcome != middleware.Acknowledged {
			j.write(requestOf(ctx).id, closed, time.Time{}, e.Outcome.String())
		}
	}
}

// crashAt ends the process with SIGKILL if that is the request's fate.
func (j *journal) crashAt(p point, r *request) {
	if r.fate.crash != p {
		return
	}
	j.write(r.id, crashed, time.Time{}, string(p))
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {}
}

// contextEnded is the detail of a handler that failed when its context had ended.
const contextEnded = "context-ended"

// handlerOK is the status of a handler that succeeded. The guard responds with another 2xx.
const handlerOK = http.StatusNoContent

// app is the handler behind all guards.
type app struct {
	journal *journal
	inbox   *inbox // nil: the effect is a line of the journal
}

var (
	errFailed = errors.New("the handler failed")
	errLate   = errors.New("the handler's context ended before its effect")
)

// ServeHTTP is a good handler: it looks at its context right before its effect,
// and responds with 2xx only when the effect has taken place.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	req := requestOf(ctx)
	d, ok := verify.FromContext(ctx)
	if !ok {
		http.Error(w, "there is no guard in front of this handler", http.StatusInternalServerError)
		return
	}
	event := eventOf(d.Body)
	a.journal.write(req.id, ran, time.Time{}, event)
	work := a.alone
	if a.inbox != nil {
		work = a.inTransaction
	}
	if err := work(ctx, req, event); err != nil {
		why := nothing
		if ctx.Err() != nil {
			why = contextEnded
		}
		a.journal.write(req.id, failed, time.Time{}, why)
		http.Error(w, "try again later", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(handlerOK)
}

// alone has an effect that the store knows nothing of.
func (a *app) alone(ctx context.Context, r *request, event string) error {
	sleep(ctx, r.fate.before)
	a.journal.crashAt(beforeEffect, r)
	if err := a.fail(r); err != nil {
		return err
	}
	looked := time.Now()
	if ctx.Err() != nil {
		return errLate
	}
	a.journal.write(r.id, effect, looked, event)
	time.Sleep(r.fate.after) // what is done is done: it does not give up now
	a.journal.crashAt(beforeCommit, r)
	return nil
}

// fail fails or panics if that is the request's fate.
func (a *app) fail(r *request) error {
	switch r.fate.end {
	case fails:
		return errFailed
	case panics:
		a.journal.write(r.id, failed, time.Time{}, nothing)
		panic(http.ErrAbortHandler)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// eventOf returns the harness's name of an event, which all bodies have at the
// same place.
func eventOf(body []byte) string {
	var b struct {
		Event string `json:"event"`
	}
	if json.Unmarshal(body, &b) != nil || b.Event == "" {
		return "?"
	}
	return b.Event
}
