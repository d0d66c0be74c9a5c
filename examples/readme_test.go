package examples_test

import (
	"context"
	"errors"
	"io/fs"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/echomw"
	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/providers/discord"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubevent"
	"github.com/hooknotary/hooknotary/providers/gitlab"
	"github.com/hooknotary/hooknotary/providers/meta"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/providers/standardwebhooks"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripeevent"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/providers/twilio"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/verifytest"
)

// The functions below are the code of README.md, compiled; more of it stands in the
// modules of fleet and inbox. The test compares.

func readmeNetHTTP(mux *http.ServeMux, handler http.Handler) {
	mux.Handle("POST /hooks/stripe", middleware.Protect(stripe.Must(os.Getenv("STRIPE_WEBHOOK_SECRET")))(handler))
}

// router is what the README needs of chi.Router. The example with chi itself is a
// module of its own.
type router interface {
	With(...func(http.Handler) http.Handler) router
	Post(string, http.HandlerFunc)
}

func readmeChi(r router, handler http.HandlerFunc) {
	r.With(middleware.Protect(github.Must(os.Getenv("GITHUB_WEBHOOK_SECRET")))).Post("/hooks/github", handler)
}

func readmeEcho(e *echo.Echo, handler echo.HandlerFunc) {
	e.POST("/hooks/github", handler, echomw.Protect(github.Must(os.Getenv("GITHUB_WEBHOOK_SECRET"))))
}

func readmeSenders(mux *http.ServeMux, handler http.Handler) {
	// Clerk is one of many senders of one package.
	clerk := standardwebhooks.Clerk.Must(os.Getenv("CLERK_WEBHOOK_SIGNING_SECRET"))
	mux.Handle("POST /hooks/clerk", middleware.Protect(clerk)(handler))

	// Discord signs with a private key. The endpoint holds the public one.
	mux.Handle("POST /hooks/discord", middleware.Protect(discord.Must(os.Getenv("DISCORD_PUBLIC_KEY")))(handler))

	// Twilio signs the URL that it calls, which a proxy may change on the way.
	sms := twilio.Must("https://shop.example/hooks/sms", os.Getenv("TWILIO_AUTH_TOKEN"))
	mux.Handle("POST /hooks/sms", middleware.Protect(sms)(handler))

	// GitLab's secret token signs nothing.
	mux.Handle("POST /hooks/gitlab", middleware.Protect(gitlab.InsecureMust(os.Getenv("GITLAB_WEBHOOK_TOKEN")))(handler))

	// Meta checks the endpoint with a GET: the route names no method.
	v, err := meta.New(verify.Secrets(os.Getenv("META_APP_SECRET")), &scheme.Options{
		VerifyToken: os.Getenv("META_VERIFY_TOKEN"),
	})
	if err != nil {
		log.Fatal(err)
	}
	mux.Handle("/hooks/meta", middleware.Protect(v)(handler))
}

func readmePayPal(e *echo.Echo, handler echo.HandlerFunc) {
	e.POST("/hooks/paypal", handler, echomw.Protect(paypal.Must(os.Getenv("PAYPAL_WEBHOOK_ID"))))
}

func readmeHandler(r *http.Request) (*verify.Delivery, bool) {
	d, ok := verify.FromContext(r.Context())
	return d, ok
}

func readmeGuard(mux *http.ServeMux, v verify.Verifier, handler http.Handler) {
	guard, err := middleware.New("billing", v, replay.NewMemory(nil), &middleware.Options{
		Observe: middleware.LogObserver(slog.Default()),
	})
	if err != nil {
		log.Fatal(err)
	}
	mux.Handle("POST /hooks/stripe", guard.Handler(handler))
}

func readmeVerify(ctx context.Context, v verify.Verifier, header http.Header, receivedAt time.Time, body []byte) (*verify.Delivery, error) {
	d, err := verify.Verify(ctx, v, &verify.Head{Header: header, ReceivedAt: receivedAt}, body)
	return d, err
}

func readmeCaptures(t *testing.T, v verify.Verifier) *verify.Delivery {
	d := verifytest.Accepts(t, v, "testdata/invoice-paid.http")
	verifytest.Rejects(t, v, "testdata/amount-changed.http", verify.ErrMismatch)
	return d
}

func readmeWiring(t *testing.T, routes func() http.Handler, secret string, paid, refunded []byte) {
	verifytest.Protected(t, routes(), verifytest.Signer{
		Sign: func(at time.Time, body []byte) *http.Request {
			return stripetest.NewRequest("https://shop.example/hooks/stripe", at, body, secret)
		},
		Headers: []string{"Stripe-Signature"},
		Bodies:  [2][]byte{paid, refunded},
	})
}

