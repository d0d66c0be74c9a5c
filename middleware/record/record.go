package record

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
)

// Kinds is a set of what becomes of requests.
type Kinds uint8

const (
	// Refused: the guard refused the request, or acknowledged a repeat. The handler
	// did not run, unless the guard only reports.
	Refused Kinds = 1 << iota
	// Failed: the request was genuine and its handler failed.
	Failed
	// Handled: the request was genuine and its handler succeeded.
	Handled

	// Accepted: the request was genuine and the handler ran.
	Accepted = Failed | Handled
)

// Options holds what a recorder may choose. The zero value of each field, and a nil
// *Options, mean the default. New copies it.
type Options struct {
	// Kinds is what is recorded, "record.Refused | record.Failed". Default:
	// Refused.
	Kinds Kinds

	// MaxFiles is how many captures the folder holds at most. Half of them are for
	// refusals, half for the rest. First forgeries have as much again as one half,
	// beside these. The folder is listed before each one is written. Default: 1000;
	// at least 2.
	MaxFiles int

	// MaxBytes is how many bytes these have at most, divided in the same way; so
	// with first forgeries it is one and a half times as much. A capture that does
	// not fit into its part is not written. Default: 256 MiB, or eight times MaxBody
	// if that is more; more than twice MaxBody.
	MaxBytes int64

	// MaxBody is how many bytes of a body are recorded. A longer one is cut, and
	// its capture is inexact. Default: 1 MiB; at most 32 MiB.
	MaxBody int64

	// Drop names headers that are left out, in any spelling, beside those that hold
	// credentials. Without a header that the verifier reads, a capture does not
	// keep its expectation.
	Drop []string

	// Redact, if not nil, may change a capture before it is written; it owns it.
	// If it changes the body, the capture becomes inexact and is no longer expected
	// to verify. If it changes a header that the verifier reads, it has to change
	// Expect, too. What it panics on is not written. It is called for one capture
	// at a time, and not on the request's goroutine.
	Redact func(c *capture.Capture)

	// OnError, if not nil, is told what went wrong, 10 times a minute at most for
	// each part of the folder; no error holds a body or a header's value.
	// It is called on any goroutine but the request's. Default: slog.Error.
	OnError func(err error)
}

const (
	defaultFiles = 1000
	defaultBytes = 256 << 20
	defaultBody  = 1 << 20
	largestBody  = capture.MaxSize / 2 // so that the file can be read again

	refusedPerMinute = 30 // of each reason
	errorsPerMinute  = 10 // of each part

	leastMemory = 16 << 20 // for bodies under way, and for what waits in each part
	closeWait   = 5 * time.Second
)

var (
	errBusy   = errors.New("a capture was dropped: too many wait for the disk")
	errLate   = errors.New("a request was judged after the recorder had returned: nothing that does not wait, such as http.TimeoutHandler, may stand between recorder and guard")
	errInside = errors.New("a request was not recorded: the recorder stands within the guard and must stand around it")
)

// part is a part of the folder, with bounds of its own.
type part int

const (
	refusals part = iota // what anyone can cause
	genuine
	forgeries // the first one of each signed message
	parts
)

// Recorder writes what guards judged into a folder. Make one with [New]. It is safe
// for concurrent use.
type Recorder struct {
	opts   Options
	folder folder
	memory atomic.Int64 // left for bodies of requests under way
	queue  int64        // bytes that may wait in each part

	mu      sync.Mutex
	jobs    []job
	waiting [parts]int64  // bytes
	idle    chan struct{} // closed when nothing is left to be written; nil before the first
	running bool
	closed  bool
	refused [verify.ErrUnavailable + 1][2]window // by reason, and by whether the signature is good
	errors  [parts]window
}

// job is a capture that waits to be written.
type job struct {
	capture *capture.Capture
	name    string
	part    part
	size    int64 // in memory, about
}

// New makes a recorder that writes into the folder dir, which it makes, for its
// owner alone, if it is not there. Captures beyond the bounds that a former run
// left there are removed. A nil o is the zero Options. It is an error if an option
// is out of its bounds or the folder cannot be written to.
func New(dir string, o *Options) (*Recorder, error) {
	r := &Recorder{}
	if o != nil {
		r.opts = *o
	}
	if err := r.configure(dir); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return r, nil
}

func (r *Recorder) configure(dir string) error {
	o := &r.opts
	setDefault(&o.Kinds, Refused)
	setDefault(&o.MaxFiles, defaultFiles)
	setDefault(&o.MaxBody, defaultBody)
	setDefault(&o.MaxBytes, max(defaultBytes, 8*o.MaxBody))
	o.Drop = slices.Clone(o.Drop)
	switch {
	case dir == "":
		return errors.New("there is no folder")
	case o.Kinds&^(Refused|Accepted) != 0:
		return errors.New("unknown value of Kinds")
	case o.MaxFiles < 2:
		return fmt.Errorf("MaxFiles is %d, want at least 2", o.MaxFiles)
	case o.MaxBody < 0 || o.MaxBody > largestBody:
		return fmt.Errorf("MaxBody is %d, want at most %d", o.MaxBody, largestBody)
	case o.MaxBytes/2 <= o.MaxBody:
		return fmt.Errorf("MaxBytes is %d, want more than %d: twice MaxBody", o.MaxBytes, 2*o.MaxBody)
	}
	r.queue = max(leastMemory, 4*o.MaxBody)
	r.memory.Store(r.queue)
	return r.folder.open(dir, o.MaxFiles/2, o.MaxBytes/2)
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Handler wraps next, in which a guard stands. The ResponseWriter, panics and
// whatever else happens pass through it unchanged.
//
// It panics if next is nil.
func (r *Recorder) Handler(next http.Handler) http.Handler {
	if next == nil {
		panic("record: handler is nil")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		d := newDelivery(r, req)
		defer r.finish(req.Context(), d) // also when next panics or ends its goroutine
		next.ServeHTTP(w, d.request(req))
	})
}

