package examples_test

import (
	"context"
	"io/fs"
	"log"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/echomw"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// The functions below are the code of README.md, compiled. The test compares.

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

var _ = []any{readmeNetHTTP, readmeChi, readmeEcho, readmePayPal, readmeHandler, readmeGuard, readmeVerify}

// flat folds white space, so that indentation does not count.
func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestCodeInREADMEIsCompiled(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) < 6 {
		t.Fatalf("README.md has %d blocks of Go, want at least 6", len(blocks))
	}
	for _, b := range blocks {
		if !strings.Contains(flat(string(source)), flat(b[1])) {
			t.Errorf("this code of README.md stands in no function of readme_test.go:\n%s", b[1])
		}
	}
}

func TestCommandsInREADMEAreRunByCI(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("../.ci/run")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)\n```").FindAllStringSubmatch(string(readme), -1)
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
}

func TestFilesThatDocumentsLinkToExist(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)\)`)
	for _, name := range []string{"README.md", "SECURITY.md"} {
		text, err := fs.ReadFile(os.DirFS(".."), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			}
		}
	}
}
