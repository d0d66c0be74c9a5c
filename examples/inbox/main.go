// Inbox shows the transactional inbox: a shop that books payments, and marks each
// event as done in the transaction of the booking. One command runs it all, with a
// database of SQLite in a temporary folder:
//
//	go run ./examples/inbox
//
// A child process serves the webhooks of Stripe, and is killed where it hurts:
// between the booking and the commit of the store. Then Stripe delivers again,
// and Inbox counts the bookings. It exits with 1 if they are not as promised.
//
// What to copy is in shop.go.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
)

// The child finds its configuration in the environment.
const childEnv = "INBOX_CHILD"

func main() {
	if c := os.Getenv(childEnv); c != "" {
		log.Fatal(serve(c))
	}
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// scene is one event, delivered until it is done, and then copied.
type scene struct {
	title string
	inbox bool
	stop  string // where the shop is killed during the first delivery, if at all
	// How often the payment is booked after the first delivery, and in the end.
	first, last int
}

var scenes = []scene{
	{"with the inbox, and no crash", true, "", 1, 1},
	{"without the inbox, killed between the booking and the commit of the store", false, afterBooking, 1, 2},
	{"with the inbox, killed after the transaction", true, afterBooking, 1, 1},
	{"with the inbox, killed in the transaction", true, inBooking, 0, 1},
}

// run plays all scenes, and returns an error if one goes otherwise.
func run(ctx context.Context, out io.Writer) error {
	folder, err := os.MkdirTemp("", "inbox")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	for i, s := range scenes {
		fmt.Fprintln(out, s.title)
		if err := s.play(ctx, out, filepath.Join(folder, fmt.Sprintf("shop%d.db", i))); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
	}
	fmt.Fprintln(out, "With the inbox, each payment was booked once.")
	return nil
}

func (s *scene) play(ctx context.Context, out io.Writer, file string) error {
	db, err := sql.Open("sqlite", dsn(file))
	if err != nil {
		return err
	}
	defer db.Close()
	booked := func(after string, want int) error {
		var n int
		if err := db.QueryRow("SELECT count(*) FROM payments").Scan(&n); err != nil {
			return err
		}
		fmt.Fprintf(out, "  %-45s booked: %d\n", after, n)
		if n != want {
			return fmt.Errorf("the payment is booked %d times, and that should be %d", n, want)
		}
		return nil
	}

	response, at, err := s.deliverFirst(ctx, file)
	if err != nil {
		return err
	}
	if err := booked("a delivery: "+response, s.first); err != nil {
		return err
	}
	shop, err := open(ctx, config{File: file, Inbox: s.inbox})
	if err != nil {
		return err
	}
	defer shop.close()
	if err := shop.retry(ctx); err != nil {
		return err
	}
	if err := booked("Stripe's retry, signed anew: 200", s.last); err != nil {
		return err
	}
	status, err := shop.deliver(ctx, at)
	if err != nil {
		return err
	}
	return booked(fmt.Sprintf("a copy of the first delivery: %d", status), s.last)
}

// deliverFirst delivers to a shop that may be killed before it answers. It returns
// the time at which the delivery was signed: after the store was made, which
// refuses what is older than itself.
func (s *scene) deliverFirst(ctx context.Context, file string) (response string, at time.Time, err error) {
	shop, err := open(ctx, config{File: file, Inbox: s.inbox, Stop: s.stop})
	if err != nil {
		return "", at, err
	}
	defer shop.close()
	at = time.Now()
	status, err := shop.deliver(ctx, at)
	switch {
	case s.stop != "" && err == nil:
		return "", at, fmt.Errorf("the shop was to be killed, and answered %d", status)
	case s.stop != "":
		return "none, the shop is dead", at, nil
	case err == nil && status != http.StatusOK:
		err = fmt.Errorf("the delivery was answered %d", status)
	}
	return strconv.Itoa(status), at, err
}

// process is a shop in a process of its own.
type process struct {
	cmd *exec.Cmd
	url string
}

func open(ctx context.Context, c config) (*process, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd}
	lines := bufio.NewScanner(pipe)
	if !lines.Scan() {
		p.close()
		return nil, errors.New("the shop does not open")
	}
	p.url = lines.Text()
	go func() {
		if lines.Scan() { // it has come to where it is to be killed
			cmd.Process.Kill()
		}
	}()
	return p, nil
}

// close kills the process: with SIGKILL, after which nothing of it runs.
func (p *process) close() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// deliver sends the event as Stripe does, signed at a time in whole seconds.
func (p *process) deliver(ctx context.Context, at time.Time) (status int, err error) {
	r := stripetest.NewRequest(p.url, at, []byte(payment), secret).WithContext(ctx)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	response.Body.Close()
	return response.StatusCode, nil
}

// retry delivers until the event is done. At first the claim of a shop that was
// killed stands in the way, until its lease runs out.
func (p *process) retry(ctx context.Context) error {
	for giveUp := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		status, err := p.deliver(ctx, time.Now().Add(time.Second))
		switch {
		case err != nil:
			return err
		case status == http.StatusOK:
			return nil
		case status != http.StatusConflict || time.Now().After(giveUp):
			return fmt.Errorf("the retry was answered %d", status)
		}
	}
}

const (
	secret  = "whsec_of_this_example_only"
	payment = `{"id":"evt_1","object":"event","type":"invoice.paid","data":{"object":{"id":"in_1","amount_paid":4200}}}`
)
