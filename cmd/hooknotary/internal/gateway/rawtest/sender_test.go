package rawtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
)

const secret = "whsec_of_the_raw_battery"

// delivery is what is genuine in a case.
type delivery struct {
	event, body, mediaType, signature string
}

// deliver signs the n-th event. signed is what is signed in place of the body, or "".
func deliver(n int, body, signed string) delivery {
	d := delivery{event: fmt.Sprintf("evt_raw%d", n), mediaType: "application/json"}
	if body == "" {
		body = `{"id":"{event}","object":"event","type":"invoice.paid"}`
	}
	d.body = strings.ReplaceAll(body, "{event}", d.event)
	if signed == "" {
		signed = d.body
	}
	d.signature = stripetest.Header(time.Now(), []byte(signed), secret).Get("Stripe-Signature")
	return d
}

// expand makes bytes of the text of a case.
func (d delivery) expand(raw, addr string) string {
	var single strings.Builder
	for i := range len(d.body) {
		fmt.Fprintf(&single, "1\r\n%s\r\n", d.body[i:i+1])
	}
	hex := strconv.FormatInt(int64(len(d.body)), 16)
	pairs := []string{
		"\n", "\r\n", "<LF>", "\n", "<CR>", "\r", "<NUL>", "\x00", "<TAB>", "\t",
		"{path}", "/hooks/stripe", "{host}", addr,
		"{type}", "Content-Type: application/json", "{sig}", "Stripe-Signature: " + d.signature, "{value}", d.signature,
		"{len}", strconv.Itoa(len(d.body)), "{hex}", hex, "{HEX}", strings.ToUpper(hex),
		"{body}", d.body, "{chunks}", hex + "\r\n" + d.body + "\r\n0\r\n\r\n", "{bytes}", single.String(),
	}
	for b := range 256 {
		pairs = append(pairs, fmt.Sprintf("<%02x>", b), string([]byte{byte(b)}))
	}
	return strings.NewReplacer(pairs...).Replace(raw)
}

// exchange writes raw to a connection and returns the statuses of all responses, and what is
// wrong with them. It ends when the server has closed the connection, so that whatever the
// bytes caused has happened.
func exchange(addr, raw string, responses int) (statuses []string, problems []string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, []string{err.Error()}
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		io.WriteString(conn, raw) // the server may have enough before the end
	}()
	in := bufio.NewReader(conn)
	method, _, _ := strings.Cut(raw, " ")
	ended := false
	for {
		if len(statuses) >= responses && !ended {
			// It has said what it has to say. Where it waits for more, it gets no more.
			<-wrote
			conn.(*net.TCPConn).CloseWrite()
			ended = true
		}
		response, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				problems = append(problems, "the server neither answered nor closed")
			}
			break
		}
		body, err := io.ReadAll(response.Body)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			problems = append(problems, "the body of a response: "+err.Error())
		}
		if response.StatusCode != 100 {
			method = "" // of the next one
		}
		statuses = append(statuses, strconv.Itoa(response.StatusCode))
		problems = append(problems, leaks(response, string(body))...)
	}
	<-wrote
	return statuses, problems
}

// leaks says what a response tells of the receiver, or of the software.
func leaks(r *http.Response, body string) (problems []string) {
	allowed := []string{"Allow", "Accept", "Cache-Control", "Connection", "Content-Length", "Content-Type", "Date", "Retry-After", "Webhook-Duplicate", "Www-Authenticate", "X-Content-Type-Options", "Accept-Encoding"}
	for name, values := range r.Header {
		if !slices.Contains(allowed, name) {
			problems = append(problems, fmt.Sprintf("a response with the header %s: %.80q", name, values))
		}
	}
	if r.StatusCode == http.StatusOK && body != "" || len(body) > 200 || strings.Contains(body, "leaked") || strings.Contains(body, "smuggled") {
		problems = append(problems, fmt.Sprintf("a response with the body %.80q", body))
	}
	return problems
}
