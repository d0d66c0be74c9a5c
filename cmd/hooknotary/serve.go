package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/gateway"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/server"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/stores"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/telemetry"
	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/verify/capture"
)

const (
	checkTimeout = 30 * time.Second // of the store, at the start
	purgeEvery   = time.Hour
	lastExport   = 5 * time.Second // of the telemetry, at the end
)

// serveFlags say what a gateway serves: a file, or one route.
type serveFlags struct {
	file  string
	watch bool
	route config.Flags
}

func (p *program) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve (--config FILE [--watch] | --provider NAME --secret-env VAR --path PATH --upstream URL)",
		Short: "Stand in front of a receiver, and hand it each genuine delivery once",
		Long: `Serve runs a gateway: it verifies webhooks and hands each genuine one to a receiver, its
upstream, once. What is forged, stale or replayed never reaches the upstream.

One route needs no file: name its provider, secret, path and upstream. Its store is in
memory, and forgets when the process ends, unless --store or --store-env name another one.
A file says everything else; cmd/hooknotary/guides/reference.md lists its fields.

With a file, SIGHUP loads it anew, with all that it names: secrets, certificates, tenants.
With --watch, so does a change of any of them. A file with a mistake is not taken, and the
old configuration stays. Without a file, SIGHUP ends the gateway at once. SIGTERM ends
the gateway after the requests under way; a second one ends it at once.

The log goes to the standard error, a JSON object a line.

Exit codes: 0 after SIGTERM or SIGINT; 1 after a second one; 2 if a flag or the file is
wrong, or a listener or the store fails at the start.`,
		Example: `  hooknotary serve --provider stripe --secret-env STRIPE_WEBHOOK_SECRET --path /hooks/stripe --upstream http://127.0.0.1:5678/webhook/stripe
  hooknotary serve --config /etc/hooknotary/hooknotary.yaml --watch`,
		DisableFlagsInUseLine: true,
		Args:                  noArguments("; --config names the file"),
		RunE:                  func(cmd *cobra.Command, _ []string) error { return p.serve(cmd.Context(), &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.file, "config", "", "the `FILE` that says what is served")
	flags.BoolVar(&f.watch, "watch", false, "load the file anew when it, or anything that it names, changes")
	flags.StringVar(&f.route.Provider, "provider", "", "the `NAME` of the provider; \"hooknotary providers\" lists them")
	flags.StringArrayVar(&f.route.SecretEnv, "secret-env", nil, "environment `VAR` that holds the secret (PayPal: the webhook id); repeat it during a rotation")
	flags.StringVar(&f.route.Path, "path", "", "the `PATH` that the provider sends to, such as /hooks/stripe")
	flags.StringVar(&f.route.Upstream, "upstream", "", "the `URL` of the receiver, or unix:SOCKET:PATH")
	flags.StringVar(&f.route.Listen, "listen", "", "the `ADDRESS` to listen on (default \"127.0.0.1:8080\")")
	flags.StringVar(&f.route.Admin, "admin", "", "the `ADDRESS` for operators: /livez, /readyz and /metrics (default none)")
	flags.StringVar(&f.route.Store, "store", "", "\"memory\", or sqlite:`FILE` (default \"memory\")")
	flags.StringVar(&f.route.StoreEnv, "store-env", "", "environment `VAR` with the URL of Redis or PostgreSQL")
	return cmd
}

// load reads the configuration.
func (f *serveFlags) load(p *program) (*config.Config, error) {
	env := config.Env{Lookup: p.lookup, Transport: p.transport}
	if f.file == "" {
		return config.FromFlags(f.route, env, p.now())
	}
	return config.Load(f.file, env, p.now())
}

// check finds flags that contradict each other.
func (f *serveFlags) check() error {
	r := &f.route
	single := r.Provider != "" || r.SecretEnv != nil || r.Path != "" || r.Upstream != "" || r.Listen != "" || r.Admin != "" || r.Store != "" || r.StoreEnv != ""
	switch {
	case f.file != "" && single:
		return errors.New("--config says everything: leave the other flags out, but --watch")
	case f.file == "" && !single:
		return errors.New("want --config, or --provider, --secret-env, --path and --upstream")
	case f.file == "" && f.watch:
		return errors.New("--watch wants --config: without a file nothing can change")
	}
	return nil
}