// Close waits until everything that was recorded is written, for 5 seconds at most,
// and returns an error if that was not enough. Requests that are still under way, or
// come later, are not recorded: call it after http.Server.Shutdown.
func (r *Recorder) Close() error {
	r.mu.Lock()
	r.closed = true
	idle := r.idle
	r.mu.Unlock()
	if idle == nil {
		return nil
	}
	select {
	case <-idle:
		return nil
	case <-time.After(closeWait):
		return fmt.Errorf("record: not everything was written within %v", closeWait)
	}
}

// finish records what became of d, if that is to be recorded.
func (r *Recorder) finish(ctx context.Context, d *delivery) {
	e, judged := d.end()
	if !judged {
		if middleware.CorrelationID(ctx) != "" {
			go r.report(genuine, errInside)
		}
		return
	}
	kind := kindOf(e.Outcome)
	// A handshake is no delivery, and its query can hold a verify token.
	if e.Handshake || r.opts.Kinds&kind == 0 {
		return
	}
	where, left := genuine, 0
	switch {
	case e.FirstForged:
		where = forgeries
	case kind == Refused:
		where = refusals
		good := 0
		if e.Signed() {
			good = 1
		}
		r.mu.Lock()
		n, ok := r.refused[e.Reason][good].pass(time.Now(), refusedPerMinute)
		r.mu.Unlock()
		if !ok {
			return
		}
		left = n
	}
	c := d.complete(left)
	r.put(job{c, fileName(&e), where, sizeOf(c)})
}

func kindOf(o middleware.Outcome) Kinds {
	switch o {
	case middleware.Refused, middleware.Acknowledged:
		return Refused
	case middleware.Failed:
		return Failed
	}
	return Handled
}

// sizeOf returns about how much memory c takes.
func sizeOf(c *capture.Capture) int64 {
	n := cap(c.Body) + len(c.Note) + 1<<10
	for name, values := range c.Header {
		for _, v := range values {
			n += len(name) + len(v)
		}
	}
	return int64(n)
}

// put hands j to the goroutine that writes, and starts it if need be.
func (r *Recorder) put(j job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return
	case r.waiting[j.part]+j.size > r.queue:
		go r.report(j.part, errBusy)
		return
	}
	r.waiting[j.part] += j.size
	r.jobs = append(r.jobs, j)
	if !r.running {
		r.running, r.idle = true, make(chan struct{})
		r.start()
	}
}

// start starts the next job, on a goroutine of its own in case Redact or OnError
// ends that. r.mu is held.
func (r *Recorder) start() {
	if len(r.jobs) == 0 {
		r.jobs, r.running = nil, false
		close(r.idle)
		return
	}
	j := r.jobs[0]
	r.jobs[0] = job{}
	r.jobs = r.jobs[1:]
	go r.run(j)
}

func (r *Recorder) run(j job) {
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.waiting[j.part] -= j.size
		r.start()
	}()
	if err := r.save(j); err != nil {
		r.report(j.part, err)
	}
}

// save writes a capture.
func (r *Recorder) save(j job) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("a capture was dropped: Redact panicked with a %T", v)
		}
	}()
	r.redact(j.capture)
	return r.folder.write(j.part, j.name, j.capture)
}

// report tells what went wrong.
func (r *Recorder) report(p part, err error) {
	r.mu.Lock()
	left, ok := r.errors[p].pass(time.Now(), errorsPerMinute)
	r.mu.Unlock()
	if !ok {
		return
	}
	err = fmt.Errorf("record: %w", err)
	if left > 0 {
		err = fmt.Errorf("%w (%d more were not reported)", err, left)
	}
	if r.opts.OnError == nil {
		text := err.Error()
		slog.Error("webhook recorder", "error", text[:min(len(text), 512)])
		return
	}
	defer func() {
		if v := recover(); v != nil { // it would end the program
			slog.Error("webhook recorder: OnError panicked")
		}
	}()
	r.opts.OnError(err)
}

// window lets so many things pass in a minute and counts the others.
type window struct {
	start        time.Time
	passed, left int
}

// pass reports whether one more may pass, and how many were left out before it.
func (w *window) pass(now time.Time, limit int) (left int, ok bool) {
	if now.Sub(w.start) >= time.Minute {
		w.start, w.passed = now, 0
	}
	if w.passed == limit {
		w.left++
		return 0, false
	}
	w.passed++
	left, w.left = w.left, 0
	return left, true
}
