package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/stores"
	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest/postgrestest"
)

const storePassword = "hunter4711"

// fleet is a store as a fleet uses it, and how the command line reaches it.
type fleet struct {
	store replay.Store
	flags []string
	env   map[string]string
}

// run runs a command with the fleet's flags.
func (f *fleet) run(t testing.TB, args ...string) outcome {
	t.Helper()
	s := secrets()
	for name, value := range f.env {
		s.env[name] = value
	}
	got := hooknotary(t, s, append(append([]string{"store"}, args...), f.flags...)...)
	if strings.Contains(got.out+got.err, storePassword) {
		t.Errorf("%q prints the password:\n%s%s", args, got.out, got.err)
	}
	return got
}

func sqlStore(t testing.TB, driver, dsn string, d sqlreplay.Dialect, table string) replay.Store {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s, err := sqlreplay.New(db, d, &sqlreplay.Options{Table: table, Timeout: 20 * time.Second})
	if err == nil {
		err = s.Migrate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sqliteFleet(t testing.TB) *fleet {
	t.Helper()
	file := filepath.Join(t.TempDir(), "50% of a store?.db")
	name := strings.NewReplacer("%", "%25", "?", "%3f").Replace(file)
	s := sqlStore(t, "sqlite", "file:"+name+"?_pragma=journal_mode(WAL)&_txlock=immediate", sqlreplay.SQLite, "")
	return &fleet{store: s, flags: []string{"--sqlite", file}}
}

func postgresFleet(t testing.TB) *fleet {
	t.Helper()
	dsn := postgrestest.Shared(t).Database(t)
	s := sqlStore(t, "pgx", dsn, sqlreplay.PostgreSQL, "hooks")
	return &fleet{s, []string{"--postgres-env", "DATABASE_URL", "--table", "hooks"}, map[string]string{"DATABASE_URL": dsn}}
}

// redisFleet is a store on servers that want the password.
func redisFleet(t testing.TB, flags []string, addresses ...string) *fleet {
	t.Helper()
	c := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: addresses, Password: storePassword})
	t.Cleanup(func() { c.Close() })
	url := "redis://:" + storePassword + "@" + strings.Join(addresses, ",")
	s := redisStore(t, c)
	if flags == nil {
		flags = []string{"--redis-env", "REDIS_URL"}
	}
	return &fleet{s, append(flags, "--prefix", "hooks"), map[string]string{"REDIS_URL": url}}
}

// redisStore returns a store that is ready, as a program makes it where it starts.
func redisStore(t testing.TB, c redis.UniversalClient) replay.Store {
	t.Helper()
	s := redisreplay.New(c, &redisreplay.Options{Prefix: "hooks", Timeout: 20 * time.Second})
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// clusterFleet is a store in a cluster, of which the command line gets as many
// addresses as wanted.
func clusterFleet(t testing.TB, addresses int) *fleet {
	t.Helper()
	all := redistest.NewCluster(t).Addrs()
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: all})
	t.Cleanup(func() { c.Close() })
	return &fleet{
		redisStore(t, c),
		[]string{"--redis-env", "REDIS_URL", "--prefix", "hooks"},
		map[string]string{"REDIS_URL": "redis://" + strings.Join(all[:addresses], ",")},
	}
}

// paid is a delivery of Stripe whose signed time lies a bit ahead, because a store
// refuses what was signed before it began.
func paid(body string) *capture.Capture {
	c, now := invoice(), time.Now()
	c.Body, c.ReceivedAt, c.Header = []byte(body), now, stripetest.Header(now.Add(time.Minute), []byte(body), stripeSecret)
	return c
}

// fleets are stores of each kind.
var fleets = map[string]func(t testing.TB) *fleet{
	"SQLite":     sqliteFleet,
	"PostgreSQL": postgresFleet,
	"Redis": func(t testing.TB) *fleet {
		return redisFleet(t, nil, redistest.NewServer(t, "requirepass "+storePassword).Addr())
	},
	"Redis, the URL in a file": func(t testing.TB) *fleet {
		s := redistest.NewServer(t, "requirepass "+storePassword)
		file := write(t, "url", "redis://:"+storePassword+"@"+s.Addr()+"/0\n")
		return redisFleet(t, []string{"--redis-file", file}, s.Addr())
	},
	"Redis Cluster":                func(t testing.TB) *fleet { return clusterFleet(t, 3) },
	"Redis Cluster by one address": func(t testing.TB) *fleet { return clusterFleet(t, 1) },
}