func (p *program) serve(ctx context.Context, f *serveFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	c, err := f.load(p)
	if err != nil {
		return err
	}
	ctx, again, stop := p.signals(ctx, f.file != "")
	defer stop()
	log := slog.New(slog.NewJSONHandler(p.stderr, &slog.HandlerOptions{ReplaceAttr: withUnit}))

	store, err := openStore(ctx, &c.Store)
	if err != nil {
		return err
	}
	defer store.Close()
	measured, err := telemetry.New(ctx, telemetry.Options{
		Metrics: c.Telemetry.Metrics,
		OTLP:    string(c.Telemetry.OTLP.Value()),
		Scopes:  c.Telemetry.Scopes,
		Log:     log,
	})
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), lastExport)
		defer cancel()
		if err := measured.Shutdown(ctx); err != nil {
			log.Warn("the last telemetry could not be sent", "error", err.Error())
		}
	}()
	if err := measured.Register("store", store.Store); err != nil {
		return err
	}
	var g *gateway.Gateway
	var recorder *record.Recorder
	if c.Recorder != nil {
		recorder, err = record.New(c.Recorder.Folder, &record.Options{
			Kinds:   c.Recorder.Kinds,
			Redact:  func(c *capture.Capture) { g.Redact(c) }, // what is recorded, g has served
			OnError: func(err error) { log.Error("recorder", "error", err.Error()) },
		})
		if err != nil {
			return named(err, c.Recorder.Folder, "recorder.folder")
		}
		defer recorder.Close()
	}

	// The server ends this context when its patience is over. The gateway comes first.
	over, end := context.WithCancel(context.Background())
	defer end()
	g, err = gateway.New(c, gateway.Options{
		Store:     store.Store,
		Log:       log,
		Recorder:  recorder,
		Shutdown:  over,
		Telemetry: measured,
		Now:       p.now,
		ClientAddress: func(r *http.Request) string {
			if a := server.ClientAddress(r.Context()); a.IsValid() {
				return a.String()
			}
			return ""
		},
	})
	if err != nil {
		return err
	}
	defer g.Close()
	s, err := server.New(server.Options{
		Listen:         c.Listen,
		Limits:         c.Limits,
		Admin:          c.Admin,
		Shutdown:       c.Shutdown,
		TrustedProxies: c.TrustedProxies,
		Public:         g,
		AdminHandler:   adminHandler(g, measured),
		Ready:          store.Ping,
		Log:            log,
	})
	if err != nil {
		return err
	}
	context.AfterFunc(s.Context(), end)
	gateway.LogConfig(log, c, nil)
	log.Info("serving", "version", version(), "routes", len(c.Routes))

	follower := &gateway.Follower{
		Gateway: g,
		Watch:   f.watch,
		Again:   again,
		Load: func() (*config.Config, error) {
			next, err := f.load(p)
			// Other names of files need a restart, and those of the start may be gone.
			if err == nil && sameFiles(next.Listen.TLS, c.Listen.TLS) {
				err = s.ReloadCertificates()
			}
			return next, err
		},
	}
	following, stopFollowing := context.WithCancel(ctx)
	defer stopFollowing()
	go follower.Run(following)
	go purge(following, store, log)
	return s.Run(ctx)
}

// sameFiles reports whether the public listener has its certificate from the same files.
func sameFiles(a, b *config.TLS) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// adminHandler serves what an operator reads beside the probes.
func adminHandler(g *gateway.Gateway, t *telemetry.Telemetry) http.Handler {
	mux := http.NewServeMux()
	if h := t.MetricsHandler(); h != nil {
		mux.Handle("GET /metrics", h)
	}
	mux.Handle(gateway.KeysPath, g.Keys())
	return mux
}

// withUnit writes durations so that they say their unit.
func withUnit(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// openStore opens the store, makes what is missing, and checks that it can work.
func openStore(ctx context.Context, c *config.Store) (*stores.Store, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	s, err := stores.Open(ctx, stores.Options{
		Memory:     c.Memory,
		SQLite:     c.SQLite,
		Redis:      string(c.Redis.Value()),
		PostgreSQL: string(c.PostgreSQL.Value()),
		Prefix:     c.Prefix,
		Table:      c.Table,
		Create:     true,
	})
	if err != nil {
		return nil, named(err, c.SQLite, "store.sqlite")
	}
	if err := s.Check(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// named returns an error with the name of a field in the place of its value, which may be a
// secret in the wrong place.
func named(err error, value, field string) error {
	if value == "" {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), value, field))
}

// purge drops records whose time is over until ctx ends.
func purge(ctx context.Context, s *stores.Store, log *slog.Logger) {
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if _, err := s.Purge(ctx); err != nil && ctx.Err() == nil {
				log.Warn("records that are over could not be deleted", "error", err.Error())
			}
		}
	}
}

// signals returns a context that SIGTERM and SIGINT end, and a channel with SIGHUP. A second
// signal that ends ends the process at once. Without reload, SIGHUP is left as it is.
func (p *program) signals(ctx context.Context, reload bool) (_ context.Context, again <-chan os.Signal, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ends := make(chan os.Signal, 2)
	signal.Notify(ends, syscall.SIGTERM, os.Interrupt)
	var hup chan os.Signal
	if reload {
		hup = make(chan os.Signal, 1)
		signal.Notify(hup, syscall.SIGHUP)
	}
	done := make(chan struct{})
	go func() {
		for range 2 {
			select {
			case <-done:
				return
			case <-ends:
			}
			if ctx.Err() != nil {
				os.Exit(exitReject)
			}
			cancel()
		}
	}()
	return ctx, hup, func() {
		signal.Stop(ends)
		if hup != nil {
			signal.Stop(hup)
		}
		close(done)
		cancel()
	}
}
