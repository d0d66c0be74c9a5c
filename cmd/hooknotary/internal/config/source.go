package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
)

// maxPEM is the largest file of keys or certificates, in bytes.
const maxPEM = 1 << 20

// note writes what the configuration was made of into the digest of the part that is read.
func (l *loader) note(kind string, content []byte) {
	if l.hash != nil {
		fmt.Fprintf(l.hash, "%s %d ", kind, len(content))
		l.hash.Write(content)
	}
}

// absolute returns a name relative to the folder of the configuration file.
func (l *loader) absolute(name string) string {
	if !filepath.IsAbs(name) {
		name = filepath.Join(l.folder, name)
	}
	return filepath.Clean(name)
}

// watch notes that a file or folder was read.
func (l *loader) watch(name string) { l.watched[name] = true }

// read reads a file that is watched.
func (l *loader) read(name string, most int64) ([]byte, error) {
	l.watch(name)
	return l.readOnly(name, most)
}

// readOnly reads a regular file of at most so many bytes. The error names nothing. A pipe or a
// device is not opened: the one would wait for a writer, and opening the other may do anything.
func (l *loader) readOnly(name string, most int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, cause(err)
	}
	if err := regular(info); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_RDONLY|nonblocking, 0)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, cause(err)
	}
	if err := regular(info); err != nil { // another one than before
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, cause(err)
	}
	if int64(len(text)) > most {
		return nil, fmt.Errorf("it is larger than %s", sizeText(most))
	}
	return text, nil
}

// regular says what is wrong with a file that is none.
func regular(info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return errors.New("it is a folder")
	case !info.Mode().IsRegular():
		return errors.New("it is a pipe, a socket or a device; want a regular file, which a reload can read again")
	}
	return nil
}

// cause returns an error of the system without the name that it is about.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// name returns the absolute name of a file or folder that need not be there.
func (x node) name() (string, bool) {
	s, ok := x.text()
	if !ok {
		return "", false
	}
	// It would be made under that name, and shown.
	if isReference(s) || strings.Contains(s, "://") || sender.HasSecretForm(s) {
		x.wrong("want the name itself of a file or folder; it is no reference, and no URL")
		return "", false
	}
	return x.l.absolute(s), true
}

// file reads the file that x names.
func (x node) file(most int64) (name string, content []byte, ok bool) {
	name, ok = x.name()
	if !ok {
		return "", nil, false
	}
	content, err := x.l.read(name, most)
	if err != nil {
		x.wrong("the file cannot be read: %v", err)
		return name, nil, false
	}
	x.l.note("file", content)
	return name, content, true
}

var (
	variableName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,254}$`)
	credentialName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$`)
)

const wantReference = "want env:NAME, file:PATH or credential:NAME, and never the secret itself"

// isReference reports whether a text says where something is.
func isReference(s string) bool {
	return strings.HasPrefix(s, "env:") || strings.HasPrefix(s, "file:") || strings.HasPrefix(s, "credential:")
}

// reference reads what x points to.
func (x node) reference() (Secret, bool) {
	s, ok := x.scalar("a reference: "+strings.TrimPrefix(wantReference, "want "), "!!str", "!!int", "!!float")
	if !ok {
		return Secret{}, false
	}
	return x.follow(s)
}

// follow reads what a reference points to.
func (x node) follow(reference string) (Secret, bool) {
	kind, name, _ := strings.Cut(reference, ":")
	if !isReference(reference) || sender.HasSecretForm(name) {
		x.wrong(wantReference)
		return Secret{}, false
	}
	var text string
	switch kind {
	case "env":
		if !variableName.MatchString(name) {
			x.wrong("want the name of an environment variable behind env:")
			return Secret{}, false
		}
		value, set := "", false
		if x.l.env.Lookup != nil {
			value, set = x.l.env.Lookup(name)
		}
		switch {
		case !set:
			x.wrong("the environment variable is not set; is it exported to this process?")
			return Secret{}, false
		case value == "":
			x.wrong("the environment variable is empty")
			return Secret{}, false
		case len(value) > sender.MaxSecret:
			x.wrong("the environment variable is larger than %s", sizeText(sender.MaxSecret))
			return Secret{}, false
		}
		text = value
	default:
		path := x.l.absolute(name)
		if kind == "credential" {
			folder := ""
			if x.l.env.Lookup != nil {
				folder, _ = x.l.env.Lookup("CREDENTIALS_DIRECTORY")
			}
			switch {
			case !credentialName.MatchString(name):
				x.wrong("want the name of a credential behind credential:")
				return Secret{}, false
			case folder == "":
				x.wrong("$CREDENTIALS_DIRECTORY is not set; systemd sets it for a service with LoadCredential or SetCredential")
				return Secret{}, false
			}
			path = filepath.Join(folder, name)
		} else if name == "" {
			x.wrong("want the name of a file behind file:")
			return Secret{}, false
		}
		content, err := x.l.read(path, sender.MaxSecret)
		if err != nil {
			x.wrong("the file of the reference cannot be read: %v", err)
			return Secret{}, false
		}
		if text, err = sender.Line(content); err != nil {
			x.wrong("the file of the reference is empty")
			return Secret{}, false
		}
	}
	x.l.note("value", []byte(text))
	return NewSecret(reference, []byte(text)), true
}

// either returns a text, or what a reference points to.
func (x node) either() (Secret, bool) {
	s, ok := x.text()
	if !ok {
		return Secret{}, false
	}
	if isReference(s) {
		return x.follow(s)
	}
	return NewSecret("the file itself", []byte(s)), true
}