func readmeRecorder(mux *http.ServeMux, guard *middleware.Guard, handler http.Handler) {
	recorder, err := record.New("/var/lib/shop/webhooks", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer recorder.Close()
	mux.Handle("POST /hooks/stripe", recorder.Handler(guard.Handler(handler)))
}

func readmeTyped(mux *http.ServeMux, guard *middleware.Guard, e *echo.Echo,
	ship func(context.Context, stripeevent.Event) error, build func(context.Context, *githubevent.PushEvent) error) {
	mux.Handle("POST /hooks/stripe", guard.Handler(stripeevent.Handler(func(ctx context.Context, e stripeevent.Event) error {
		switch e.Type {
		case "invoice.paid":
			return ship(ctx, e)
		}
		return nil
	})))

	e.POST("/hooks/github", githubevent.EchoHandler[echo.Context](func(ctx context.Context, event any) error {
		if push, ok := event.(*githubevent.PushEvent); ok {
			return build(ctx, push)
		}
		return nil
	}), echomw.Protect(github.Must(os.Getenv("GITHUB_WEBHOOK_SECRET"))))
}

var _ = []any{readmeNetHTTP, readmeChi, readmeEcho, readmeSenders, readmePayPal, readmeHandler, readmeGuard, readmeVerify, readmeCaptures, readmeRecorder, readmeTyped}

// flat folds white space, so that indentation does not count.
func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestREADME(t *testing.T) {
	inCheckout(t)
	t.Run("its code is compiled", func(t *testing.T) {
		readme, err := os.ReadFile("../README.md")
		if err != nil {
			t.Fatal(err)
		}
		var source string
		for _, name := range []string{"readme_test.go", "fleet/readme_test.go", "inbox/readme_test.go"} {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			source += string(text)
		}
		blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
		if len(blocks) < 6 {
			t.Fatalf("README.md has %d blocks of Go, want at least 6", len(blocks))
		}
		for _, b := range blocks {
			if !strings.Contains(flat(source), flat(b[1])) {
				t.Errorf("this code of README.md stands in no readme_test.go:\n%s", b[1])
			}
		}
	})

	t.Run("its commands are run by CI", func(t *testing.T) {
		readme, err := os.ReadFile("../README.md")
		if err != nil {
			t.Fatal(err)
		}
		script, err := os.ReadFile("../.ci/run")
		if err != nil {
			t.Fatal(err)
		}
		// The tests of the guides walk through the section about the gateway.
		before, rest, found := strings.Cut(string(readme), "\n## In front of other languages\n")
		_, after, ended := strings.Cut(rest, "\n## ")
		if !found || !ended {
			t.Fatal("README.md has no section about the gateway")
		}
		blocks := regexp.MustCompile("(?s)```sh\n(.*?)\n```").FindAllStringSubmatch(before+after, -1)
		if len(blocks) < 2 {
			t.Fatalf("README.md has %d commands, want at least 2", len(blocks))
		}
		lines := regexp.MustCompile(`\s+`).ReplaceAllString(string(script), " ")
		for _, b := range blocks {
			command := strings.ReplaceAll(b[1], "go test ", "go test -count=1 ")
			if !strings.Contains(lines, command) {
				t.Errorf(".ci/run does not run %q", command)
			}
		}
	})

	t.Run("its wiring check passes", func(t *testing.T) {
		const secret = "whsec_readme0123456789abcdef"
		logger := slog.Default()
		slog.SetDefault(slog.New(slog.DiscardHandler))
		t.Cleanup(func() { slog.SetDefault(logger) })
		paid, refunded := []byte(`{"id":"evt_1","type":"invoice.paid"}`), []byte(`{"id":"evt_2","type":"charge.refunded"}`)
		readmeWiring(t, func() http.Handler {
			mux := http.NewServeMux()
			t.Setenv("STRIPE_WEBHOOK_SECRET", secret)
			readmeNetHTTP(mux, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			return mux
		}, secret, paid, refunded)
	})

	// Runs the commands of README.md behind "$" in a
	// folder with the files that they name.
	t.Run("its sessions print what they say", func(t *testing.T) {
		readme, err := os.ReadFile("../README.md")
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		tool := filepath.Join(dir, "hooknotary")
		build := exec.Command("go", "-C", "../cmd", "build", "-o", tool, "./hooknotary")
		build.Env = append(os.Environ(), "GOWORK=") // this test may run without it
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
		const secret = "whsec_readme0123456789abcdef"
		at := time.Date(2026, 3, 1, 9, 30, 12, 0, time.UTC)
		body := []byte(`{"id":"evt_1","type":"invoice.paid"}`)
		c := capture.New(stripetest.NewRequest("/hooks/stripe", at, body, secret), append(body, '\n'), at)
		if err := c.WriteFile(filepath.Join(dir, "invoice.http")); err != nil {
			t.Fatal(err)
		}
		sessions := regexp.MustCompile("(?s)```console\n\\$ (hooknotary [^\n]*)\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
		if len(sessions) == 0 {
			t.Fatal("README.md shows no session")
		}
		for _, s := range sessions {
			cmd := exec.Command(tool, strings.Fields(s[1])[1:]...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "STRIPE_WEBHOOK_SECRET="+secret)
			out, err := cmd.CombinedOutput()
			if e := (*exec.ExitError)(nil); err != nil && !(errors.As(err, &e) && e.ExitCode() == 1) {
				t.Fatalf("%s: %v\n%s", s[1], err, out)
			}
			if got, want := flat(string(out)), flat(s[2]); got != want {
				t.Errorf("%s prints\n%s\nand README.md says\n%s", s[1], got, want)
			}
		}
	})
}

func TestLinks(t *testing.T) {
	inCheckout(t)
	t.Run("the files to which documents link exist", func(t *testing.T) {
		code := regexp.MustCompile("(?s)```.*?```")
		link := regexp.MustCompile(`\]\(([^)#]+)\)`)
		for _, name := range []string{"README.md", "SECURITY.md"} {
			text, err := fs.ReadFile(os.DirFS(".."), name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
				if strings.Contains(m[1], "://") {
					continue
				}
				if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
					t.Errorf("%s links to %s, which is not there", name, m[1])
				}
			}
		}
	})
}
