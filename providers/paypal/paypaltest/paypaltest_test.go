package paypaltest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/verify"
)

const webhookID = "8PT597110X687430L"

var (
	at   = time.Date(2026, 3, 14, 9, 26, 53, 999, time.FixedZone("", 3600))
	body = []byte(`{"id":"WH-58D329510W468432D-8HN650336L201105X"}`)
)

func newVerifier(t *testing.T, id string, o paypal.Options) *paypal.Verifier {
	t.Helper()
	v, err := paypal.New(id, &o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func check(v *paypal.Verifier, h http.Header, receivedAt time.Time) (*verify.Delivery, error) {
	return verify.Verify(context.Background(), v, &verify.Head{Header: h, ReceivedAt: receivedAt}, body)
}

func TestNewRequest(t *testing.T) {
	t.Run("a delivery verifies, and only in its own world", func(t *testing.T) {
		live, sandbox, other := paypaltest.New(webhookID), paypaltest.NewSandbox(webhookID), paypaltest.New("8PT597110X687430M")
		v := newVerifier(t, webhookID, paypal.Options{Transport: live, Roots: live.Roots()})
		s := newVerifier(t, webhookID, paypal.Options{Transport: sandbox, Roots: sandbox.Roots(), Sandbox: true})
		d, err := check(v, live.Header(at, body), at)
		if err != nil {
			t.Fatal(err)
		}
		if !d.SignedAt.Equal(at.Truncate(time.Second)) || d.ID != "WH-58D329510W468432D-8HN650336L201105X" || !strings.HasSuffix(live.CertURL(), "/"+d.KeyLabel) {
			t.Errorf("Delivery is %+v", d)
		}
		if _, err := check(s, sandbox.Header(at, body), at); err != nil {
			t.Errorf("sandbox: %v", err)
		}
		if want := []string{live.CertURL(), "http://cacerts.digicert.com/HooknotaryTestIssuer.crt"}; !slices.Equal(live.Fetched(), want) {
			t.Errorf("what was fetched is %q, want %q", live.Fetched(), want)
		}
		for what, err := range map[string]error{
			"sandbox against live":                    second(check(v, sandbox.Header(at, body), at)),
			"live against sandbox":                    second(check(s, live.Header(at, body), at)),
			"another PayPal's":                        second(check(v, other.Header(at, body), at)),
			"another PayPal's for the same roots":     second(check(newVerifier(t, webhookID, paypal.Options{Transport: other, Roots: other.Roots()}), other.Header(at, body), at)),
			"without its roots":                       second(check(newVerifier(t, webhookID, paypal.Options{Transport: live}), live.Header(at, body), at)),
			"another body's":                          second(check(v, live.Header(at, body[1:]), at)),
			"too old":                                 second(check(v, live.Header(at, body), at.AddDate(0, 0, 4))),
			"with the name of a header in lower case": second(check(v, http.Header{"paypal-transmission-sig": {"x"}}, at)),
		} {
			if err == nil {
				t.Errorf("%s: accepted", what)
			}
		}
	})

	t.Run("a delivery of any year verifies", func(t *testing.T) {
		pp := paypaltest.New(webhookID)
		v := newVerifier(t, webhookID, paypal.Options{Transport: pp, Roots: pp.Roots()})
		for _, year := range []int{2001, 2015, 2026, 2050, 2106} {
			at := time.Date(year, 12, 31, 23, 59, 59, 0, time.UTC)
			if _, err := check(v, pp.Header(at, body), at); err != nil {
				t.Errorf("%d: %v", year, err)
			}
		}
	})

	t.Run("each transmission has its own id, also at once", func(t *testing.T) {
		pp := paypaltest.New(webhookID)
		v := newVerifier(t, webhookID, paypal.Options{Transport: pp, Roots: pp.Roots()})
		var mu sync.Mutex
		ids := make(map[string]bool)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				d, err := check(v, pp.Header(at, body), at)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				ids[d.MessageID] = true
			})
		}
		all.Wait()
		if len(ids) != 20 {
			t.Errorf("20 transmissions have %d ids", len(ids))
		}
		if n := len(pp.Fetched()); n != 2 {
			t.Errorf("%d files were fetched, want 2", n)
		}
	})

	t.Run("a request goes through a guard and over a socket", func(t *testing.T) {
		pp := paypaltest.New(webhookID)
		v := newVerifier(t, webhookID, paypal.Options{Transport: pp, Roots: pp.Roots()})
		handler := middleware.Protect(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got, err := io.ReadAll(r.Body)
			if err != nil || string(got) != string(body) {
				t.Errorf("the body is %q: %v", got, err)
			}
			w.WriteHeader(http.StatusAccepted)
		}))
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, pp.NewRequest("https://shop.example/hooks/paypal", time.Now(), body))
		if w.Code != http.StatusAccepted {
			t.Errorf("answered %d", w.Code)
		}
		server := httptest.NewServer(handler)
		defer server.Close()
		// The same event again, in another transmission.
		res, err := http.DefaultClient.Do(pp.NewRequest(server.URL, time.Now(), body))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK || res.Header.Get("Webhook-Duplicate") != "1" {
			t.Errorf("the event again is answered %d", res.StatusCode)
		}
		defer func() {
			if recover() == nil {
				t.Error("a URL that does not parse causes no panic")
			}
		}()
		pp.NewRequest("http://[", time.Now(), body)
	})
}

func second(_ *verify.Delivery, err error) error { return err }

func TestTransport(t *testing.T) {
	t.Run("only its own files are served", func(t *testing.T) {
		pp := paypaltest.New(webhookID)
		client := &http.Client{Transport: pp}
		for url, want := range map[string]int{pp.CertURL(): 200, pp.CertURL() + "x": 404, "https://www.paypal.com/": 404} {
			res, err := client.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || res.StatusCode != want || (len(content) > 0) != (want == 200) {
				t.Errorf("%s: %d, %d bytes, %v", url, res.StatusCode, len(content), err)
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, pp.CertURL(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pp.RoundTrip(r); err == nil {
			t.Error("a request that has ended is served")
		}
		if n := len(pp.Fetched()); n != 3 {
			t.Errorf("%d requests are noted, want 3", n)
		}
	})
}
