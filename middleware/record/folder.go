package record

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/verify/capture"
)

var errFit = errors.New("a capture was dropped: it is larger than its half of MaxBytes")

// folder holds captures within bounds.
type folder struct {
	dir   string
	files int   // in each half
	bytes int64 // in each half
	names *regexp.Regexp
}

// fileName returns a name that sorts by time. Nothing of a request is in it but the
// time at which it came.
func fileName(e *middleware.Event) string {
	outcome := e.Outcome.String()
	if e.Outcome == middleware.Refused {
		outcome += "-" + e.Reason.String()
	}
	return fmt.Sprintf("%s-%s-%s-%016x.http",
		e.ReceivedAt.UTC().Format("20060102T150405.000000Z"), plain(e.Provider), outcome, rand.Uint64())
}

// plain returns what can stand in a file's name of the name of a provider.
func plain(s string) string {
	s = strings.Map(func(c rune) rune {
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' {
			return c
		}
		return '_'
	}, s)
	return s[:min(len(s), 32)]
}

// namePattern is what fileName makes, with the outcome in a group.
const namePattern = `^\d{8}T\d{6}\.\d{6}Z-[a-z0-9_]{1,32}-(refused-[a-z_]+|acknowledged|handled|failed|commit_failed|lost)-[0-9a-f]{16}\.http$`

// halfOf returns the half that a file belongs to. It is false for one that no
// recorder made.
func (f *folder) halfOf(name string) (half, bool) {
	m := f.names.FindStringSubmatch(name)
	switch {
	case m == nil:
		return 0, false
	case strings.HasPrefix(m[1], "refused-"), m[1] == "acknowledged":
		return refusals, true
	}
	return genuine, true
}

// open makes the folder, sees whether files can be made in it, and brings what is
// there within the bounds.
func (f *folder) open(dir string, files int, bytes int64) error {
	*f = folder{dir, files, bytes, regexp.MustCompile(namePattern)}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	probe, err := os.CreateTemp(dir, ".record-*")
	if err != nil {
		return err
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return err
	}
	return errors.Join(f.clear(refusals, 0, 0), f.clear(genuine, 0, 0))
}

// write writes a capture, and removes what has to make room for it before.
func (f *folder) write(h half, name string, c *capture.Capture) error {
	text, err := c.Append(nil)
	if err != nil {
		return err
	}
	size := int64(len(text))
	if size > f.bytes {
		return errFit
	}
	if err := f.clear(h, 1, size); err != nil {
		return err
	}
	return c.WriteFile(filepath.Join(f.dir, name))
}

// clear removes the oldest captures of a half until so many more fit in. Other
// processes may do the same.
func (f *folder) clear(h half, files int, bytes int64) error {
	entries, err := os.ReadDir(f.dir) // by name, so the oldest comes first
	if err != nil {
		return err
	}
	var captures []fs.FileInfo
	for _, e := range entries {
		if of, ok := f.halfOf(e.Name()); !ok || of != h || !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err == nil { // else it is gone
			captures = append(captures, info)
			files++
			bytes += info.Size()
		}
	}
	for _, info := range captures {
		if files <= f.files && bytes <= f.bytes {
			break
		}
		if err := os.Remove(filepath.Join(f.dir, info.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		files--
		bytes -= info.Size()
	}
	return nil
}
