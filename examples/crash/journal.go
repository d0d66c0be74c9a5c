package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// A mark is one line of the journal: what a server did for one request, and when.
// The servers write the journal and share it; each line is one write(2) to a file
// opened with O_APPEND, so that SIGKILL takes back none that was written, and the
// order of the lines is that of the writes.
type mark struct {
	at      time.Time
	process string // a1: the first process of instance a
	request string // see sent
	kind    kind
	from    time.Time // for acquired and renewed: when the register was asked
	detail  string    // for ran and effect: the event; for closed: the outcome; for crashed: the point
}

type kind string

const (
	acquired    kind = "acquired"    // the register gave the claim
	renewed     kind = "renewed"     // the register renewed the lease
	ran         kind = "ran"         // the handler began
	effect      kind = "effect"      // this line is the handler's effect, unless the effect is a row in the store
	failed      kind = "failed"      // the handler will fail
	committed   kind = "committed"   // the register knows that the event is done
	uncommitted kind = "uncommitted" // the register failed, or said that the claim was lost
	releasing   kind = "releasing"   // the register is about to be asked to take the claim back
	closed      kind = "closed"      // the guard is through with the request
	crashed     kind = "crashed"     // the process is about to kill itself
)

// now returns the time without the reading of the process's own clock, so that it
// compares with the times of other processes.
func now() time.Time { return time.Now().Round(0) }

func (m mark) String() string {
	from := "-"
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
	if f[4] != "-" {
		from, err := strconv.ParseInt(f[4], 10, 64)
		if err != nil {
			return mark{}, fmt.Errorf("journal: %w", err)
		}
		m.from = time.Unix(0, from)
	}
	return m, nil
}

// journal is a server's end of the journal. It is safe for concurrent use.
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

// write writes a mark, in one write. A server that cannot is of no use.
func (j *journal) write(request string, k kind, from time.Time, detail string) {
	m := mark{time.Now(), j.process, request, k, from, detail}
	if _, err := j.file.WriteString(m.String() + "\n"); err != nil {
		fmt.Fprintln(os.Stderr, "journal:", err)
		os.Exit(1)
	}
}

// reader reads what the servers have written, as it grows.
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
