package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"

	_ "modernc.org/sqlite"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
)

// dsn is what package sqlreplay recommends.
func dsn(file string) string {
	return "file:" + file + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(250)&_txlock=immediate"
}

// config is what the child is told.
type config struct {
	File  string
	Inbox bool
	Stop  string // where it stops, to be killed
}

const (
	inBooking    = "in the transaction"
	afterBooking = "after the transaction"
)

// serve is the shop's program.
func serve(text string) error {
	var c config
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(c.File))
	if err != nil {
		return err
	}
	if _, err := db.Exec("CREATE TABLE IF NOT EXISTS payments (invoice TEXT, amount INTEGER)"); err != nil {
		return err
	}
	store, err := sqlreplay.New(db, sqlreplay.SQLite, nil)
	if err != nil {
		return err
	}
	if err := store.Migrate(context.Background()); err != nil {
		return err
	}
	s := &shop{db: db, store: store, inbox: c.Inbox, reach: func(point string) {
		if point == c.Stop {
			fmt.Println(point)
			select {}
		}
	}}
	// The shortest lease, so that nobody has to wait here. The default is better.
	guard, err := middleware.New("billing", stripe.Must(secret), store, &middleware.Options{Lease: time.Second})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/hooks/stripe\n", l.Addr())
	return http.Serve(l, guard.Handler(s))
}

// shop books payments.
type shop struct {
	db    *sql.DB
	store *sqlreplay.Store
	inbox bool
	reach func(point string)
}

// ServeHTTP runs for deliveries that Stripe signed, and that are not done.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d, ok := verify.FromContext(r.Context())
	if !ok {
		http.Error(w, "not verified", http.StatusInternalServerError)
		return
	}
	var event struct {
		Type string
		Data struct {
			Object struct {
				ID     string
				Amount int64 `json:"amount_paid"`
			}
		}
	}
	if err := json.Unmarshal(d.Body, &event); err != nil {
		http.Error(w, "not an event", http.StatusBadRequest)
		return
	}
	if event.Type != "invoice.paid" {
		return
	}
	if err := s.book(r.Context(), event.Data.Object.ID, event.Data.Object.Amount); err != nil {
		http.Error(w, "try again later", http.StatusInternalServerError)
	}
}

// book is the effect. With the inbox, it marks the event in its transaction.
func (s *shop) book(ctx context.Context, invoice string, amount int64) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, "INSERT INTO payments VALUES (?, ?)", invoice, amount); err != nil {
		return err
	}
	if s.inbox {
		if err := s.store.CommitIn(ctx, tx); err != nil {
			return err
		}
	}
	s.reach(inBooking)
	if err := tx.Commit(); err != nil {
		return err
	}
	s.reach(afterBooking)
	return nil
}
