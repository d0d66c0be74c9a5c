package certstore

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The file of Config.CertFile: a first line, and for each certificate a line with
// its URL and the chain in PEM, the leaf first and the root not at all. There is one
// way to write it, and no other one is read. It holds nothing that is not public.
const (
	maxEntry  = 32 << 10 // bytes of a chain in PEM; a longer one is not remembered
	maxStored = 128 + maxKnown*(maxEntry+256)
)

// fileTitle is the first line of a file.
func (c *Store) fileTitle() string { return "hooknotary " + c.config.Provider + " certificates 1\n" }

var errNoFile = errors.New("it is no regular file")

var errStored = errors.New("it is not what this package wrote; delete it, and the certificates are fetched again")

// stored is one certificate of the file.
type stored struct {
	url   string
	chain []*x509.Certificate
}

func (s *stored) append(file []byte) []byte {
	file = append(file, s.url...)
	file = append(file, '\n')
	for _, cert := range s.chain {
		file = append(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
	}
	return file
}

func (c *Store) encode(all []stored) []byte {
	file := []byte(c.fileTitle())
	for i := range all {
		file = all[i].append(file)
	}
	return file
}

// parseStored is the inverse of encode, and an error for anything else.
func (c *Store) parseStored(file []byte) ([]stored, error) {
	rest, ok := bytes.CutPrefix(file, []byte(c.fileTitle()))
	var all []stored
	for ok && len(rest) > 0 {
		var line []byte
		if line, rest, ok = bytes.Cut(rest, []byte("\n")); !ok || len(all) == maxKnown {
			return nil, errStored
		}
		s := stored{url: string(line)}
		for len(s.chain) < maxInFile && bytes.HasPrefix(rest, []byte("-----BEGIN ")) {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				return nil, errStored
			}
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, errStored
			}
			s.chain = append(s.chain, cert)
		}
		if len(s.chain) == 0 || slices.ContainsFunc(all, func(other stored) bool { return other.url == s.url }) {
			return nil, errStored
		}
		all = append(all, s)
	}
	if !bytes.Equal(c.encode(all), file) {
		return nil, errStored
	}
	return all, nil
}

// load reads the file, if there is one. What it says is checked as what the sender's
// host says: a certificate counts as trusted for the time in which its chain leads
// to a root. Where none does any more, its URL is known, and fetched.
func (c *Store) load() error {
	all, err := c.read()
	if err != nil {
		return fmt.Errorf("CertFile %q: %w", c.file, err)
	}
	for _, s := range all {
		l, err := c.newLeaf(s.chain)
		if err != nil || !c.config.IsURL(s.url) {
			return fmt.Errorf("CertFile %q: %w", c.file, c.config.ErrFile)
		}
		c.known[s.url] = true
		// Some time at which all of the chain is valid, if there is one: a
		// verifier knows no clock, and find looks at the periods.
		at := l.cert.NotBefore
		pool := x509.NewCertPool()
		for _, cert := range l.served {
			pool.AddCert(cert)
			if cert.NotBefore.After(at) {
				at = cert.NotBefore
			}
		}
		chains, err := l.cert.Verify(x509.VerifyOptions{Roots: c.roots, Intermediates: pool, CurrentTime: at})
		if err != nil {
			continue
		}
		l.fromFile = true
		l.trust(chains)
		c.leaves[s.url] = l
	}
	c.dirty = true // a file that cannot be written is an error now, and not in a year
	if err := c.save(); err != nil {
		return err
	}
	return nil
}

// read reads the file. One that does not exist holds nothing.
func (c *Store) read() ([]stored, error) {
	info, err := os.Stat(c.file)
	if err == nil && !info.Mode().IsRegular() {
		return nil, errNoFile // to open a pipe would block for ever
	}
	f, err := os.Open(c.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, errors.Unwrap(err) // without the path, which the caller says
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, int64(maxStored)+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxStored {
		return nil, errStored
	}
	return c.parseStored(content)
}

// save writes the file if it lacks something: to a temporary one beside it, which
// then takes its place, so that it is whole at any time. What another process wrote
// since stays, as far as there is space; of that, the certificates that expire first go.
func (c *Store) save() error {
	if c.file == "" {
		return nil
	}
	c.write.Lock()
	defer c.write.Unlock()
	c.mu.Lock()
	if !c.dirty {
		c.mu.Unlock()
		return nil
	}
	c.dirty = false
	var all []stored
	for url, l := range c.leaves {
		s := stored{url, l.chain}
		if len(s.chain) > 0 && len(s.append(nil)) <= maxEntry {
			all = append(all, s)
		}
	}
	c.mu.Unlock()
	// Those that this process trusted come first: what else the file says, also of how
	// long it lasts, is somebody's word.
	sortStored(all)
	own := len(all)
	// A file that became unreadable meanwhile is replaced.
	others, _ := c.read()
	for _, s := range others {
		if c.config.IsURL(s.url) && !slices.ContainsFunc(all, func(other stored) bool { return other.url == s.url }) {
			all = append(all, s)
		}
	}
	sortStored(all[own:])
	if err := replaceFile(c.file, c.encode(all[:min(len(all), maxKnown)])); err != nil {
		c.mu.Lock()
		c.dirty = true
		c.mu.Unlock()
		return fmt.Errorf("CertFile %q cannot be written: %w", c.file, err)
	}
	return nil
}

// sortStored puts the certificates that expire last in front.
func sortStored(all []stored) {
	slices.SortFunc(all, func(a, b stored) int {
		if d := b.chain[0].NotAfter.Compare(a.chain[0].NotAfter); d != 0 {
			return d
		}
		return strings.Compare(a.url, b.url)
	})
}

// replaceFile puts a file in the place of another one.
func replaceFile(name string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