// guarded is an endpoint of the fleet.
type guarded struct {
	guard *middleware.Guard
	runs  int
	seen  *verify.Delivery
	// handle is called by the handler, unless it is nil.
	handle func()
}

func newGuarded(t testing.TB, f *fleet, endpoint string, v verify.Verifier) *guarded {
	t.Helper()
	g, err := middleware.New(endpoint, v, f.store, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &guarded{guard: g}
}

// deliver sends a delivery to the endpoint and wants a status in response. Like a
// provider it comes back where a busy machine kept the store from answering in
// time, also while a claim whose response came too late holds the event.
func (s *guarded) deliver(t testing.TB, c *capture.Capture, status int) {
	t.Helper()
	late := false
	for try := 1; ; try++ {
		r := httptest.NewRequest(http.MethodPost, "/hooks", bytes.NewReader(c.Body))
		r.Header = c.Header.Clone()
		w := httptest.NewRecorder()
		s.guard.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			s.runs++
			s.seen, _ = verify.FromContext(r.Context())
			if s.handle != nil {
				s.handle()
			}
		})).ServeHTTP(w, r)
		late = late || w.Code == http.StatusServiceUnavailable
		if late && w.Header().Get("Retry-After") != "" && try < 1000 {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		if w.Code != status {
			t.Fatalf("answered %d %s, want %d", w.Code, w.Body, status)
		}
		return
	}
}

// parseEntry reads what --json printed.
func parseEntry(t testing.TB, o outcome) (e entry) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(o.out))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil || strings.Count(o.out, "\n") != 1 {
		t.Fatalf("output %q, error output %q: %v", o.out, o.err, err)
	}
	return e
}

