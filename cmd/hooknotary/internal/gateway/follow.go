package gateway

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
)

const (
	mergeTime    = 250 * time.Millisecond // of changes that are one to a person
	compareEvery = 30 * time.Second

	// restFactor is how many times as long as a comparison took there is none: others may
	// write to a watched folder all the time.
	restFactor = 10
)

// Follower keeps the configuration of a gateway as its files say. Gateway and Load are
// required.
type Follower struct {
	Gateway *Gateway

	// Load reads the files. An error leaves everything as it is.
	Load func() (*config.Config, error)

	// Again asks for a reload, whether or not anything changed. Nil: nobody asks.
	Again <-chan os.Signal

	// Watch reloads when the content of a file or of a folder in Config.Watch changes.
	Watch bool

	// Every is how often the files are compared with what was loaded, and the keys with
	// the time. Default: 30 seconds.
	Every time.Duration

	// Ready, if not nil, is called when the watching has begun.
	Ready func()

	watcher *watcher      // nil: nothing is watched
	cost    time.Duration // of the last comparison
	loaded  [32]byte      // digest of the watched files right before they were loaded
	retry   bool          // the last try failed, or its files may have changed meanwhile
	restart []string      // what was said to need one
	said    string        // the error that was logged last, unless there was a success since
}

// Run follows until ctx ends. It reports each reload to the gateway's log and telemetry.
//
// The folders that hold the files are watched, and not the files, which editors and
// Kubernetes replace. What happens within 250 ms is one change. Some file systems report
// nothing, such as a single file that is mounted into a container, so the content is
// compared every 30 seconds, too. A file that could not be loaded is tried again then:
// what it lacked may have come to a folder that no configuration has named yet.
func (f *Follower) Run(ctx context.Context) {
	every := f.Every
	if every <= 0 {
		every = compareEvery
	}
	compare := time.NewTicker(every)
	defer compare.Stop()
	if f.Watch {
		f.watcher = newWatcher(f.Gateway.o.Log)
		defer f.watcher.close()
		f.watcher.watch(f.Gateway.Config().Watch)
	}
	if f.Ready != nil {
		f.Ready()
	}
	var merged <-chan time.Time
	for {
		var events <-chan fsnotify.Event
		var failures <-chan error
		if f.watcher != nil {
			events, failures = f.watcher.channels()
		}
		select {
		case <-ctx.Done():
			return
		case <-f.Again:
			f.reload(true)
		case e := <-events:
			if merged == nil && e.Op != fsnotify.Chmod {
				merged = time.After(f.rest())
			}
		case <-failures: // events may be lost
			if merged == nil {
				merged = time.After(f.rest())
			}
		case <-merged:
			merged = nil
			f.watcher.watch(f.Gateway.Config().Watch) // links may lead elsewhere now
			if f.changed() {
				f.reload(false)
			}
		case <-compare.C:
			end := f.Gateway.Config().NextExpiry
			over := !end.IsZero() && f.Gateway.o.Now().After(end)
			if over || f.Watch && (f.retry || f.changed()) {
				f.reload(false)
			}
		}
	}
}

// rest returns how long to wait for more changes.
func (f *Follower) rest() time.Duration { return max(mergeTime, restFactor*f.cost) }

// changed reports whether the watched files are others than those that were loaded.
func (f *Follower) changed() bool {
	start := time.Now()
	defer func() { f.cost = time.Since(start) }()
	return digest(f.Gateway.Config().Watch) != f.loaded
}

// reload loads the files and swaps the configuration. Unless it is loud, it is silent where
// nothing changed, and about what it has said before.
func (f *Follower) reload(loud bool) {
	g := f.Gateway
	log := g.o.Log
	before := g.Config()
	if f.Watch {
		f.loaded = digest(before.Watch)
	}
	c, err := f.load()
	var restart []string
	if err == nil {
		restart, err = g.Reload(c)
	}
	g.o.Telemetry.Reloaded(err == nil, g.o.Now())
	if err != nil {
		f.retry = true
		if loud || err.Error() != f.said {
			logMistakes(log, err)
		}
		f.said = err.Error()
		return
	}
	f.said, f.retry = "", false
	if f.Watch {
		// Where this is another list, its digest is another one than loaded, so it is loaded
		// once more: the new files may have changed since.
		f.watcher.watch(c.Watch)
	}
	added, changed, removed := difference(before, c)
	if loud || added+changed+removed > 0 {
		log.Info("configuration loaded", "routes", len(c.Routes), "added", added, "changed", changed, "removed", removed)
	}
	LogConfig(log, c, before)
	if len(restart) > 0 && (loud || !slices.Equal(restart, f.restart)) {
		log.Warn("these parts of the configuration changed and need a restart; until then the old ones are in force", "parts", restart)
	}
	f.restart = restart
}

// load calls Load. Whatever is in a file must not end what is served, so a panic is an error.
func (f *Follower) load() (c *config.Config, err error) {
	defer func() {
		if v := recover(); v != nil {
			f.Gateway.o.Log.Error("panic while the configuration was loaded", "stack", string(debug.Stack()))
			err = errors.New("the configuration cannot be read; this is a bug of hooknotary")
		}
	}()
	return f.Load()
}

// logMistakes logs each mistake that a configuration was not loaded for.
func logMistakes(log *slog.Logger, err error) {
	const message = "configuration not loaded, the old one stays"
	var mistakes config.Mistakes
	if !errors.As(err, &mistakes) {
		log.Error(message, "error", err.Error())
		return
	}
	for _, m := range mistakes {
		log.Error(message, "mistake", m.String())
	}
}

// LogConfig logs what deserves a look in a configuration that serves, its warnings and the
// tenants that are turned off, unless that was so before. Nil: there was none before.
func LogConfig(log *slog.Logger, c, before *config.Config) {
	if before == nil {
		before = new(config.Config)
	}
	for _, w := range c.Warnings {
		if !slices.Contains(before.Warnings, w) {
			log.Warn(w)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Faulty)) {
		err := c.Faulty[name].Error()
		if was := before.Faulty[name]; was == nil || was.Error() != err {
			log.Error("tenant turned off: its deliveries get 401", "tenant", name, "error", err)
		}
	}
}

// difference counts the routes that differ.
func difference(before, after *config.Config) (added, changed, removed int) {
	old := make(map[string][32]byte, len(before.Routes))
	for i := range before.Routes {
		old[before.Routes[i].Name] = before.Routes[i].Digest
	}
	for i := range after.Routes {
		r := &after.Routes[i]
		digest, ok := old[r.Name]
		switch {
		case !ok:
			added++
		case digest != r.Digest:
			changed++
		}
		delete(old, r.Name)
	}
	return added, changed, len(old)
}
