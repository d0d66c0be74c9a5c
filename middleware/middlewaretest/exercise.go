// Package middlewaretest is the battery that every adapter of package middleware
// passes: the bridge between a guard and one web framework.
//
//	func TestExercise(t *testing.T) {
//		middlewaretest.Exercise(t, middlewaretest.Adapter{
//			Mount:       mount,
//			ErrorStatus: http.StatusInternalServerError,
//		})
//	}
//
// An adapter runs the handler between [middleware.Guard.Admit] and
// [middleware.Admission.Settle]. That sounds like ten lines, and each framework makes
// more of it: handlers return errors, contexts are recycled, writers are wrapped, and a
// status may be the last word or the first one. Exercise looks at what a sender, a
// handler and the middlewares around them see of it.
//
// The battery signs its deliveries itself, with a scheme of its own, and needs no
// provider. What is particular to one framework, such as its own recoverer, belongs
// in the tests of its adapter.
package middlewaretest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/middleware"
)

// Path is the path of the route that Mount makes.
const Path = "/hooks"

// Adapter says how the framework of an adapter is wired. Mount is required; whatever
// else is left out needs its reason in Cannot.
type Adapter struct {
	// Mount returns a server of the framework with one route: all methods of Path
	// lead through the links, the outermost first, to the handler. A link with a
	// Guard is that guard behind the adapter. The server has no other middleware and
	// is configured as it comes.
	Mount func(links []Link, handle func(Exchange) error) http.Handler

	// ErrorStatus and ErrorBody are what the framework makes of an error with which
	// a handler fails. Zero: its handlers have no errors. Then Cannot has the key
	// "an error".
	ErrorStatus int
	ErrorBody   string

	// Recycle does to an exchange what the framework does when it gives its context
	// to another request. Nil: it recycles none. Then Cannot has the key "a recycled
	// context".
	Recycle func(e Exchange, r *http.Request, w http.ResponseWriter)

	// Redispatch holds the ways in which a program can run a route, or its handler,
	// by means of the framework and not by a request. Empty: there is none. Then
	// Cannot has the key "another dispatch".
	Redispatch []Dispatch

	// Cannot says what the framework cannot show, and why. A key is the name of a
	// subtest below Exercise, "an error" or "a late failure/an error status", as it
	// is written here, with spaces. These subtests are skipped. A key without a
	// reason, or without a subtest, is an error.
	Cannot map[string]string
}

// Link is one link in the chain before a handler: a guard or a middleware.
type Link struct {
	Guard *middleware.Guard      // behind the adapter; or nil
	Run   func(e Exchange) error // a middleware, which calls e.Next
}

// Exchange is a request and its response as the framework hands them to a middleware
// or a handler.
type Exchange interface {
	// Request and SetRequest get and replace the request that the rest of the chain
	// sees.
	Request() *http.Request
	SetRequest(*http.Request)

	// Writer is where a handler writes its response.
	Writer() http.ResponseWriter

	// Wrap puts a writer around the one that the framework writes to, as
	// middlewares do that count or compress, and leaves it there.
	Wrap(func(http.ResponseWriter) http.ResponseWriter)

	// Next runs the rest of the chain and returns its error, if the framework's
	// middlewares see one. A handler does not call it.
	Next() error
}

// Dispatch is one way in which a program runs a route by means of the framework.
type Dispatch struct {
	// Name says what is done, "the router from another route".
	Name string

	// Path is where the request goes to. Empty: Path of this package.
	Path string

	// Mount returns a server that does it. The guard stands before the handler at
	// Path of this package.
	Mount func(g *middleware.Guard, handle func(Exchange) error) http.Handler

	// NoTwin says why a genuine delivery does not reach the handler in this way,
	// either. Empty: it reaches it once.
	NoTwin string
}

// suite is the test of one adapter, or a part of it.
type suite struct {
	*testing.T
	adapter *Adapter
	name    string          // below Exercise
	seen    map[string]bool // names of parts
}

// run runs a part, unless the framework cannot show it.
func (x *suite) run(name string, test func(x *suite)) {
	x.Helper()
	x.part(name, false, test)
}

