package middlewaretest_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware/middlewaretest"
)

// TestExercise passes a sound adapter.
func TestExercise(t *testing.T) { middlewaretest.Exercise(t, adapterOf("")) }

const wrongVariable = "HOOKNOTARY_WRONG_ADAPTER"

// TestExerciseOfAWrongAdapter is what TestExerciseFails runs in a process of its own.
func TestExerciseOfAWrongAdapter(t *testing.T) {
	bug := os.Getenv(wrongVariable)
	if bug == "" {
		t.Skip("TestExerciseFails runs this test")
	}
	middlewaretest.SetPatience(time.Second)
	middlewaretest.Exercise(t, adapterOf(bug))
}

// wrongAdapters are the bugs of guard, and the subtests that fail for them.
var wrongAdapters = []struct {
	bug   string
	fails []string // what names the bug
	more  bool     // whether other subtests may fail, too
}{
	{"runs the handler on a refusal", []string{"a refusal", "another dispatch"}, true},
	{"answers a refusal itself", []string{"a refusal", "a body after a refusal"}, true},
	{"makes an error of a refusal", []string{"a refusal"}, true},
	{"drops the headers of a refusal", []string{"a refusal", "a copy of a delivery", "a handshake"}, true},
	{"waits for the body of a refusal", []string{"a refusal over a socket"}, false},
	{"puts the body back after a refusal", []string{"a body after a refusal"}, false},
	{"lets a handler be reached that was refused", []string{"another dispatch"}, false},
	{"hides read deadlines", []string{"a body that stalls", "what a handler may ask of its writer"}, false},

	{"keeps the request outside", []string{"the request of the handler", "a form that was parsed before", "a compressed body", "an upgrade that the sender asks for"}, true},
	{"keeps the context outside", []string{"the context of the handler", "the same guard twice"}, true},
	{"drops the delivery", []string{"the request of the handler"}, true},
	{"takes the client's context away", []string{"the context of the handler", "a client that hangs up"}, true},
	{"takes only the delivery over", []string{"a detached handler", "a shutdown of the server", "a claim that is kept", "the context of the handler"}, true},
	{"hides the end of the context", []string{"a shutdown of the server", "a client that hangs up", "the context of the handler"}, false},
	{"ends the context with the client", []string{"a client that hangs up", "a detached handler"}, false},
	{"leaves its request behind", []string{"what a middleware outside sees"}, true},
	{"touches a recycled context", []string{"a recycled context"}, false},

	{"sends before the commit", []string{"a response before the commit", "a success"}, true},
	{"answers before it settles", []string{"a response before the commit", "a claim that is lost"}, true},
	{"commits everything", []string{"a failure", "an error"}, true},
	{"commits an error", []string{"an error", "a claim that is kept", "what a handler may replace"}, false},
	{"commits redirects", []string{"a failure"}, false},
	{"sends what was written before an error", []string{"an error", "what a handler may replace"}, false},
	{"ignores the response of Settle", []string{"a claim that is lost"}, false},
	{"leaks the handler's headers after a reset", []string{"a claim that is lost"}, false},

	{"forgets Close", []string{"the context of the handler", "the memory of a request", "a panic"}, true},
	{"closes only what returns", []string{"a panic", "a panic over a socket", "the memory of a request"}, true},
	{"swallows panics", []string{"a panic", "a panic over a socket"}, true},
	{"sends what a panic left", []string{"a panic", "a panic that is recovered outside"}, true},
	{"leaves headers behind a panic", []string{"a panic", "a panic that is recovered outside"}, false},
	{"lets a success out after a panic", []string{"a panic that is recovered outside with a success"}, false},

	{"claims again under the same guard", []string{"the same guard twice"}, false},
	{"holds back what it only reports on", []string{"a guard that only reports", "a response under a guard that only reports"}, false},
	{"commits what failed under a guard that only reports", []string{"a guard that only reports"}, false},
	{"lets informational statuses out", []string{"early hints of the handler", "a proxy behind the guard"}, false},
	{"lets the handler have the connection", []string{"what a handler may ask of its writer"}, false},
}

