// Command generate writes what the repository derives from the catalogue of providers:
//
//	go generate ./verify/diagnose
//
// That is verify/diagnose/senders_gen.go, by which a diagnosis knows senders, how they
// write JSON and what people take for secrets, the list of providers in README.md, and
// what is known of each in providers/README.md.
// It leaves out the senders of verify/diagnose/lookalikes.json that the catalogue holds,
// so nothing there changes when a provider is added.
//
// With -check it writes nothing, names the files that are stale, and exits with 1.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hooknotary/hooknotary/providers/catalog"
)

func main() {
	check := flag.Bool("check", false, "write nothing; exit with 1 if a file is stale")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	root, err := findRoot()
	if err != nil {
		return err
	}
	all := catalog.All()
	var stale []string
	for _, target := range []struct {
		name string
		make func(old []byte) ([]byte, error)
	}{
		{"verify/diagnose/senders_gen.go", func([]byte) ([]byte, error) {
			lookalikes, err := os.ReadFile(filepath.Join(root, "verify/diagnose/lookalikes.json"))
			if err != nil {
				return nil, err
			}
			return senders(all, lookalikes)
		}},
		{"README.md", func(old []byte) ([]byte, error) { return readme(all, old) }},
		{"providers/README.md", func(old []byte) ([]byte, error) { return long(all, old) }},
	} {
		file := filepath.Join(root, filepath.FromSlash(target.name))
		old, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		text, err := target.make(old)
		if err != nil {
			return fmt.Errorf("%s: %w", target.name, err)
		}
		if bytes.Equal(text, old) {
			continue
		}
		if stale = append(stale, target.name); !check {
			if err := os.WriteFile(file, text, 0o644); err != nil {
				return err
			}
		}
	}
	if check && len(stale) > 0 {
		return fmt.Errorf("stale: %s: run go generate ./verify/diagnose", strings.Join(stale, ", "))
	}
	return nil
}

// findRoot returns the folder of this module around the working directory.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(text, []byte("module github.com/hooknotary/hooknotary\n")) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("the working directory is not in a checkout of this module")
		}
		dir = parent
	}
}
