package gateway

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

const (
	mostLinks  = 40      // that lead to one file
	mostDigest = 2 << 20 // bytes of a file; nothing that is loaded is larger
)

// watcher watches the folders that files are in. Without means to do so it has no events.
type watcher struct {
	log     *slog.Logger
	fs      *fsnotify.Watcher // or nil
	folders map[string]bool   // that are watched, or could not be
}

func newWatcher(log *slog.Logger) *watcher {
	fs, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("files cannot be watched, and are compared from time to time instead", "error", err.Error())
	}
	return &watcher{log: log, fs: fs, folders: make(map[string]bool)}
}

func (w *watcher) close() {
	if w.fs != nil {
		w.fs.Close()
	}
}

func (w *watcher) channels() (<-chan fsnotify.Event, <-chan error) {
	if w.fs == nil {
		return nil, nil
	}
	return w.fs.Events, w.fs.Errors
}

// watch watches the folders that lead to files, and nothing else from now on.
func (w *watcher) watch(files []string) {
	if w.fs == nil {
		return
	}
	want := make(map[string]bool)
	for _, name := range files {
		addFolders(want, name)
	}
	for name := range w.folders {
		if !want[name] {
			w.fs.Remove(name)
		}
	}
	for name := range want {
		// Also if it is known: it may be another folder under the same name.
		if err := w.fs.Add(name); err != nil && !w.folders[name] {
			w.log.Warn("a folder cannot be watched, and is compared from time to time instead", "folder", name, "error", err.Error())
		}
	}
	w.folders = want
}

// addFolders adds the folders in which a change could make name another file: its own, that
// of each link on the way to it, and itself if it is one.
func addFolders(to map[string]bool, name string) {
	at := filepath.VolumeName(name) + string(filepath.Separator)
	rest := strings.TrimPrefix(filepath.Clean(name), at)
	for links := 0; rest != "" && links < mostLinks; {
		part, behind, more := strings.Cut(rest, string(filepath.Separator))
		next := filepath.Join(at, part)
		info, err := os.Lstat(next)
		if err == nil && info.Mode()&os.ModeSymlink != 0 {
			links++
			to[at] = true
			target, err := os.Readlink(next)
			if err != nil {
				return
			}
			if !filepath.IsAbs(target) {
				target = filepath.Join(at, target)
			}
			at = filepath.VolumeName(target) + string(filepath.Separator)
			rest = strings.TrimPrefix(filepath.Join(target, behind), at)
			continue
		}
		if !more || err != nil {
			to[at] = true
			if err == nil && info.IsDir() {
				to[next] = true
			}
			return
		}
		at, rest = next, behind
	}
}

// digest returns a digest of what files and folders hold.
func digest(files []string) (sum [32]byte) {
	h := sha256.New()
	for _, name := range files {
		addDigest(h, name, true)
	}
	h.Sum(sum[:0])
	return sum
}

// addDigest adds a file, or a folder with the files in it.
func addDigest(to hash.Hash, name string, deep bool) {
	fmt.Fprintf(to, "%d:%s", len(name), name)
	info, err := os.Stat(name)
	switch {
	case err != nil:
		fmt.Fprint(to, "absent")
	case info.IsDir() && deep:
		entries, err := os.ReadDir(name)
		if err != nil {
			fmt.Fprint(to, "unreadable")
			return
		}
		for _, e := range entries {
			addDigest(to, filepath.Join(name, e.Name()), false)
		}
	case info.Mode().IsRegular():
		f, err := os.Open(name)
		if err != nil {
			fmt.Fprint(to, "unreadable")
			return
		}
		defer f.Close()
		// The length comes behind the content, which may change while it is read.
		n, err := io.Copy(to, io.LimitReader(f, mostDigest))
		fmt.Fprintf(to, "%d %t", n, err == nil)
	default:
		fmt.Fprint(to, info.Mode().Type())
	}
}
