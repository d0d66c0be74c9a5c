package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/verify"
)

// Handler guards a route and hands what was verified to its upstream. Make one with New. It
// is safe for concurrent use.
type Handler struct {
	guard   *middleware.Guard
	guarded http.Handler
	up      upstream
	opts    Options
	client  client
	most    int64 // bytes of a body
	route   string

	fromSender  []string        // names of headers
	taken       map[string]bool // folded names of headers that a request may have
	secretQuery []string

	// Closures, because nothing that prints can look inside one.
	own    func() []byte                           // the lines of Options.Header
	resign func(id, at string, body []byte) string // nil: not wanted
}

// New returns a handler that guards with g and hands what was verified to upstream, so that
// nothing else can pass it by mistake.
//
// The upstream is "http://host:port/path", "https://host/path" or
// "unix:/path/to.sock:/path", without user, query and fragment. One segment of its path may
// be "{name}": the value of that wildcard in the pattern of the http.ServeMux. A request
// whose value is not 1 to 64 letters, digits and "._-" that begin with a letter or a digit
// gets 404.
//
// A nil o is the zero Options. The error lists all mistakes, and holds no secret.
func New(g *middleware.Guard, upstream string, o *Options) (*Handler, error) {
	if g == nil {
		return nil, errors.New("forward: guard is nil; check the error that middleware.New returned")
	}
	h := &Handler{guard: g, route: escape(g.Endpoint())}
	if o != nil {
		h.opts = *o
	}
	up, err := parseUpstream(upstream)
	if err == nil {
		h.up = up
		err = h.configure()
	}
	if err != nil {
		return nil, fmt.Errorf("forward: endpoint %q: %w", g.Endpoint(), err)
	}
	profile := g.Verifier().Profile()
	h.most = profile.MaxBody
	h.client = client{up: &h.up, idleFor: h.opts.IdleTimeout}
	if profile.Retry == verify.RetryNever {
		h.client.idleFor = 0
	}
	if h.up.tls {
		h.client.tls = h.opts.TLS
	}
	h.guarded = g.Handler(http.HandlerFunc(h.forward))
	return h, nil
}

// ServeHTTP verifies a request, sends it to the upstream and answers with what that says.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, ok := h.up.target(r); !ok {
		if r.ProtoMajor == 1 {
			w.Header().Set("Connection", "close") // the body is not read
			http.NewResponseController(w).SetReadDeadline(time.Now().Add(hangUp))
		}
		problem(w, http.StatusNotFound)
		return
	}
	if h.opts.Observe != nil {
		late := new(any)
		r = r.WithContext(context.WithValue(r.Context(), panicKey{}, late))
		defer func() {
			if *late != nil {
				panic(*late)
			}
		}()
	}
	h.guarded.ServeHTTP(w, r)
}

// panicKey finds where a panic of an observer waits for the guard: it must not undo a
// success, or the event would run again.
type panicKey struct{}

func tell(ctx context.Context, done func(Report), report Report) {
	if late, _ := ctx.Value(panicKey{}).(*any); late != nil {
		defer func() { *late = recover() }()
	}
	done(report)
}

// hangUp is how long a sender may go on with a body that nobody reads.
const hangUp = 50 * time.Millisecond

// Close closes the connections to the upstream that are idle. Requests under way go on.
// Further requests are served, each over a connection of its own. It returns nil.
func (h *Handler) Close() error {
	h.client.close()
	return nil
}

// Format prints the endpoint's name, whatever the verb: a Handler holds secrets.
func (h *Handler) Format(s fmt.State, _ rune) {
	if h == nil || h.guard == nil {
		io.WriteString(s, "forward.Handler(none)")
		return
	}
	fmt.Fprintf(s, "forward.Handler(%q)", h.guard.Endpoint())
}

