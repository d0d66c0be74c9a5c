package capture

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// MaxSize is the largest file that is read or written, in bytes.
const MaxSize = 64 << 20

const bom = "\uFEFF" // the byte order mark, in UTF-8

// ReadFile reads the captures in a file: one, or several where the format, such as a HAR,
// holds several; the package comment lists the formats. It returns all of them or an error, which is
// a *SyntaxError with the file's name, or one of the operating system. It reads at most
// MaxSize+1 bytes, from a device or a pipe too.
func ReadFile(name string) ([]*Capture, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := Read(f)
	if e := (*SyntaxError)(nil); errors.As(err, &e) {
		e.File = name
	}
	return all, err
}

// Read is [ReadFile] for a file that is open, or was never one. Its *SyntaxError has no
// file name; other errors are those of r.
func Read(r io.Reader) ([]*Capture, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > MaxSize:
		return nil, tooLarge()
	}
	if start := bytes.TrimLeft(bytes.TrimPrefix(text, []byte(bom)), " \t\r\n"); len(start) > 0 && (start[0] == '{' || start[0] == '[') {
		return parseJSON(bytes.TrimPrefix(text, []byte(bom)))
	}
	c, err := Parse(text)
	if err != nil {
		return nil, err
	}
	return []*Capture{c}, nil
}

func tooLarge() error { return syntax(0, "the file is too large: want at most %d bytes", MaxSize) }

// WriteFile writes c to a file in the native format, at once or not at all, readable
// by its owner alone. A file of that name is replaced. The errors are those of
// [Capture.Append] and of the operating system.
func (c *Capture) WriteFile(name string) error {
	text, err := c.Append(nil)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".capture-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
