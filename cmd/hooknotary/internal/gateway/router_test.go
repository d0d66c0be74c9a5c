package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/gateway"
	"github.com/hooknotary/hooknotary/verify/replay"
)

func TestRouter(t *testing.T) {
	up := newReceiver(t, nil)
	g, _ := newGateway(t, newConfig(
		newRoute(t, "root", "/", up.URL),
		newRoute(t, "billing", "/hooks/stripe", up.URL),
		newRoute(t, "tenants", "/hooks/stripe/{tenant}", up.URL),
		newRoute(t, "middle", "/t/{tenant}/stripe", up.URL),
		newRoute(t, "beside", "/t/{tenant}/{kind}/x", up.URL),
		newRoute(t, "fixed", "/t/acme/github", up.URL),
		newRoute(t, "plain", "/a.b_c~d-e/0", up.URL),
	), nil)
	server := httptest.NewServer(g)
	defer server.Close()

	// status returns the status of a request whose target is sent as it stands. A
	// route answers an unsigned one with 401.
	status := func(t *testing.T, target string) int {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: hooks.example\r\nContent-Length: 2\r\n\r\n{}", target)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode
	}
	longest := strings.Repeat("x", 64)
	for _, target := range []string{
		"/", "/?x=1",
		"/hooks/stripe", "/hooks/stripe?a=b%2Fc", "/hooks/stripe?//", "/hooks/stripe?",
		"http://hooks.example/hooks/stripe",
		"/hooks/stripe/acme", "/hooks/stripe/A", "/hooks/stripe/0", "/hooks/stripe/a.b", "/hooks/stripe/a_-.", "/hooks/stripe/" + longest,
		"/t/acme/stripe", "/t/other/stripe", "/t/acme/github", "/t/acme/any/x", "/t/acme/stripe/x", "/t/acme/github/x",
		"/a.b_c~d-e/0",
	} {
		t.Run("a route has "+target, func(t *testing.T) {
			if got := status(t, target); got != 401 {
				t.Errorf("status %d, want 401", got)
			}
		})
	}
	for _, target := range []string{
		"//", "/x", "*", "/%2F", "/.", "/..",
		"/hooks", "/hooks/", "/hooks/stripe/", "/hooks//stripe", "//hooks/stripe", "/hooks/stripe//",
		"/hooks%2Fstripe", "/hooks%2fstripe", "/hooks/strip%65", "/%68ooks/stripe", "/hooks/stripe%00", "/hooks/stripe%20", "/hooks/stripe%3F", "/hooks/stripe%23",
		"/hooks/./stripe", "/hooks/../hooks/stripe", "/hooks/stripe/.", "/hooks/stripe/..", "/./hooks/stripe", "/hooks/x/../stripe", "/hooks/%2e/stripe",
		"/Hooks/stripe", "/hooks/STRIPE", "/hooks/stripe;x=1", "/hooks/stripe;", "/hooks/stripe#x", `/hooks\stripe`, "/hooks/stripe,", "/hooks/stripe&x",
		"/hooks/stripe/.a", "/hooks/stripe/-a", "/hooks/stripe/_a", "/hooks/stripe/a%2Fb", "/hooks/stripe/a%62", "/hooks/stripe/a/b", "/hooks/stripe/a@b", "/hooks/stripe/a:b", "/hooks/stripe/ä", "/hooks/stripe/%C3%A4",
		"/hooks/stripe/" + longest + "x",
		"http://hooks.example//hooks/stripe", "http://hooks.example/hooks%2Fstripe", "http://hooks.example/hooks",
		"/t//stripe", "/t/acme", "/t/acme/other", "/t/acme/a/b", "/t/acme/a/x/",
	} {
		t.Run("no route has "+target, func(t *testing.T) {
			if got := status(t, target); got != 404 {
				t.Errorf("status %d, want 404", got)
			}
		})
	}
	t.Run("a segment reaches the upstream's URL under its name", func(t *testing.T) {
		own, _ := newGateway(t, newConfig(newRoute(t, "middle", "/t/{tenant}/{kind}", up.URL+"/run/{kind}")), nil)
		before := up.count()
		send(t, own, delivery("/t/acme/invoice.v2", "evt_segment"), 200)
		if up.count() != before+1 {
			t.Fatal("the upstream got nothing")
		}
		if got := up.requests[before].URL.Path; got != "/run/invoice.v2" {
			t.Errorf("the upstream got %s", got)
		}
	})
}