// forward is the handler behind the guard.
func (h *Handler) forward(w http.ResponseWriter, r *http.Request) {
	target, ok := h.up.target(r)
	if !ok { // ServeHTTP has looked, unless somebody changed the request
		problem(w, http.StatusNotFound)
		return
	}
	ctx := r.Context()
	d, verified := verify.FromContext(ctx)
	var body []byte
	if verified {
		body = d.Body
	} else if body, ok = h.unverified(w, r); !ok {
		return
	}

	m := h.start(r, target, len(body))
	var report Report
	done := func(Report) {}
	if verified {
		if err := h.identify(ctx, m, d); err != nil {
			report.Err = err
		}
	}
	if h.opts.Observe != nil {
		extra := make(http.Header)
		if f := h.opts.Observe(ctx, extra); f != nil {
			done = f
		}
		h.add(m, extra)
	}
	m.b = append(m.b, "\r\n"...)

	start := time.Now()
	var x *exchange
	if report.Err != nil {
		report.Sent = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "10")
	} else if x, report.Err = h.client.do(ctx, start.Add(h.opts.Timeout), m.b, body); report.Err != nil {
		report.Sent = http.StatusBadGateway
		if timedOut(report.Err) {
			report.Sent = http.StatusGatewayTimeout
		}
		var f *failure
		if errors.As(report.Err, &f) && f.written {
			middleware.KeepClaim(ctx) // the upstream may be at work on it
			report.ClaimKept = true
		}
	}
	report.Duration = time.Since(start)
	if x == nil {
		problem(w, report.Sent)
		tell(ctx, done, report)
		return
	}
	report.Status = x.response.StatusCode
	if h.succeeds(report.Status) {
		middleware.KeepClaim(ctx) // for an observer that ends its goroutine; the success is committed
	}
	report.Sent = h.answer(w, x)
	tell(ctx, done, report)
}

// timedOut reports whether an error says that a time was over.
func timedOut(err error) bool {
	var n net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}

// unverified reads the body of a request that a guard only reports. It returns false when
// it has sent a response instead.
func (h *Handler) unverified(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		problem(w, http.StatusMethodNotAllowed)
		return nil, false
	}
	if r.Body == nil {
		return nil, true
	}
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := io.ReadAll(io.LimitReader(r.Body, h.most+1))
	control.SetReadDeadline(time.Time{})
	switch {
	case err == nil && int64(len(body)) <= h.most:
		return body, true
	case err == nil:
		problem(w, http.StatusRequestEntityTooLarge)
	case errors.Is(err, os.ErrDeadlineExceeded):
		problem(w, http.StatusRequestTimeout)
	default:
		problem(w, http.StatusBadRequest)
	}
	return nil, false
}

// bodyTimeout is how long a body may take that a guard only reports.
const bodyTimeout = 10 * time.Second

// answer writes the response to the sender, ends the exchange and returns the status.
func (h *Handler) answer(w http.ResponseWriter, x *exchange) int {
	r := x.response
	status := r.StatusCode
	switch {
	case status/100 == 2:
	case h.succeeds(status):
		status = http.StatusOK
	default:
		x.finish()
		if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
			problem(w, http.StatusBadGateway)
			return http.StatusBadGateway
		}
		if after := retryAfter(r.Header["Retry-After"], time.Now()); after != "" {
			w.Header().Set("Retry-After", after)
		}
		problem(w, http.StatusServiceUnavailable)
		return http.StatusServiceUnavailable
	}
	x.succeed()
	var body []byte
	if h.opts.AnswerBody {
		body = wanted(r)
	}
	x.finish()
	w.Header()["Content-Type"] = nil // none is guessed
	if len(body) > 0 {
		if t := r.Header["Content-Type"]; len(t) == 1 && isValue(t[0]) {
			w.Header().Set("Content-Type", t[0])
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
	}
	w.WriteHeader(status)
	if len(body) > 0 {
		w.Write(body)
	}
	return status
}

// succeeds reports whether a status says that the receiver is done.
func (h *Handler) succeeds(status int) bool {
	return status/100 == 2 || slices.Contains(h.opts.Success, status)
}

// wanted returns the body of a success, or nil if it cannot be passed on.
func wanted(r *http.Response) []byte {
	encoding := strings.Join(r.Header["Content-Encoding"], ",")
	if r.ContentLength > maxBody || encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return nil
	}
	return body
}

// retryAfter returns the seconds of a Retry-After header, 1 to an hour's, or "" if it says
// nothing.
func retryAfter(values []string, now time.Time) string {
	if len(values) != 1 {
		return ""
	}
	text := strings.TrimSpace(values[0])
	seconds := math.Inf(1)
	if strings.Trim(text, "0123456789") != "" {
		at, err := http.ParseTime(text)
		if err != nil {
			return ""
		}
		seconds = math.Ceil(at.Sub(now).Seconds())
	} else if text == "" {
		return ""
	} else if n, err := strconv.Atoi(text); err == nil { // else it is out of range
		seconds = float64(n)
	}
	return strconv.Itoa(int(max(1, min(seconds, maxRetryAfter.Seconds()))))
}

// problem writes a response without a success. Its bytes depend on the status alone, and
// have the form of the guard's.
func problem(w http.ResponseWriter, status int) {
	body := fmt.Appendf(nil, `{"type":"about:blank","title":%q,"status":%d}`, http.StatusText(status), status)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}
