package rawtest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// answer is what the receiver says. Nothing of it but its status may reach a sender.
const answer = "HTTP/1.1 200 OK\r\nServer: leaked\r\nX-Leaked: leaked\r\nContent-Length: 6\r\n\r\nleaked"

// receiver stands behind the gateway. It keeps every byte that comes, and believes of HTTP
// only what has one meaning: a head up to an empty line, a Content-Length, and a body.
type receiver struct {
	listener net.Listener

	mu   sync.Mutex
	seen []arrival
}

// arrival is one request, or what came in its place.
type arrival struct {
	head, body string
	problem    string // why it is no request
}

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	r := &receiver{listener: l}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(conn)
		}
	}()
	return r
}

func (r *receiver) addr() string { return r.listener.Addr().String() }

// take returns what has come since it was called last.
func (r *receiver) take() []arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.seen
	r.seen = nil
	return all
}

func (r *receiver) note(a arrival) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, a)
}

func (r *receiver) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		a, ok := read(in)
		if !ok {
			return
		}
		r.note(a)
		if a.problem != "" {
			return
		}
		if _, err := io.WriteString(conn, answer); err != nil {
			return
		}
	}
}

var lengthLine = regexp.MustCompile(`(?m)^Content-Length: ([0-9]+)\r$`)

// read reads one request. It is false at the end of the connection.
func read(in *bufio.Reader) (a arrival, ok bool) {
	var head strings.Builder
	for !strings.HasSuffix(head.String(), "\r\n\r\n") {
		b, err := in.ReadByte()
		if err != nil {
			if head.Len() == 0 {
				return a, false
			}
			return arrival{head: head.String(), problem: "the head has no end"}, true
		}
		head.WriteByte(b)
	}
	a.head = head.String()
	lengths := lengthLine.FindAllStringSubmatch(a.head, -1)
	if len(lengths) != 1 {
		a.problem = fmt.Sprintf("%d lines with a Content-Length", len(lengths))
		return a, true
	}
	n, err := strconv.Atoi(lengths[0][1])
	if err != nil || n > 32<<20 {
		a.problem = "the Content-Length is no length"
		return a, true
	}
	body := make([]byte, n)
	if n, err := io.ReadFull(in, body); err != nil {
		a.problem = fmt.Sprintf("the body ends after %d bytes", n)
	}
	a.body = string(body)
	return a, true
}

// identity are the headers that the gateway sets, and what they look like.
var identity = map[string]*regexp.Regexp{
	"Hooknotary-Route":       regexp.MustCompile(`^(stripe|default)$`),
	"Hooknotary-Provider":    regexp.MustCompile(`^stripe$`),
	"Hooknotary-Scope":       regexp.MustCompile(`^default$`),
	"Hooknotary-Key-Label":   regexp.MustCompile(`^[A-Za-z0-9._-]+$`),
	"Hooknotary-Event-Key":   regexp.MustCompile(`^[0-9a-f]{64}$`),
	"Hooknotary-Signed-At":   regexp.MustCompile(`^[0-9TZ:.-]+$`),
	"Hooknotary-Received-At": regexp.MustCompile(`^[0-9TZ:.-]+$`),
	"Hooknotary-Binding":     regexp.MustCompile(`^full$`),
	"Hooknotary-Delivery":    regexp.MustCompile(`^[0-9a-f]{16}$`),
}

// wrong says what of a request is not as the gateway writes it for a delivery.
func (a arrival) wrong(d delivery, addr string) (problems []string) {
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if a.problem != "" {
		wrong("no request: %s", a.problem)
	}
	if a.body != d.body {
		wrong("the body has %d bytes, and they are not the %d that were verified", len(a.body), len(d.body))
	}
	lines := strings.Split(strings.TrimSuffix(a.head, "\r\n\r\n"), "\r\n")
	if lines[0] != "POST /receiver HTTP/1.1" {
		wrong("the request line is %.80q", lines[0])
	}
	want := map[string]string{
		"Host":                addr,
		"Content-Length":      strconv.Itoa(len(d.body)),
		"Content-Type":        d.mediaType,
		"Stripe-Signature":    d.signature,
		"Hooknotary-Event-Id": d.event,
	}
	if d.mediaType == "" {
		delete(want, "Content-Type")
	}
	if d.event == "" {
		delete(want, "Hooknotary-Event-Id")
	}
	got := make(map[string]bool)
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ": ")
		exact, fixed := want[name]
		form, ours := identity[name]
		switch {
		case !ok || !fixed && !ours:
			wrong("the line %.80q", line)
		case got[name]:
			wrong("a second line %.80q", line)
		case fixed && value != exact:
			wrong("%s is %.80q, want %.80q", name, value, exact)
		case ours && !form.MatchString(value):
			wrong("%s is %.80q", name, value)
		}
		got[name] = true
	}
	for name := range want {
		if !got[name] {
			wrong("there is no %s", name)
		}
	}
	for name := range identity {
		if !got[name] {
			wrong("there is no %s", name)
		}
	}
	if at := strings.Index(a.head, "smuggled"); at >= 0 {
		wrong("what the sender smuggled is at %.80q", a.head[max(0, at-20):])
	}
	slices.Sort(problems)
	return problems
}

// patience is how long a test waits for what must come.
const patience = 20 * time.Second
