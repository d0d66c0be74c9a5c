package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// A mark is one line of the journal: what a server did for one request, and when;
// or a fault that befell a server, the store or a connection. The servers and the
// nemesis write the journal and share it; each line is one write(2) to a file
// opened with O_APPEND, so that SIGKILL takes back none that was written, and the
// order of the lines is that of the writes.
type mark struct {
	at      time.Time
	process string // a1: the first process of instance a; of a fault, its target
	request string // see sent; nothing for a fault
	kind    kind
	from    time.Time // when the store was asked, the handler looked at its context, or the fault began
	detail  string    // for ran and effect: the event; for refused: the status; for failed: whether the context had ended; for lost: what was asked for; for closed: the outcome; for crashed: the point; of a fault, its harm
}

// nothing is in the place of a field that a mark does not have.
const nothing = "-"

type kind string

const (
	claiming    kind = "claiming"    // the store is about to be asked for the claim
	acquired    kind = "acquired"    // the store gave the claim
	refused     kind = "refused"     // it did not, or failed
	renewed     kind = "renewed"     // the store renewed the lease
	unrenewed   kind = "unrenewed"   // the store failed to
	ran         kind = "ran"         // the handler began
	effect      kind = "effect"      // this line is the handler's effect, unless the effect is a row in the store
	failed      kind = "failed"      // the handler will fail
	committed   kind = "committed"   // the store knows that the event is done
	uncommitted kind = "uncommitted" // the store failed to hear that
	lost        kind = "lost"        // the store said that the claim is not held any more
	releasing   kind = "releasing"   // the store is about to be asked to take the claim back
	released    kind = "released"    // it did
	unreleased  kind = "unreleased"  // it failed to
	closed      kind = "closed"      // the guard is through with the request
	known       kind = "known"       // a receiver knows how the gateway calls the delivery
	crashed     kind = "crashed"     // the process is about to kill itself

	begins kind = "begins" // a fault
	ends   kind = "ends"   // the fault that began, or one that nobody knew of before
)

// now returns the time without the reading of the process's own clock, so that it
// compares with the times of other processes.
func now() time.Time { return time.Now().Round(0) }

func (m mark) String() string {
	from := nothing
	if !m.from.IsZero() {
		from = strconv.FormatInt(m.from.UnixNano(), 10)
	}
	return fmt.Sprintf("%d %s %s %s %s %s", m.at.UnixNano(), m.process, m.request, m.kind, from, m.detail)
}

func parseMark(line string) (mark, error) {
	f := strings.Split(line, " ")
	if len(f) != 6 {
		return mark{}, fmt.Errorf("journal: %d fields in %q", len(f), line)
	}
	at, err := strconv.ParseInt(f[0], 10, 64)
	if err != nil {
		return mark{}, fmt.Errorf("journal: %w", err)
	}
	m := mark{at: time.Unix(0, at), process: f[1], request: f[2], kind: kind(f[3]), detail: f[5]}
	if f[4] != nothing {
		from, err := strconv.ParseInt(f[4], 10, 64)
		if err != nil {
			return mark{}, fmt.Errorf("journal: %w", err)
		}
		m.from = time.Unix(0, from)
	}
	return m, nil
}

// journal is a writer's end of the journal. It is safe for concurrent use.
type journal struct {
	file    *os.File
	process string
}

func openJournal(path, process string) (*journal, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &journal{f, process}, nil
}

// write writes what the process did for a request.
func (j *journal) write(request string, k kind, from time.Time, detail string) {
	j.put(mark{time.Now(), j.process, request, k, from, detail})
}

// begin writes that a fault begins, and the function it returns that it is over.
func (j *journal) begin(target string, h harm) (end func()) {
	from := time.Now()
	j.put(mark{from, target, nothing, begins, time.Time{}, string(h)})
	return func() { j.befell(target, h, from) }
}

// befell writes that a fault, which began at a time, is over.
func (j *journal) befell(target string, h harm, from time.Time) {
	j.put(mark{time.Now(), target, nothing, ends, from, string(h)})
}

// watch writes when the process stood still, until ctx ends.
func (j *journal) watch(ctx context.Context) {
	const pause = 20 * time.Millisecond
	for last := time.Now(); rest(ctx, pause); {
		now := time.Now()
		if now.Sub(last) > notable {
			j.befell(j.process, stall, last)
		}
		last = now
	}
}

// put writes a mark, in one write. A process that cannot is of no use.
func (j *journal) put(m mark) {
	if _, err := j.file.WriteString(m.String() + "\n"); err != nil {
		fmt.Fprintln(os.Stderr, "journal:", err)
		os.Exit(1)
	}
}

func (j *journal) Close() error {
	if j == nil {
		return nil
	}
	return j.file.Close()
}

// reader reads what was written, as it grows.
type reader struct {
	file *os.File
	rest []byte // an incomplete line
}

func openReader(path string) (*reader, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &reader{file: f}, nil
}

func (r *reader) Close() error {
	if r == nil {
		return nil
	}
	return r.file.Close()
}

// next returns the marks that were written since the last call.
func (r *reader) next() ([]mark, error) {
	var marks []mark
	buf := make([]byte, 64<<10)
	for {
		n, _ := r.file.Read(buf)
		if n == 0 {
			return marks, nil
		}
		r.rest = append(r.rest, buf[:n]...)
		for {
			line, rest, ok := bytes.Cut(r.rest, []byte("\n"))
			if !ok {
				break
			}
			m, err := parseMark(string(line))
			if err != nil {
				return nil, err
			}
			marks = append(marks, m)
			r.rest = rest
		}
	}
}
