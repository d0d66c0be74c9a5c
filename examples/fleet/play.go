package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
)

// What goes wrong in a handler.
const (
	fails = "fails"
	hangs = "hangs"
)

// fleet is the two instances, and what they have in common.
type fleet struct {
	config    config
	folder    string
	instances map[string]*instance

	// prefix keeps the events of this run apart from those of others on the same
	// Redis.
	prefix string
	broken int
}

func newFleet(redis string) (*fleet, error) {
	folder, err := os.MkdirTemp("", "fleet-")
	if err != nil {
		return nil, err
	}
	f := &fleet{
		config:    config{Redis: redis, Secret: "whsec_" + rand.Text(), Ledger: filepath.Join(folder, "ledger")},
		folder:    folder,
		instances: make(map[string]*instance),
		prefix:    rand.Text(),
	}
	for _, name := range []string{"a", "b"} {
		if err := f.start(name); err != nil {
			f.close()
			return nil, err
		}
	}
	return f, nil
}

func (f *fleet) start(name string) error {
	c := f.config
	c.Instance = name
	i, err := startInstance(c)
	if err == nil {
		f.instances[name] = i
	}
	return err
}

func (f *fleet) close() {
	for _, i := range f.instances {
		i.kill()
	}
	os.RemoveAll(f.folder)
}

// delivery is what Stripe sends once.
type delivery struct {
	header http.Header
	body   []byte
}

// sign makes a delivery of an event. trouble is what goes wrong at instance a.
// Stripe signs each attempt anew; the second one comes a minute after the first.
func (f *fleet) sign(event int, attempt int, trouble string) delivery {
	body := fmt.Appendf(nil, `{"id":"evt_%s%d","object":"event","type":"invoice.paid","trouble":{"a":%q}}`, f.prefix, event, trouble)
	at := time.Now().Add(time.Duration(attempt-1) * time.Minute)
	return delivery{stripetest.Header(at, body, f.config.Secret), body}
}

// outcome is what can be seen of a delivery.
type outcome struct {
	response string
	ledger   string // what the handlers wrote
}

const row = "%-45s %-3s %-22s %-20s %s\n"

// play plays the script.
func (f *fleet) play(out io.Writer) error {
	fmt.Fprintf(out, row, "DELIVERY", "TO", "CAME BACK", "IN THE LEDGER", "PROMISED")
	show := func(what, to string, d delivery, promised outcome) {
		f.show(out, what, to, promised, f.deliver(to, d))
	}
	refused := outcome{response: "409"}

	fmt.Fprintln(out)
	first, retry := f.sign(1, 1, ""), f.sign(1, 2, "")
	show("a genuine one", "a", first, outcome{"204", "booked a"})
	show("replayed, byte for byte, to the other one", "b", first, refused)
	show("replayed, byte for byte, to the same one", "a", first, refused)
	show("an honest retry, as if the response was lost", "b", retry, outcome{response: "200 Webhook-Duplicate"})

	fmt.Fprintln(out)
	first, retry = f.sign(2, 1, fails), f.sign(2, 2, fails)
	show("a genuine one, the handler fails", "a", first, outcome{"500", "failed a"})
	show("its retry", "b", retry, outcome{"204", "booked b"})
	show("replayed, byte for byte, where it failed", "a", first, outcome{response: "200 Webhook-Duplicate"})
	show("replayed, byte for byte, the retry", "a", retry, refused)

	fmt.Fprintln(out)
	return errors.Join(f.crash(out), f.verdict(out))
}

// crash is the part of the script in which an instance dies.
func (f *fleet) crash(out io.Writer) error {
	first, retry := f.sign(3, 1, hangs), f.sign(3, 2, hangs)
	before := f.read()
	answered := make(chan string, 1)
	go func() { answered <- f.send("a", first) }()
	for !strings.Contains(f.read(), "3 began a") {
		select {
		case response := <-answered:
			return fmt.Errorf("the instance responded %s and did not run the handler", response)
		case <-time.After(5 * time.Millisecond):
		}
	}
	f.show(out, "while the handler of a works: a copy", "b", outcome{response: "409 Retry-After"}, f.deliver("b", first))
	f.instances["a"].kill()
	f.show(out, "a genuine one, a is killed in the handler", "a", outcome{"no response", "began a"}, outcome{<-answered, f.since(before)})
	f.show(out, "its retry, at once", "b", outcome{response: "409 Retry-After"}, f.deliver("b", retry))
	fmt.Fprintf(out, "... %v later, the lease of a has run out\n", lease)
	time.Sleep(lease)
	f.show(out, "its retry", "b", outcome{"204", "booked b"}, f.deliver("b", retry))
	if err := f.start("a"); err != nil {
		return err
	}
	f.show(out, "replayed, byte for byte, to the restarted a", "a", outcome{response: "409"}, f.deliver("a", retry))
	return nil
}

func (f *fleet) show(out io.Writer, what, to string, promised, seen outcome) {
	promise := promised.response
	if promised.ledger != "" {
		promise += ", " + promised.ledger
	}
	if seen != promised {
		promise += "  BROKEN"
		f.broken++
	}
	fmt.Fprintf(out, row, what, to, seen.response, seen.ledger, promise)
}

// verdict counts bookings: each event has one.
func (f *fleet) verdict(out io.Writer) error {
	booked := strings.Count(f.read(), " booked ")
	fmt.Fprintf(out, "\n3 events, %d bookings.\n", booked)
	switch {
	case f.broken > 0:
		return fmt.Errorf("%d promises are broken", f.broken)
	case booked != 3:
		return fmt.Errorf("%d bookings of 3 events", booked)
	}
	return nil
}

// deliver sends a delivery while nothing else is written to the ledger.
func (f *fleet) deliver(to string, d delivery) outcome {
	before := f.read()
	response := f.send(to, d)
	return outcome{response, f.since(before)}
}

// client opens a connection for each delivery.
var client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// send returns the status of the response, and a header that tells more.
func (f *fleet) send(to string, d delivery) string {
	req, err := http.NewRequest(http.MethodPost, f.instances[to].url, bytes.NewReader(d.body))
	if err != nil {
		return err.Error()
	}
	req.Header = d.header
	res, err := client.Do(req)
	if err != nil {
		return "no response"
	}
	defer res.Body.Close()
	response := fmt.Sprint(res.StatusCode)
	for _, name := range []string{"Webhook-Duplicate", "Retry-After"} {
		if res.Header.Get(name) != "" {
			response += " " + name
		}
	}
	return response
}

// read returns the ledger.
func (f *fleet) read() string {
	b, _ := os.ReadFile(f.config.Ledger) // not there yet: empty
	return string(b)
}

// since returns what was written after before, without the events.
func (f *fleet) since(before string) string {
	var all []string
	for line := range strings.Lines(strings.TrimPrefix(f.read(), before)) {
		_, what, _ := strings.Cut(strings.TrimSpace(line), " ")
		all = append(all, what)
	}
	return strings.Join(all, ", ")
}
