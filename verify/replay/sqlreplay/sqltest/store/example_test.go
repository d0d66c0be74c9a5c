package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay"
)

// openExample makes a database in a folder that the caller removes.
func openExample() (db *sql.DB, folder string) {
	folder, err := os.MkdirTemp("", "sqlreplay")
	if err != nil {
		log.Fatal(err)
	}
	db, err = sql.Open("sqlite", "file:"+filepath.Join(folder, "shop.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(250)&_txlock=immediate")
	if err != nil {
		log.Fatal(err)
	}
	return db, folder
}

// Two instances that share a store: a copy of what one has handled is refused
// by the other.
func Example_twoInstances() {
	db, folder := openExample()
	defer os.RemoveAll(folder)
	defer db.Close()

	instance := func() http.Handler {
		store, err := sqlreplay.New(db, sqlreplay.SQLite, nil)
		if err != nil {
			log.Fatal(err)
		}
		if err := store.Migrate(context.Background()); err != nil {
			log.Fatal(err)
		}
		guard, err := middleware.New("billing", stripe.Must("whsec_7d1f0c5ab2e94863"), store, nil)
		if err != nil {
			log.Fatal(err)
		}
		return guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			fmt.Println("handled")
		}))
	}

	instances := []http.Handler{instance(), instance()}
	// What was signed before the schema was made is refused as too old.
	signed := time.Now()
	for _, h := range instances {
		delivery := stripetest.NewRequest("https://shop.example/hooks", signed, []byte(`{"id":"evt_1","object":"event"}`), "whsec_7d1f0c5ab2e94863")
		response := httptest.NewRecorder()
		h.ServeHTTP(response, delivery)
		fmt.Println(response.Code)
	}
	// Output:
	// handled
	// 200
	// 409
}

// The transactional inbox: a handler marks its event in the transaction of its
// effects.
func Example_inbox() {
	db, folder := openExample()
	defer os.RemoveAll(folder)
	defer db.Close()
	store, err := sqlreplay.New(db, sqlreplay.SQLite, nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Migrate(context.Background()); err != nil {
		log.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE payments (amount INTEGER)"); err != nil {
		log.Fatal(err)
	}

	book := func(ctx context.Context, amount int) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(ctx, "INSERT INTO payments VALUES (?)", amount); err != nil {
			return err
		}
		if err := store.CommitIn(ctx, tx); err != nil {
			return err
		}
		return tx.Commit()
	}
	guard, err := middleware.New("billing", stripe.Must("whsec_7d1f0c5ab2e94863"), store, nil)
	if err != nil {
		log.Fatal(err)
	}
	shop := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := book(r.Context(), 42); err != nil {
			http.Error(w, "try again later", http.StatusInternalServerError)
		}
	}))

	// The second attempt is signed anew, as if the response to the first one had
	// been lost.
	for i := range 2 {
		at := time.Now().Add(time.Duration(i) * time.Second)
		delivery := stripetest.NewRequest("https://shop.example/hooks", at, []byte(`{"id":"evt_1","object":"event"}`), "whsec_7d1f0c5ab2e94863")
		response := httptest.NewRecorder()
		shop.ServeHTTP(response, delivery)
		fmt.Println(response.Code)
	}
	var sum int
	if err := db.QueryRow("SELECT sum(amount) FROM payments").Scan(&sum); err != nil {
		log.Fatal(err)
	}
	fmt.Println("booked", sum)
	// Output:
	// 200
	// 200
	// booked 42
}
