package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
)

var errFit = errors.New("a capture was dropped: it is larger than its part of MaxBytes")

// folder holds captures within bounds.
type folder struct {
	dir   string
	files int   // in each part
	bytes int64 // in each part
	names *regexp.Regexp
}

// What the names of forgeries have for an outcome.
const (
	firstForgery = "refused-forged"
	otherForgery = "refused-forged-again"
)

// fileName returns a name that sorts by time. Nothing of a request is in it but the
// time at which it came and, for a first forgery, a hash of the signed message.
func fileName(e *middleware.Report) string {
	outcome, id := e.Outcome.String(), rand.Uint64()
	switch {
	case e.FirstForged:
		outcome = firstForgery
		if e.Signed() { // else the verifier does not say which message it is
			id = binary.BigEndian.Uint64(e.Message[:])
		}
	case e.Reason == verify.ErrForged:
		outcome = otherForgery
	case e.Outcome == middleware.Refused:
		outcome += "-" + e.Reason.String()
	}
	return fmt.Sprintf("%s-%s-%s-%016x.http",
		e.ReceivedAt.UTC().Format("20060102T150405.000000Z"), plain(e.Provider), outcome, id)
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
const namePattern = `^\d{8}T\d{6}\.\d{6}Z-[a-z0-9_]{1,32}-(refused-[a-z_]+|refused-forged-again|acknowledged|handled|failed|commit_failed|lost)-[0-9a-f]{16}\.http$`

// partOf returns the part that a file belongs to. It is false for one that no
// recorder made.
func (f *folder) partOf(name string) (part, bool) {
	m := f.names.FindStringSubmatch(name)
	switch {
	case m == nil:
		return 0, false
	case m[1] == firstForgery:
		return forgeries, true
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
	return errors.Join(f.clear(refusals, 0, 0), f.clear(genuine, 0, 0), f.clear(forgeries, 0, 0))
}

// write writes a capture, and removes what has to make space for it before.
func (f *folder) write(p part, name string, c *capture.Capture) error {
	text, err := c.Append(nil)
	if err != nil {
		return err
	}
	if p == forgeries {
		had, err := f.hasForgery(name)
		if err != nil {
			return err
		}
		if had {
			p, name = refusals, strings.Replace(name, firstForgery, otherForgery, 1)
		}
	}
	size := int64(len(text))
	if size > f.bytes {
		return errFit
	}
	if err := f.clear(p, 1, size); err != nil {
		return err
	}
	return c.WriteFile(filepath.Join(f.dir, name))
}

// hasForgery reports whether there is a first forgery of the message that name tells
// of.
func (f *folder) hasForgery(name string) (bool, error) {
	message := name[strings.LastIndexByte(name, '-'):]
	entries, err := os.ReadDir(f.dir)
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		of, ok := f.partOf(e.Name())
		return ok && of == forgeries && strings.HasSuffix(e.Name(), message)
	}), err
}

// clear removes the oldest captures of a part until so many more fit in. Other
// processes may do the same.
func (f *folder) clear(p part, files int, bytes int64) error {
	entries, err := os.ReadDir(f.dir) // by name, so the oldest comes first
	if err != nil {
		return err
	}
	var captures []fs.FileInfo
	for _, e := range entries {
		if of, ok := f.partOf(e.Name()); !ok || of != p || !e.Type().IsRegular() {
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
