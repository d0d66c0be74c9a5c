//go:build unix

package guides_test

import (
	"crypto/subtle"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/github/githubtest"
)

const githubSecret = "correct horse battery staple 4711"

// jenkins stands for Jenkins with the Generic Webhook Trigger and one job that asks for a
// token. As the plugin does, it takes the token of the query before that of a header, answers
// 404 where no job has it, and 200 once a build is in the queue.
type jenkins struct {
	token func() string

	mu     sync.Mutex
	builds []string // the bodies
	events []string // their X-GitHub-Event
	down   bool     // it answers 500
}

func (j *jenkins) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	given := r.Header.Get("token")
	if r.URL.Query().Has("token") {
		given = r.URL.Query().Get("token")
	}
	if r.URL.Path != "/generic-webhook-trigger/invoke" || subtle.ConstantTimeCompare([]byte(given), []byte(j.token())) != 1 {
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"jobs":null,"message":"Did not find any jobs with GenericTrigger configured!"}`)
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.down {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	j.builds = append(j.builds, string(body))
	j.events = append(j.events, r.Header.Get("X-GitHub-Event"))
	io.WriteString(w, `{"jobs":{"deploy":{"triggered":true}},"message":"Triggered jobs."}`)
}

// serveOn serves on a port of loopback until the test ends.
func serveOn(t *testing.T, port string, h http.Handler) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
}

func TestJenkins(t *testing.T) {
	need(t, "openssl", "curl")
	w := newWalk(t, "jenkins.md", "8080", "8443")
	w.env = append(w.env, "GITHUB_WEBHOOK_SECRET="+githubSecret)
	receiver := &jenkins{token: func() string {
		text, err := os.ReadFile(w.dir + "/secrets/jenkins")
		if err != nil {
			t.Error(err)
		}
		return strings.TrimSpace(string(text))
	}}
	serveOn(t, w.here("8080"), receiver)
	w.run()
	url := w.here("http://127.0.0.1:8443/hooks/github/")

	push := `{"ref":"refs/heads/main","after":"1111111111111111111111111111111111111111"}`
	signed := githubtest.Header("push", []byte(push), githubSecret)
	if got := send(t, url+"acme?token=guessed&jobQuietPeriod=9999", signed.Clone(), push); got != 200 {
		t.Errorf("a push is answered with %d", got)
	}
	for name, status := range map[string]int{
		"its replay":              send(t, url+"acme", signed.Clone(), push),
		"a forged push":           send(t, url+"acme", signed.Clone(), push+" "),
		"a push of nobody's":      send(t, url+"nobody", signed.Clone(), push),
		"a push at a file's path": send(t, url+"..%2Fsecrets%2Fjenkins", signed.Clone(), push),
	} {
		if status/100 != 4 {
			t.Errorf("%s is answered with %d", name, status)
		}
	}

	t.Run("what Jenkins did not take can be redelivered, and is kept", func(t *testing.T) {
		push := strings.ReplaceAll(push, "1", "2")
		signed := githubtest.Header("push", []byte(push), githubSecret)
		setDown := func(down bool) {
			receiver.mu.Lock()
			receiver.down = down
			receiver.mu.Unlock()
		}
		setDown(true)
		if got := send(t, url+"acme", signed.Clone(), push); got != http.StatusBadGateway {
			t.Errorf("it is answered with %d", got)
		}
		setDown(false)
		eventually(t, "the failed delivery is in the folder", func() bool {
			files, err := os.ReadDir(w.dir + "/failed")
			return err == nil && len(files) > 0
		})
		if got := send(t, url+"acme", signed.Clone(), push); got != 200 {
			t.Errorf("its redelivery is answered with %d", got)
		}
	})

	t.Run("a new secret of a tenant", func(t *testing.T) {
		const next = "a newer secret of twenty bytes"
		text, err := os.ReadFile(w.dir + "/tenants/acme")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(w.dir+"/tenants/acme", append([]byte("2027-05 "+next+"\n"), text...), 0o600); err != nil {
			t.Fatal(err)
		}
		// A delivery of its own for each try, so that no try is a replay.
		n := 0
		eventually(t, "the new secret is good", func() bool {
			n++
			push := `{"ref":"refs/heads/main","n":` + strings.Repeat("3", n) + `}`
			time.Sleep(100 * time.Millisecond)
			return send(t, url+"acme", githubtest.Header("push", []byte(push), next), push) == 200
		})
		old := `{"ref":"refs/heads/main","after":"4444"}`
		if got := send(t, url+"acme", githubtest.Header("push", []byte(old), githubSecret), old); got != 200 {
			t.Errorf("a push under the old secret is answered with %d", got)
		}
	})

	receiver.mu.Lock()
	defer receiver.mu.Unlock()
	// The page's, the first push, the redelivered one, and one for each secret.
	if len(receiver.builds) != 5 {
		t.Errorf("Jenkins built %d times: %q", len(receiver.builds), receiver.builds)
	}
	for i, event := range receiver.events {
		if event != "push" {
			t.Errorf("build %d has the event %q", i, event)
		}
	}
}
