package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
)

// put writes a file below dir, and the folders on the way.
func put(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// fetch returns the status and the body of what answers a GET.
func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, res)
}

func read(t *testing.T, res *http.Response) (int, string) {
	t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// push sends a delivery of GitHub for a tenant, and returns the response with its body as it
// came.
func (s *served) push(t *testing.T, tenant, ref, secret string) (status int, head, body string) {
	t.Helper()
	r := githubtest.NewRequest(s.url+"/hooks/github/"+tenant, "push", fmt.Appendf(nil, `{"ref":%q,"after":"0d1a26e6"}`, ref), secret)
	r.RequestURI = ""
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	status, body = read(t, res)
	res.Header.Del("Date")
	return status, fmt.Sprint(res.Header), body
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for by := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(by) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// metric returns the value of a line of the scrape, or "".
func (s *served) metric(t *testing.T, name string) string {
	t.Helper()
	_, text := fetch(t, s.admin+"/metrics")
	m := regexp.MustCompile(`(?m)^` + name + `(?:\{[^}]*\})? (.*)$`).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
}

const listeners = `
listen: { address: "127.0.0.1:0" }
admin: { address: "127.0.0.1:0" }
telemetry: { metrics: true }
shutdown: { drain: 0s, grace: 5s }
store: { memory: {} }
`

func TestServeTenants(t *testing.T) {
	dir := t.TempDir()
	scopes := make(chan string, 100)
	in := newInbox(t, func(_ http.ResponseWriter, r *http.Request) { scopes <- r.Header.Get("Hooknotary-Scope") })
	put(t, dir, "tenants/acme", "new acme-secret-2-of-the-tests\nold acme-secret-1-of-the-tests\n")
	put(t, dir, "tenants/globex", "only globex-secret-of-the-tests\n")
	put(t, dir, "tenants/twin-a", "only twin-secret-of-the-tests\n")
	put(t, dir, "tenants/twin-b", "only twin-secret-of-the-tests\n")
	put(t, dir, "tenants/.hidden", "no tenant at all")
	file := put(t, dir, "hooknotary.yaml", listeners+`
routes:
  - { name: ci, path: "/hooks/github/{tenant}", provider: github, tenants: { folder: tenants }, upstream: { url: `+in.URL+` } }
`)
	s := start(t, nil, "--config", file, "--watch")
	for _, c := range []struct {
		name, tenant, secret string
		want                 int
	}{
		{"with its newest secret", "acme", "acme-secret-2-of-the-tests", 200},
		{"with its oldest secret", "acme", "acme-secret-1-of-the-tests", 200},
		{"another one", "globex", "globex-secret-of-the-tests", 200},
		{"with the secret of another one", "globex", "acme-secret-2-of-the-tests", 401},
		{"that shares its secret", "twin-a", "twin-secret-of-the-tests", 401},
		{"that shares its secret, the other one", "twin-b", "twin-secret-of-the-tests", 401},
		{"that is not there", "initech", "acme-secret-2-of-the-tests", 401},
		{"in other letters", "ACME", "acme-secret-2-of-the-tests", 401},
		{"with a hidden name", ".hidden", "tenant at all", 404},
	} {
		t.Run("a tenant "+c.name, func(t *testing.T) {
			if status, _, _ := s.push(t, c.tenant, c.name, c.secret); status != c.want {
				t.Fatalf("status %d, want %d: %s", status, c.want, s.Log())
			}
			if c.want == 200 {
				if got := <-scopes; got != c.tenant {
					t.Errorf("the receiver was told of %q", got)
				}
			}
		})
	}
	if in.count() != 3 {
		t.Errorf("the upstream got %d requests, want 3", in.count())
	}
	t.Run("an unknown tenant is answered as a wrong signature", func(t *testing.T) {
		status1, head1, body1 := s.push(t, "acme", "x", "some other secret of the tests")
		status2, head2, body2 := s.push(t, "initech", "x", "some other secret of the tests")
		status3, head3, body3 := s.push(t, "twin-a", "x", "twin-secret-of-the-tests")
		if status1 != status2 || head1 != head2 || body1 != body2 || status1 != status3 || head1 != head3 || body1 != body3 {
			t.Errorf("%d %s %s; %d %s %s; %d %s %s", status1, head1, body1, status2, head2, body2, status3, head3, body3)
		}
	})
	t.Run("the tenants that are off are counted, and logged", func(t *testing.T) {
		if got := s.metric(t, "hooknotary_config_faulty_tenants"); got != "2" {
			t.Errorf("faulty tenants: %q", got)
		}
		if !strings.Contains(s.Log(), `"tenant":"ci/twin-a"`) {
			t.Errorf("log: %s", s.Log())
		}
	})
	t.Run("a new tenant is taken without a word to the gateway", func(t *testing.T) {
		put(t, dir, "tenants/initech", "only initech-secret-of-the-tests\n")
		until(t, "the tenant is known", func() bool {
			status, _, _ := s.push(t, "initech", fmt.Sprint(time.Now().UnixNano()), "initech-secret-of-the-tests")
			return status == 200
		})
		put(t, dir, "tenants/twin-b", "only a-secret-of-its-own-of-the-tests\n")
		until(t, "the tenants are on", func() bool { return s.metric(t, "hooknotary_config_faulty_tenants") == "0" })
		if status, _, _ := s.push(t, "twin-a", "now", "twin-secret-of-the-tests"); status != 200 {
			t.Errorf("status %d", status)
		}
		if err := os.Remove(filepath.Join(dir, "tenants/initech")); err != nil {
			t.Fatal(err)
		}
		until(t, "the tenant is gone", func() bool {
			status, _, _ := s.push(t, "initech", fmt.Sprint(time.Now().UnixNano()), "initech-secret-of-the-tests")
			return status == 401
		})
	})
}

func TestServeReload(t *testing.T) {
	route := func(upstream string) string {
		return listeners + "routes:\n  - { name: billing, path: /hooks/stripe, provider: stripe, secret: file:secrets/stripe, upstream: { url: " + upstream + " } }\n"
	}
	t.Run("SIGHUP loads what changed, and a mistake changes nothing", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			t.Skip("Windows has no SIGHUP")
		}
		dir, in := t.TempDir(), newInbox(t, nil)
		put(t, dir, "secrets/stripe", stripeSecret+"\n")
		file := put(t, dir, "hooknotary.yaml", route(in.URL))
		s := start(t, nil, "--config", file)
		hup := func(reloads int) {
			t.Helper()
			if err := s.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			until(t, "it is loaded", func() bool { return strings.Count(s.Log(), `"msg":"configuration `) >= reloads })
		}
		want := func(id, secret string, status int) {
			t.Helper()
			if got := s.deliver(t, id, secret); got != status {
				t.Errorf("%s: status %d, want %d: %s", id, got, status, s.Log())
			}
		}
		want("evt_1", stripeSecret, 200)
		put(t, dir, "secrets/stripe", otherSecret+"\n")
		want("evt_2", stripeSecret, 200) // nobody said anything
		hup(1)
		want("evt_3", stripeSecret, 401)
		want("evt_4", otherSecret, 200)
		if got := s.metric(t, "hooknotary_config_last_reload_successful"); got != "1" {
			t.Errorf("last reload successful: %q", got)
		}
		for i, broken := range []func(){
			func() { put(t, dir, "secrets/stripe", "") },
			func() { os.Remove(filepath.Join(dir, "secrets/stripe")) },
			func() {
				put(t, dir, "secrets/stripe", stripeSecret)
				put(t, dir, "hooknotary.yaml", route(in.URL)[:200])
			},
			func() { put(t, dir, "hooknotary.yaml", "") },
			func() { put(t, dir, "hooknotary.yaml", route(in.URL)+"    "+stripeSecret+": 1\n") },
			func() { os.Remove(file) },
		} {
			broken()
			hup(2 + i)
			want(fmt.Sprint("evt_5", i), otherSecret, 200)
			if got := s.metric(t, "hooknotary_config_last_reload_successful"); got != "0" {
				t.Errorf("last reload successful: %q", got)
			}
		}
		put(t, dir, "hooknotary.yaml", route(in.URL))
		before := strings.Count(s.Log(), `"configuration loaded"`)
		if err := s.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		until(t, "it is loaded", func() bool { return strings.Count(s.Log(), `"configuration loaded"`) > before })
		want("evt_6", stripeSecret, 200)
		if got := s.metric(t, "hooknotary_config_last_reload_successful"); got != "1" {
			t.Errorf("last reload successful: %q", got)
		}
		if log := s.Log(); !strings.Contains(log, "hooknotary.yaml:") || strings.Contains(log, stripeSecret) || strings.Contains(log, otherSecret) {
			t.Errorf("the log has no line of the file, or a secret: %s", log)
		}
	})
	t.Run("what needs a restart is said, and the rest is taken", func(t *testing.T) {
		dir, in := t.TempDir(), newInbox(t, nil)
		put(t, dir, "secrets/stripe", stripeSecret)
		file := put(t, dir, "hooknotary.yaml", route(in.URL))
		s := start(t, nil, "--config", file, "--watch")
		put(t, dir, "secrets/stripe", otherSecret)
		put(t, dir, "hooknotary.yaml", strings.Replace(route(in.URL), "store: { memory: {} }", "store: { sqlite: store.db }", 1))
		until(t, "it is said", func() bool { return strings.Contains(s.Log(), `"parts":["store"]`) })
		if got := s.deliver(t, "evt_1", otherSecret); got != 200 {
			t.Errorf("status %d", got)
		}
		if _, err := os.Stat(filepath.Join(dir, "store.db")); err == nil {
			t.Error("the store was made")
		}
	})
	t.Run("a certificate under another name needs a restart, and holds up nothing else", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			t.Skip("Windows has no SIGHUP")
		}
		dir, l := t.TempDir(), newLeaks()
		cert, key := l.certificate(t, "a")
		put(t, dir, "a.crt", cert)
		put(t, dir, "a.key", key)
		text := strings.Replace(route("http://127.0.0.1:1"), "listen: {", "listen: { tls: { cert: a.crt, key: a.key },", 1)
		put(t, dir, "secrets/stripe", stripeSecret)
		s := start(t, nil, "--config", put(t, dir, "hooknotary.yaml", text))
		for _, name := range []string{".crt", ".key"} {
			if err := os.Rename(filepath.Join(dir, "a"+name), filepath.Join(dir, "b"+name)); err != nil {
				t.Fatal(err)
			}
		}
		put(t, dir, "hooknotary.yaml", strings.NewReplacer("a.crt", "b.crt", "a.key", "b.key").Replace(text))
		if err := s.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		until(t, "it was loaded, or not", func() bool { return strings.Contains(s.Log(), `"msg":"configuration `) })
		until(t, "the log names the listener", func() bool {
			return strings.Contains(s.Log(), `"parts":["listen"]`) || strings.Contains(s.Log(), "not loaded")
		})
		if strings.Contains(s.Log(), "not loaded") {
			t.Errorf("the log is %s", s.Log())
		}
	})
	t.Run("volumes of Kubernetes are swapped", func(t *testing.T) {
		dir, in := t.TempDir(), newInbox(t, nil)
		revision := 0
		// swap publishes a volume as the kubelet does: a new folder, a link that is renamed
		// over ..data, and the old folder removed.
		swap := func(volume, name, text string) {
			t.Helper()
			revision++
			folder := fmt.Sprintf("..2026_11_30_%d", revision)
			put(t, dir, filepath.Join(volume, folder, name), text)
			data := filepath.Join(dir, volume, "..data")
			old, _ := os.Readlink(data)
			if err := os.Symlink(folder, data+"_tmp"); err != nil {
				t.Skip("symbolic links: ", err)
			}
			if err := os.Rename(data+"_tmp", data); err != nil {
				t.Fatal(err)
			}
			if old == "" {
				if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, volume, name)); err != nil {
					t.Fatal(err)
				}
				return
			}
			os.RemoveAll(filepath.Join(dir, volume, old))
		}
		swap("secrets", "stripe", stripeSecret)
		text := strings.Replace(route(in.URL), "file:secrets", "file:../secrets", 1)
		swap("config", "hooknotary.yaml", text)
		s := start(t, nil, "--config", filepath.Join(dir, "config", "hooknotary.yaml"), "--watch")
		taken := func(path, secret string) {
			t.Helper()
			n := 0
			until(t, "the change is taken: "+path, func() bool {
				n++
				r := stripetest.NewRequest(s.url+path, time.Now(), fmt.Appendf(nil, `{"id":"evt_%d_%d"}`, revision, n), secret)
				r.RequestURI = ""
				res, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				return res.StatusCode == 200
			})
		}
		path := "/hooks/stripe"
		taken(path, stripeSecret)
		for i := range 2 {
			next := fmt.Sprint(otherSecret, i)
			swap("secrets", "stripe", next)
			taken(path, next)
			path = fmt.Sprint("/hooks/moved/", i)
			swap("config", "hooknotary.yaml", strings.Replace(text, "/hooks/stripe", path, 1))
			taken(path, next)
		}
	})
	t.Run("an upstream that is removed under load loses nothing that the new one does not get", func(t *testing.T) {
		dir := t.TempDir()
		old, next := newInbox(t, nil), newInbox(t, nil)
		put(t, dir, "secrets/stripe", stripeSecret)
		file := put(t, dir, "hooknotary.yaml", route(old.URL))
		s := start(t, nil, "--config", file, "--watch")
		// Senders retry what was not taken, anew signed, until it is.
		const senders, each = 8, 50
		done := make(chan error, senders)
		for w := range senders {
			go func() {
				for i := range each {
					id := fmt.Sprintf("evt_%d_%d", w, i)
					for by := time.Now().Add(patience); ; {
						status, err := s.try(id, stripeSecret)
						if status == 200 {
							break
						}
						if err != nil || status != 502 && status != 409 || time.Now().After(by) {
							done <- fmt.Errorf("%s: status %d, %v", id, status, err)
							return
						}
						time.Sleep(20 * time.Millisecond)
					}
				}
				done <- nil
			}()
		}
		until(t, "the load is there", func() bool { return old.count() > 50 })
		old.CloseClientConnections()
		old.Close()
		put(t, dir, "hooknotary.yaml", route(next.URL))
		for range senders {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		ran := make(map[string]int)
		for _, body := range append(old.bodies, next.bodies...) {
			ran[body]++
		}
		if len(ran) != senders*each {
			t.Errorf("%d events ran, want %d", len(ran), senders*each)
		}
		t.Logf("%d requests reached the old upstream, %d the new one, for %d events", old.count(), next.count(), len(ran))
	})
}
