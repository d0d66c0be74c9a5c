package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest/postgrestest"
)

const secret = "whsec_7d1f0c5ab2e94863"

// site is a guarded endpoint.
type site struct {
	t       testing.TB
	handle  func(w http.ResponseWriter, r *http.Request) // nil responds with 200
	handler http.Handler

	mu     sync.Mutex
	events []middleware.Report
	runs   int
}

func newSite(t testing.TB, s replay.Store) *site {
	t.Helper()
	site := &site{t: t}
	g, err := middleware.New("billing", stripe.Must(secret), s, &middleware.Options{
		Observe: func(_ context.Context, e middleware.Report) {
			site.mu.Lock()
			defer site.mu.Unlock()
			site.events = append(site.events, e)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	site.handler = g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site.mu.Lock()
		site.runs++
		site.mu.Unlock()
		if site.handle != nil {
			site.handle(w, r)
		}
	}))
	return site
}

// deliver sends an event as Stripe does, and returns the response and what was
// observed.
func (s *site) deliver(id string, at time.Time) (*http.Response, middleware.Report) {
	w := httptest.NewRecorder()
	body := fmt.Appendf(nil, `{"id":%q,"object":"event"}`, id)
	s.handler.ServeHTTP(w, stripetest.NewRequest("https://shop.example/hooks/stripe", at, body, secret))
	s.mu.Lock()
	defer s.mu.Unlock()
	return w.Result(), s.events[len(s.events)-1]
}

// handles expects that a new event is handled soon.
func (s *site) handles() {
	s.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		response, e := s.deliver(fmt.Sprint("evt_", eventNumber.Add(1)), time.Now())
		if response.StatusCode == http.StatusOK && e.Outcome == middleware.Handled {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("the guard does not recover: %d, %v, %v", response.StatusCode, e.Outcome, e.Err)
		}
	}
}

// unavailable expects the response to a failure of the store.
func (s *site) unavailable(why string) {
	s.t.Helper()
	runs := s.runs
	response, e := s.deliver(fmt.Sprint("evt_", eventNumber.Add(1)), time.Now())
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		s.t.Errorf("%s: answered %d, %v", why, response.StatusCode, response.Header)
	}
	if e.Outcome != middleware.Refused || e.Reason != verify.ErrUnavailable || e.Err == nil {
		s.t.Errorf("%s: observed %v, %v, %v", why, e.Outcome, e.Reason, e.Err)
	}
	if s.runs != runs {
		s.t.Errorf("%s: the handler ran", why)
	}
}