func TestStore(t *testing.T) {
	t.Run("an event of a fleet is shown and forgotten and runs again", func(t *testing.T) {
		for name, start := range fleets {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f := start(t)
				s := newGuarded(t, f, "billing", stripe.Must(stripeSecret))
				delivery := paid(eventBody)
				event := []string{"--endpoint", "billing", "--provider", "stripe", "--id", "evt_1PqX2"}
				run := func(args ...string) outcome { t.Helper(); return f.run(t, append(args, event...)...) }

				run("show").want(t, 1, "event evt_1PqX2 of stripe, endpoint billing: unknown")
				run("forget", "--yes").want(t, 1, "nothing to forget")
				s.handle = func() {
					run("show").want(t, 0, "in flight: its lease runs for", "s; kept for")
					run("forget", "--yes").want(t, 1, "not forgotten; it is in flight: its lease runs for")
					got := run("show", "--json")
					got.want(t, 0)
					if e := parseEntry(t, got); e.Status != statusInFlight || e.Lease <= 0 || e.Lease > 30 || e.Kept <= 0 || e.Forgotten != nil {
						t.Errorf("in flight, it is %+v", e)
					}
				}
				s.deliver(t, delivery, http.StatusOK)
				s.handle = nil
				run("show").want(t, 0, "done; kept for", " days\nkey "+s.guard.Key(s.seen).String())
				f.run(t, "show", "--key", s.guard.Key(s.seen).String()).want(t, 0, "done; kept for")
				f.run(t, "stats").want(t, 0, "1 record\n")
				if got := f.run(t, "stats", "--json"); got.out != `{"records":1}`+"\n" {
					t.Errorf("stats in JSON are %s", got.out)
				}
				got := run("show", "--json")
				got.want(t, 0)
				if e := parseEntry(t, got); e.Key != s.guard.Key(s.seen).String() || e.Status != statusDone || e.Lease != 0 || e.Kept < 3600 {
					t.Errorf("done, it is %+v", e)
				}

				run("forget").want(t, 2, "nothing was forgotten", "--yes", "can run again")
				s.deliver(t, delivery, http.StatusConflict)
				run("forget", "--yes").want(t, 0, "forgotten; it was done", "can run again")
				run("show").want(t, 1, "unknown")
				s.deliver(t, delivery, http.StatusOK)
				if s.runs != 2 {
					t.Errorf("the handler ran %d times, want 2", s.runs)
				}
				got = run("forget", "--yes", "--json")
				got.want(t, 0)
				if e := parseEntry(t, got); e.Forgotten == nil || !*e.Forgotten || e.Status != statusDone {
					t.Errorf("forgotten, it is %+v", e)
				}
				got = run("forget", "--yes", "--json")
				got.want(t, 1)
				if e := parseEntry(t, got); e.Forgotten == nil || *e.Forgotten || e.Status != statusUnknown {
					t.Errorf("forgotten again, it is %+v", e)
				}
			})
		}
	})

	t.Run("a cluster by one address is counted whole or not at all", func(t *testing.T) {
		f := clusterFleet(t, 1)
		s := newGuarded(t, f, "billing", stripe.Must(stripeSecret))
		const n = 20
		for i := range n { // not all of them on one node
			s.deliver(t, paid(fmt.Sprintf(`{"id":"evt_%d","object":"event"}`, i)), http.StatusOK)
		}
		f.run(t, "stats").want(t, 0, fmt.Sprintf("%d records\n", n))

		// A user who may not ask whether it is a cluster.
		for _, addr := range clusterNodes(t, f) {
			c := redis.NewClient(&redis.Options{Addr: addr})
			defer c.Close()
			if err := c.Do(t.Context(), "acl", "setuser", "blind", "on", ">"+storePassword, "~*", "+@all", "-info").Err(); err != nil {
				t.Fatal(err)
			}
		}
		f.env["REDIS_URL"] = strings.Replace(f.env["REDIS_URL"], "redis://", "redis://blind:"+storePassword+"@", 1)
		f.run(t, "stats").want(t, 2, "node of a cluster", "redis://host:port,host:port", "!records\n")
	})

	t.Run("a lease that ran out is shown and forgotten", func(t *testing.T) {
		f := sqliteFleet(t)
		key := replay.Event{Endpoint: "default", Provider: "stripe", Scope: "default", ID: "evt_1"}.Key()
		_, err := f.store.Claim(t.Context(), replay.Claim{Key: key, Token: replay.NewToken(), Lease: time.Millisecond, Needed: time.Hour, Retention: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
		f.run(t, "show", "--provider", "stripe", "--id", "evt_1").want(t, 0, "in flight, but its lease ran out")
		f.run(t, "forget", "--provider", "stripe", "--id", "evt_1", "--yes").want(t, 0, "forgotten; it was in flight, but its lease ran out")
	})

	// Delivers to a guard, and asks for the event in each way.
	t.Run("the key is that of the guard", func(t *testing.T) {
		acme, err := verify.NewKey("acme", "2026", []byte(stripeSecret))
		if err != nil {
			t.Fatal(err)
		}
		scoped, err := stripe.New(verify.KeyList{acme}, nil)
		if err != nil {
			t.Fatal(err)
		}
		distinct, err := github.New(verify.Secrets(githubSecret), &github.Options{InsecureDistinctByDeliveryID: true})
		if err != nil {
			t.Fatal(err)
		}
		pp := paypaltest.New(webhookID)
		payments, err := paypal.New(webhookID, &paypal.Options{Transport: pp, Roots: pp.Roots()})
		if err != nil {
			t.Fatal(err)
		}
		redelivered := edited(push(), func(c *capture.Capture) { c.Header.Set("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958") })
		sold := edited(sale(pp), func(c *capture.Capture) {
			c.ReceivedAt = time.Now()
			c.Header = pp.Header(c.ReceivedAt, c.Body)
		})
		saleFlags := []string{"--cert", certificate(t, pp, pp.CertURL()), "--roots", encodePEM(t, pp.Roots()[0].Raw),
			"--intermediates", certificate(t, pp, "http://cacerts.digicert.com/HooknotaryTestIssuer.crt")}
		for _, tt := range []struct {
			name     string
			verifier verify.Verifier
			capture  *capture.Capture
			args     []string // beside the provider, with a capture
			byID     []string // likewise, without
			other    []string // to name another event
		}{
			{"stripe", stripe.Must(stripeSecret), paid(eventBody), []string{"--secret-env", "STRIPE_SECRET"}, []string{"--id", "evt_1PqX2"}, []string{"--endpoint", "other"}},
			{"stripe during a rotation", stripe.Must(stripeSecret), paid(eventBody), []string{"--secret-env", "OTHER_SECRET", "--secret-env", "STRIPE_SECRET"}, nil, []string{"--scope", "acme"}},
			{"stripe of a tenant", scoped, paid(eventBody), []string{"--secret-env", "STRIPE_SECRET", "--scope", "acme"}, []string{"--id", "evt_1PqX2", "--scope", "acme"}, []string{"--scope", "default"}},
			{"stripe without an id", stripe.Must(stripeSecret), paid(`{"object":"event"}`), []string{"--secret-env", "STRIPE_SECRET"}, nil, []string{"--endpoint", "other"}},
			{"github", github.Must(githubSecret), push(), []string{"--secret-env", "GITHUB_SECRET"}, nil, []string{"--endpoint", "other"}},
			{"github by delivery id", distinct, redelivered, []string{"--secret-env", "GITHUB_SECRET", "--insecure-distinct-by-delivery-id"}, nil, []string{"--insecure-distinct-by-delivery-id=false"}},
			{"paypal", payments, sold, append(saleFlags, "--secret-env", "WEBHOOK_ID"), []string{"--id", "WH-2WR32451HC0233532-67976317FL4543714", "--scope", webhookID}, []string{"--endpoint", "other"}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				f := sqliteFleet(t)
				f.env = map[string]string{"WEBHOOK_ID": webhookID}
				provider, _, _ := strings.Cut(tt.name, " ")
				s := newGuarded(t, f, "billing", tt.verifier)
				s.deliver(t, tt.capture, http.StatusOK)
				ways := [][]string{append([]string{"--capture", save(t, "delivery.http", tt.capture)}, tt.args...)}
				if tt.byID != nil {
					ways = append(ways, tt.byID)
				}
				for _, way := range ways {
					args := append([]string{"show", "--json", "--provider", provider, "--endpoint", "billing"}, way...)
					got := f.run(t, args...)
					got.want(t, 0)
					if e := parseEntry(t, got); e.Key != s.guard.Key(s.seen).String() || e.Status != statusDone {
						t.Errorf("%q: %+v, want the key %v", way, e, s.guard.Key(s.seen))
					}
					f.run(t, append(args, tt.other...)...).want(t, 1, `"unknown"`)
				}
			})
		}
	})

	t.Run("the endpoint is default unless named", func(t *testing.T) {
		f := sqliteFleet(t)
		s := newGuarded(t, f, "default", stripe.Must(stripeSecret))
		s.deliver(t, paid(eventBody), http.StatusOK)
		f.run(t, "show", "--provider", "stripe", "--id", "evt_1PqX2").want(t, 0, "endpoint default: done")
	})

	t.Run("a capture that does not verify names no event", func(t *testing.T) {
		f := sqliteFleet(t)
		good := save(t, "good.http", invoice())
		args := []string{"--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--capture"}
		show := func(more ...string) outcome { return f.run(t, append(append([]string{"show"}, args...), more...)...) }
		show(good).want(t, 1, "unknown")
		show(good, "--at", "2026-03-01T09:30:13Z").want(t, 1, "unknown")
		show(good, "--at", "2026-03-01T10:30:13Z").want(t, 2, "does not verify", "too_old")
		show(save(t, "bad.http", edited(invoice(), forge))).want(t, 2, "does not verify", "mismatch")
		show(good, "--secret-env", "PADDED").want(t, 2, "white space")
		show(filepath.Join(t.TempDir(), "missing.http")).want(t, 2, "no such file")
	})

	t.Run("a store that fails is exit code two, and no password is printed", func(t *testing.T) {
		server := redistest.NewServer(t, "requirepass "+storePassword)
		dead := redistest.NewServer(t)
		dead.Kill()
		dsn := postgrestest.Shared(t).Database(t)
		config, err := pgx.ParseConfig(dsn)
		if err != nil {
			t.Fatal(err)
		}
		empty := write(t, "empty.db", "")
		text := write(t, "text.db", strings.Repeat("This is no database. ", 100))
		missing := filepath.Join(t.TempDir(), "missing.db")
		folder := t.TempDir()
		for _, tt := range []struct {
			name  string
			value string
			flags []string
			says  string
		}{
			{"Redis with a wrong password", "redis://:not-" + storePassword + "@" + server.Addr(), []string{"--redis-env", "STORE"}, "WRONGPASS"},
			{"Redis with no password", "redis://" + server.Addr(), []string{"--redis-env", "STORE"}, "NOAUTH"},
			{"Redis that is down", "redis://:" + storePassword + "@" + dead.Addr(), []string{"--redis-env", "STORE"}, "refused"},
			{"a cluster that is down", "redis://:" + storePassword + "@" + dead.Addr() + "," + dead.Addr(), []string{"--redis-env", "STORE"}, "refused"},
			{"a prefix that is none", "redis://:" + storePassword + "@" + server.Addr(), []string{"--redis-env", "STORE", "--prefix", "a b"}, "prefix"},
			{"PostgreSQL with a wrong password", dsn + " password=not-" + storePassword, []string{"--postgres-env", "STORE"}, "password authentication failed"},
			{"PostgreSQL that is down", "postgres://" + config.User + ":" + storePassword + "@" + dead.Addr() + "/shop?sslmode=disable", []string{"--postgres-env", "STORE"}, "refused"},
			{"PostgreSQL without the tables", dsn, []string{"--postgres-env", "STORE"}, "is this the database, and the table that of a store?"},
			{"a table's name that is none", dsn, []string{"--postgres-env", "STORE", "--table", "x; DROP"}, "the table: "},
			{"SQLite without the tables", "", []string{"--sqlite", empty}, "is this the file, and the table that of a store?"},
			{"SQLite in a file of another kind", "", []string{"--sqlite", text}, "not a database"},
			{"SQLite without the file", "", []string{"--sqlite", missing}, "no such file"},
			{"SQLite in a folder", "", []string{"--sqlite", folder}, "it is no file"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				f := &fleet{flags: tt.flags, env: map[string]string{"STORE": tt.value}}
				for _, args := range [][]string{{"show", "--provider", "stripe", "--id", "evt_1"}, {"forget", "--provider", "stripe", "--id", "evt_1", "--yes"}, {"stats"}} {
					f.run(t, args...).want(t, 2, tt.says, "!"+config.Password)
				}
			})
		}
		if _, err := os.Stat(missing); err == nil {
			t.Error("a database was made")
		}
		if info, err := os.Stat(empty); err != nil || info.Size() != 0 {
			t.Errorf("the empty file was changed: %v, %v", info, err)
		}
	})

	// Tries addresses in which the password is not where
	// parsers look for it.
	t.Run("an address is never printed", func(t *testing.T) {
		for _, password := range []string{storePassword, "/4711", "47/11", "4711?", "47?11", "4711#", "47#11", "%zz4711", "4711@4711", "4711,4711", "47:11", "4711 ", "'4711", "\x7f4711", ":4711"} {
			for _, format := range []string{
				"%s://shop:%s@127.0.0.1:1/0", "%s://:%s@127.0.0.1:1", "%s://%s@127.0.0.1:x/0", "%s://127.0.0.1:1/?password=%s",
				"%s://shop:%s@127.0.0.1:1,127.0.0.1:2", "%s:%s", "%s%s", "%s://127.0.0.1:1/0?db=%s",
			} {
				for _, scheme := range []string{"redis", "rediss", "postgres", "postgresql", "mysql"} {
					f := &fleet{env: map[string]string{"STORE": fmt.Sprintf(format, scheme, password)}}
					for _, flag := range []string{"--redis-env", "--postgres-env"} {
						got := f.run(t, "stats", flag, "STORE")
						got.want(t, 2, "!4711", "!47/11", "!47?11", "!47#11")
					}
				}
			}
		}
		for _, dsn := range []string{"host=127.0.0.1 port=1 password='4711", "host=127.0.0.1 port=4711x", "password = 4711", "4711"} {
			f := &fleet{env: map[string]string{"STORE": dsn}}
			f.run(t, "stats", "--postgres-env", "STORE").want(t, 2, "!4711")
		}
	})

	t.Run("wrong use is refused", func(t *testing.T) {
		f := &fleet{env: map[string]string{"REDIS_URL": "redis://127.0.0.1:1", "TWO": "redis://127.0.0.1:1,127.0.0.1:2/3", "GAP": "redis://127.0.0.1:1,"}}
		event := []string{"--provider", "stripe", "--id", "evt_1"}
		for _, tt := range []struct {
			name string
			args []string
			says string
		}{
			{"no command", nil, "want a command: show, forget or stats"},
			{"an unknown command", []string{"forgte"}, "is it forget?"},
			{"no store", append([]string{"show"}, event...), "redis-env"},
			{"two stores", append([]string{"show", "--redis-env", "REDIS_URL", "--sqlite", "x"}, event...), "none of the others"},
			{"no event", []string{"show", "--redis-env", "REDIS_URL"}, "id capture key"},
			{"two events", append([]string{"show", "--redis-env", "REDIS_URL", "--key", "00"}, event...), "none of the others"},
			{"a short key", []string{"show", "--redis-env", "REDIS_URL", "--key", "00"}, "64 hexadecimal digits"},
			{"a key of other characters", []string{"show", "--redis-env", "REDIS_URL", "--key", strings.Repeat("x", 64)}, "64 hexadecimal digits"},
			{"an empty id", []string{"show", "--redis-env", "REDIS_URL", "--provider", "stripe", "--id", ""}, "--id is empty"},
			{"an empty scope", append([]string{"show", "--redis-env", "REDIS_URL", "--scope", ""}, event...), "--scope is empty"},
			{"an empty endpoint", append([]string{"show", "--redis-env", "REDIS_URL", "--endpoint", ""}, event...), "1 to 128 bytes"},
			{"no provider", []string{"show", "--redis-env", "REDIS_URL", "--id", "evt_1"}, "--provider is missing"},
			{"an id of GitHub", []string{"show", "--redis-env", "REDIS_URL", "--provider", "github", "--id", "72d3162e"}, "github signs no id"},
			{"an id of PayPal without its webhook", []string{"show", "--redis-env", "REDIS_URL", "--provider", "paypal", "--id", "WH-1"}, "webhook id"},
			{"a capture without a secret", []string{"show", "--redis-env", "REDIS_URL", "--provider", "stripe", "--capture", "x"}, "there is no secret"},
			{"a variable that is not set", append([]string{"show", "--redis-env", "NOT_SET"}, event...), "NOT_SET is not set"},
			{"a file without an address", append([]string{"show", "--postgres-file", write(t, "url", "\n")}, event...), "it is empty"},
			{"a prefix for SQLite", append([]string{"show", "--sqlite", "x", "--prefix", "p"}, event...), "--prefix is not for this store"},
			{"a table for Redis", append([]string{"show", "--redis-env", "REDIS_URL", "--table", "t"}, event...), "--table is not for this store"},
			{"a numbered database of a cluster", []string{"stats", "--redis-env", "TWO"}, "no numbered databases"},
			{"an empty host", []string{"stats", "--redis-env", "GAP"}, "does not parse"},
			{"an argument", []string{"stats", "--redis-env", "REDIS_URL", "x"}, "want no argument"},
		} {
			t.Run(tt.name, func(t *testing.T) { f.run(t, tt.args...).want(t, 2, tt.says) })
		}
	})

	t.Run("a failure of a store is told without the password", func(t *testing.T) {
		failure := errors.New("ERR unknown command 'AUTH' '" + storePassword + "'")
		for address, want := range map[string]string{
			"postgres://shop:" + storePassword + "@127.0.0.1:1/shop": "the store failed: ERR unknown command 'AUTH' '[redacted]'",
			"postgres://shop@127.0.0.1:1/shop":                       "the store failed: " + failure.Error(),
		} {
			s, err := stores.Open(t.Context(), stores.Options{PostgreSQL: address})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.Failed(failure); err.Error() != want || !errors.Is(err, failure) {
				t.Errorf("got %q, want %q", err, want)
			}
		}
	})
}

// clusterNodes returns the addresses of the nodes of a fleet's cluster.
func clusterNodes(t testing.TB, f *fleet) (addrs []string) {
	t.Helper()
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{strings.TrimPrefix(f.env["REDIS_URL"], "redis://")}})
	defer c.Close()
	slots, err := c.ClusterSlots(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range slots {
		addrs = append(addrs, s.Nodes[0].Addr)
	}
	return addrs
}