func (x *suite) part(name string, parallel bool, test func(x *suite)) {
	x.Helper()
	if x.seen[name] {
		x.Fatalf("two parts have the name %q", name)
	}
	x.seen[name] = true
	full := name
	if x.name != "" {
		full = x.name + "/" + name
	}
	x.T.Run(name, func(t *testing.T) {
		if parallel {
			t.Parallel()
		}
		if reason, ok := x.adapter.Cannot[full]; ok {
			if strings.TrimSpace(reason) == "" {
				t.Fatal("Adapter.Cannot has no reason for it")
			}
			t.Skip(reason)
		}
		inner := &suite{T: t, adapter: x.adapter, name: full, seen: make(map[string]bool)}
		test(inner)
		inner.wantKeys()
	})
}

// wantKeys fails for keys of Cannot that name no part of x.
func (x *suite) wantKeys() {
	x.Helper()
	for key := range x.adapter.Cannot {
		rest := key
		if x.name != "" {
			var ok bool
			if rest, ok = strings.CutPrefix(key, x.name+"/"); !ok {
				continue
			}
		}
		if name, _, _ := strings.Cut(rest, "/"); !x.seen[name] {
			x.Errorf("Adapter.Cannot has the key %q, but there is no such subtest", key)
		}
	}
}

// Exercise runs the battery. Its subtests run in parallel, so they are done when the
// test t is, and not when Exercise returns. Every subtest says what it wants; one that
// the framework cannot show is skipped with its reason.
func Exercise(t *testing.T, a Adapter) {
	t.Helper()
	if a.Mount == nil {
		t.Fatal("Adapter.Mount is nil")
	}
	x := &suite{T: t, adapter: &a, seen: make(map[string]bool)}
	for _, b := range behaviours {
		x.part(b.name, true, b.test)
	}
	x.wantKeys()
}

// behaviours is the battery, in the order of a request's way.
var behaviours = []struct {
	name string
	test func(x *suite)
}{
	{"a refusal", refusals},
	{"a refusal over a socket", socketRefusals},
	{"a connection after a refusal", keptConnections},
	{"a request that is served again", servedAgain},
	{"a body after a refusal", bodyAfterRefusal},
	{"a handshake", handshakes},
	{"another dispatch", dispatches},
	{"a body that stalls", stalledBodies},
	{"a body that was read before the guard", readBefore},
	{"a limit for bodies before the guard", limitedBefore},
	{"early hints before the guard", hintsBefore},

	{"the request of the handler", handlerRequests},
	{"the context of the handler", handlerContexts},
	{"a form that was parsed before", parsedBefore},
	{"a compressed body", packedBodies},
	{"an upgrade that the sender asks for", upgradesAsked},
	{"a client that hangs up", hangUps},
	{"a detached handler", detachedHandlers},
	{"a shutdown of the server", shutdowns},

	{"a success", successes},
	{"a response before the commit", heldBack},
	{"a failure", failures},
	{"a late failure", lateFailures},
	{"an error", handlerErrors},
	{"a panic", panics},
	{"a panic over a socket", socketPanics},
	{"a panic that is recovered outside", recoveredOutside},
	{"a panic that is recovered outside with a success", soothedOutside},
	{"a panic that is recovered inside", recoveredInside},
	{"a claim that is kept", keptClaims},
	{"a claim that is lost", lostClaims},
	{"a store that fails", failingStores},
	{"a guard that fails open", failOpen},

	{"a copy of a delivery", copies},
	{"copies at the same time", concurrentCopies},
	{"a body that the signature does not cover", weakBodies},
	{"the same guard twice", sameGuardTwice},
	{"two guards", twoGuards},
	{"a guard that only reports", reportOnly},
	{"a response under a guard that only reports", reportOnlyStreams},

	{"early hints of the handler", handlerHints},
	{"a proxy behind the guard", proxies},
	{"a long response", longResponses},
	{"trailers", trailers},
	{"what a handler may ask of its writer", writerMeans},
	{"what a handler may replace", replacements},
	{"what a middleware outside sees", outsideViews},
	{"a recycled context", recycledContexts},
	{"a timeout around the server", timeoutsOutside},
	{"the memory of a request", memory},
	{"a recorder around the server", recorders},
}