func TestRouterRefusesPatterns(t *testing.T) {
	for _, path := range []string{"", "hooks", "//", "/hooks/", "/hooks//x", "/hooks/./x", "/hooks/../x", "/hooks/%41", "/hooks/{", "/hooks/{}", "/hooks/{a}b", "/hooks/{a-b}", "/hooks/a b", "/hooks/ä", "/hooks/*", "/{a...}"} {
		t.Run(path, func(t *testing.T) {
			_, err := gateway.New(newConfig(newRoute(t, "billing", path, "http://127.0.0.1:1")), gateway.Options{Store: replay.NewMemory(nil)})
			if err == nil {
				t.Error("it is taken")
			}
		})
	}
	t.Run("that of another route", func(t *testing.T) {
		for _, other := range []string{"/hooks/{tenant}", "/hooks/{name}"} {
			_, err := gateway.New(newConfig(newRoute(t, "a", "/hooks/{tenant}", "http://127.0.0.1:1"), newRoute(t, "b", other, "http://127.0.0.1:1")), gateway.Options{Store: replay.NewMemory(nil)})
			if err == nil {
				t.Errorf("%s is taken", other)
			}
		}
	})
}

// unread fails a test in which it is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestAnswer(t *testing.T) {
	up := newReceiver(t, nil)
	hosted := newRoute(t, "hosted", "/hosted", up.URL)
	hosted.Hosts = []string{"hooks.example", "::1"}
	g, _ := newGateway(t, newConfig(newRoute(t, "billing", "/hooks/stripe", up.URL), hosted), nil)

	for _, c := range []struct {
		name, path, host string
		status           int
		body             string
	}{
		{"a path that no route has", "/other", "hooks.example", 404, `{"type":"about:blank","title":"Not Found","status":404}`},
		{"a host that the route does not serve", "/hosted", "other.example", 421, `{"type":"about:blank","title":"Misdirected Request","status":421}`},
	} {
		t.Run(c.name+" is answered with fixed bytes, before the body", func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, c.path, unread{t})
			r.Host = c.host
			res := send(t, g, r, c.status)
			if got := bodyOf(t, res); got != c.body {
				t.Errorf("body %s", got)
			}
			want := http.Header{"Content-Type": {"application/problem+json"}, "Content-Length": {fmt.Sprint(len(c.body))}, "Connection": {"close"}}
			if got := res.Header; fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("header %v, want %v", got, want)
			}
		})
	}
	for _, host := range []string{"hooks.example", "HOOKS.Example", "hooks.example:8443", "hooks.example.", "[::1]:80", "[::1]"} {
		t.Run("the route serves "+host, func(t *testing.T) {
			r := delivery("/hosted", "evt_"+host)
			r.Host = host
			send(t, g, r, 200)
		})
	}
	for _, host := range []string{"", "hooks.example.evil", "evil.hooks.example", "hooks.example:x:y", "hooks.example@evil"} {
		t.Run("the route does not serve "+host, func(t *testing.T) {
			r := delivery("/hosted", "evt_"+host)
			r.Host = host
			send(t, g, r, 421)
		})
	}
	t.Run("a route without hosts serves any", func(t *testing.T) {
		r := delivery("/hooks/stripe", "evt_any")
		r.Host = "other.example"
		send(t, g, r, 200)
	})
	t.Run("a path is looked for before a host", func(t *testing.T) {
		r := delivery("/other", "evt_other")
		r.Host = "other.example"
		send(t, g, r, 404)
	})
}
