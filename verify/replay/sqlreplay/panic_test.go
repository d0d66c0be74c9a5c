package sqlreplay_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
)

// panicking is a driver with a bug.
type panicking struct{}

func (panicking) Connect(context.Context) (driver.Conn, error) { panic("planted") }
func (panicking) Driver() driver.Driver                        { return nil }

func TestDriverPanic(t *testing.T) {
	// The look runs in a goroutine of its own, where nobody else could recover.
	t.Run("a driver that panics ends an operation and not the process", func(t *testing.T) {
		db := sql.OpenDB(panicking{})
		s, err := sqlreplay.New(db, sqlreplay.PostgreSQL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Claim(t.Context(), replay.Claim{Token: replay.NewToken(), Lease: time.Second, Needed: time.Second, Retention: time.Second}); err == nil || !strings.Contains(err.Error(), "panicked") {
			t.Errorf("Claim = %v", err)
		}
	})
}