// remedies are what the battery says to whoever wrote such a bug.
var remedies = map[string][]string{
	"lets a success out after a panic":   {"leave a writer outside that makes 500 of a 2xx", `Adapter.Cannot["a panic that is recovered outside with a success"]`},
	"claims again under the same guard":  {"the adapter asks Guard.Admitted first"},
	"holds back what it only reports on": {"flushed false: a guard that only reports must not hold the response", "to receive a part: a guard that only reports must not hold the response"},
}

// gaps are adapters that leave something out, and what the battery says then.
var gaps = []struct {
	name string
	gap  func(a *middlewaretest.Adapter)
	says string
}{
	{"no Mount", func(a *middlewaretest.Adapter) { a.Mount = nil }, "Adapter.Mount is nil"},
	{"no errors, and no reason", func(a *middlewaretest.Adapter) { a.ErrorStatus = 0 }, "Adapter.ErrorStatus is zero: say why in Adapter.Cannot[\"an error\"]"},
	{"no Recycle, and no reason", func(a *middlewaretest.Adapter) { a.Recycle = nil }, "Adapter.Recycle is nil: say why in Adapter.Cannot[\"a recycled context\"]"},
	{"no Redispatch, and no reason", func(a *middlewaretest.Adapter) { a.Redispatch = nil }, "Adapter.Redispatch is empty: say why in Adapter.Cannot[\"another dispatch\"]"},
	{"what it cannot show has no reason", func(a *middlewaretest.Adapter) { a.Cannot = map[string]string{"a panic": " "} }, "Adapter.Cannot has no reason for it"},
	{"what it cannot show is nothing", func(a *middlewaretest.Adapter) { a.Cannot = map[string]string{"a tantrum": "it is calm"} }, `has the key "a tantrum", but there is no such subtest`},
	{"what it cannot show is no part", func(a *middlewaretest.Adapter) { a.Cannot = map[string]string{"a panic/of joy": "it is calm"} }, `has the key "a panic/of joy", but there is no such subtest`},
}

// TestExerciseOfAGap is what TestGaps runs in a process of its own.
func TestExerciseOfAGap(t *testing.T) {
	for _, g := range gaps {
		if g.name == os.Getenv(wrongVariable) {
			a := adapterOf("")
			g.gap(&a)
			middlewaretest.Exercise(t, a)
			return
		}
	}
	t.Skip("TestGaps runs this test")
}

// TestGaps: nothing is left out without a reason.
func TestGaps(t *testing.T) {
	for _, g := range gaps {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestExerciseOfAGap$/^(a_panic|an_error|a_recycled_context|another_dispatch)$")
			cmd.Env = append(os.Environ(), wrongVariable+"="+g.name)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), g.says) {
				t.Errorf("%v, want %q:\n%s", err, g.says, out)
			}
		})
	}
}

// TestExerciseFails: each wrong adapter fails the subtests that name what is wrong with
// it, and no others unless they need the same.
func TestExerciseFails(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs the battery once for each wrong adapter")
	}
	for _, wrong := range wrongAdapters {
		t.Run(wrong.bug, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestExerciseOfAWrongAdapter$", "-test.v", "-test.timeout=1m")
			cmd.Env = append(os.Environ(), wrongVariable+"="+wrong.bug)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatal("the battery passes it")
			}
			var got []string
			for line := range strings.Lines(string(out)) {
				line, ok := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: TestExerciseOfAWrongAdapter/")
				if !ok {
					continue
				}
				name, _, _ := strings.Cut(line, " (")
				if !strings.Contains(name, "/") {
					got = append(got, strings.ReplaceAll(name, "_", " "))
				}
			}
			slices.Sort(got)
			for _, want := range wrong.fails {
				if !slices.Contains(got, want) {
					t.Errorf("the battery passes it in %q", want)
				}
			}
			if len(wrong.fails) == 0 || !wrong.more && len(got) != len(wrong.fails) {
				t.Errorf("the battery fails it in %q, want %q", got, wrong.fails)
			}
			for _, want := range remedies[wrong.bug] {
				if !strings.Contains(string(out), want) {
					t.Errorf("the battery does not say %q", want)
				}
			}
			if t.Failed() {
				t.Logf("%v\n%s", err, out[:min(len(out), 8<<10)])
			}
		})
	}
}
