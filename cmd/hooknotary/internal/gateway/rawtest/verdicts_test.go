package rawtest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify/replay"
)

var changing = regexp.MustCompile(`(?m)^(Date|Connection): .*\r\n`)

// say writes raw to a connection, and returns all that comes back, without its dates.
func say(t *testing.T, addr, raw string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	go io.WriteString(conn, raw)
	all, _ := io.ReadAll(conn) // a reset says that the server did not want the rest
	return changing.ReplaceAllString(string(all), "")
}

// TestVerdicts: a sender gets the same bytes from the gateway as from a guard in a program.
func TestVerdicts(t *testing.T) {
	guard, err := middleware.New("stripe", stripe.Must(secret), replay.NewMemory(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	program := httptest.NewServer(guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	t.Cleanup(program.Close)
	gateway := serve(t, newReceiver(t))

	body := func(n int) string { return fmt.Sprintf(`{"id":"evt_v%d","object":"event"}`, n) }
	request := func(method, head, body string) string {
		return method + " /hooks/stripe HTTP/1.1\r\nHost: hooks.example.com\r\nConnection: close\r\n" + head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body
	}
	sign := func(at time.Time, body, secret string) string {
		return "Content-Type: application/json\r\nStripe-Signature: " + stripetest.Header(at, []byte(body), secret).Get("Stripe-Signature") + "\r\n"
	}
	now := time.Now()
	genuine := request("POST", sign(now, body(1), secret), body(1))
	for _, test := range []struct {
		name, raw, status string
	}{
		{"a genuine delivery", genuine, "200"},
		{"the same bytes again", genuine, "409"},
		{"the same event, signed anew", request("POST", sign(now.Add(-time.Second), body(1), secret), body(1)), "200"},
		{"an unsigned one", request("POST", "Content-Type: application/json\r\n", body(2)), "401"},
		{"a signature that is none", request("POST", "Content-Type: application/json\r\nStripe-Signature: smuggled\r\n", body(2)), "401"},
		{"another secret", request("POST", sign(now, body(2), "whsec_of_somebody_else"), body(2)), "401"},
		{"another body", request("POST", sign(now, body(2), secret), body(3)), "401"},
		{"an old one", request("POST", sign(now.Add(-time.Hour), body(2), secret), body(2)), "401"},
		{"one of the future", request("POST", sign(now.Add(time.Hour), body(2), secret), body(2)), "401"},
		{"a GET", request("GET", sign(now, body(2), secret), body(2)), "405"},
		{"a PUT", request("PUT", sign(now, body(2), secret), body(2)), "405"},
		{"another media type", request("POST", strings.Replace(sign(now, body(2), secret), "application/json", "text/plain", 1), body(2)), "415"},
		{"an encoding", request("POST", sign(now, body(2), secret)+"Content-Encoding: gzip\r\n", body(2)), "415"},
		{"a body that is announced as too large", strings.Replace(request("POST", sign(now, body(2), secret), body(2)), "Content-Length: ", "Content-Length: 99999999", 1), "413"},
		{"a body that is no chunk", request("POST", sign(now, body(2), secret)+"Transfer-Encoding: chunked\r\n", body(2)+"\r\n"), "400"},
		{"and a genuine one behind all that", request("POST", sign(now, body(2), secret), body(2)), "200"},
	} {
		t.Run(test.name, func(t *testing.T) {
			want, got := say(t, program.Listener.Addr().String(), test.raw), say(t, gateway, test.raw)
			if !strings.HasPrefix(want, "HTTP/1.1 "+test.status+" ") {
				t.Errorf("the program says %q, want %s", want, test.status)
			}
			if got != want {
				t.Errorf("the gateway says %q, the program %q", got, want)
			}
		})
	}
}