func TestGuard(t *testing.T) {
	t.Run("each event is handled once", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, _ := e.fresh(t)
			a, b := newSite(t, s), newSite(t, s) // two processes
			now := time.Now()
			for _, tt := range []struct {
				name   string
				site   *site
				at     time.Time
				status int
				header string
			}{
				{"the delivery", a, now, http.StatusOK, ""},
				{"a copy", a, now, http.StatusConflict, ""},
				{"a copy sent to the other", b, now, http.StatusConflict, ""},
				{"an honest retry", b, now.Add(time.Second), http.StatusOK, "1"},
			} {
				response, _ := tt.site.deliver("evt_1", tt.at)
				if response.StatusCode != tt.status || response.Header.Get("Webhook-Duplicate") != tt.header {
					t.Errorf("%s: answered %d, %v", tt.name, response.StatusCode, response.Header)
				}
			}
			if a.runs+b.runs != 1 {
				t.Errorf("the handler ran %d times", a.runs+b.runs)
			}
			if response, e := a.deliver("evt_2", now.Add(-2*time.Minute)); response.StatusCode != http.StatusUnauthorized || e.Reason != verify.ErrTooOld {
				t.Errorf("from before the schema: answered %d, %v", response.StatusCode, e.Reason)
			}
		})
	})

	t.Run("it refuses while the database fails, and recovers", func(t *testing.T) {
		server := postgrestest.Run(t, nil)
		dsn := server.Database(t)
		db := postgreSQL.open(t, dsn)
		site := newSite(t, postgreSQL.migrated(t, db, nil))
		site.handles()
		for _, tt := range []struct {
			name         string
			fail, repair func() error
		}{
			{"killed", server.Kill, server.Restart},
			{"paused", server.Pause, server.Resume},
			{"without the table", exec1(db, "ALTER TABLE hooknotary_event RENAME TO gone"), exec1(db, "ALTER TABLE gone RENAME TO hooknotary_event")},
			{"of another version", exec1(db, "UPDATE hooknotary_event_meta SET version = 7"), exec1(db, "UPDATE hooknotary_event_meta SET version = 1")},
		} {
			if err := tt.fail(); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			site.unavailable(tt.name)
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("%s: the response took %v", tt.name, took)
			}
			if err := tt.repair(); err != nil {
				t.Fatal(err)
			}
			site.handles()
		}

		// The store fails when the handler has succeeded.
		site.handle = func(http.ResponseWriter, *http.Request) { server.Kill() }
		response, e := site.deliver("evt_commit", time.Now())
		if response.StatusCode != http.StatusOK || e.Outcome != middleware.CommitFailed || e.Err == nil {
			t.Errorf("killed by the handler: answered %d, observed %v, %v", response.StatusCode, e.Outcome, e.Err)
		}
		site.handle = nil
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		site.handles()
		if response, e := site.deliver("evt_commit", time.Now().Add(time.Second)); response.StatusCode != http.StatusConflict || e.Reason != verify.ErrInFlight {
			t.Errorf("while the lease runs: answered %d, %v", response.StatusCode, e.Reason)
		}
	})

	t.Run("it refuses while the file is locked, and recovers", func(t *testing.T) {
		dsn := sqlite.create(t)
		site := newSite(t, sqlite.migrated(t, sqlite.open(t, dsn), nil))
		site.handles()
		tx := begin(t, sqlite.open(t, dsn))
		site.unavailable("locked")
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		site.handles()
	})

	// The transactional inbox behind a guard.
	t.Run("the handler may mark the event", func(t *testing.T) {
		onEach(t, func(t *testing.T, e engine) {
			s, db := e.fresh(t)
			withEffects(t, db)
			if err := s.Check(t.Context()); err != nil { // or the guard waits for the first look
				t.Fatal(err)
			}
			site := newSite(t, s)
			var fail error
			site.handle = func(w http.ResponseWriter, r *http.Request) {
				tx := begin(t, db)
				defer tx.Rollback()
				affect(t, tx, "handler")
				err := s.CommitIn(r.Context(), tx)
				if err == nil {
					err = fail
				}
				if err == nil {
					err = tx.Commit()
				}
				if err != nil {
					http.Error(w, "failed", http.StatusInternalServerError)
				}
			}
			now := time.Now()
			fail = errors.New("the handler changes its mind")
			if response, e := site.deliver("evt_1", now); response.StatusCode != http.StatusInternalServerError || e.Outcome != middleware.Failed {
				t.Errorf("a handler that fails: %d, %v", response.StatusCode, e.Outcome)
			}
			fail = nil
			if response, e := site.deliver("evt_1", now.Add(time.Second)); response.StatusCode != http.StatusOK || e.Outcome != middleware.Handled {
				t.Errorf("the retry: %d, %v, %v", response.StatusCode, e.Outcome, e.Err)
			}
			if response, e := site.deliver("evt_1", now.Add(time.Second)); response.StatusCode != http.StatusConflict || e.Reason != verify.ErrReplayed {
				t.Errorf("a copy of it: %d, %v", response.StatusCode, e.Reason)
			}
			if n := effects(t, db); n != 1 || site.runs != 2 {
				t.Errorf("%d effects of %d runs", n, site.runs)
			}
		})
	})
}

func exec1(db *sql.DB, statement string) func() error {
	return func() error {
		_, err := db.Exec(statement)
		return err
	}
}
