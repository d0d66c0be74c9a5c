// Fleet shows two instances of a server that share one store in Redis, and
// checks what it shows.
//
//	go run ./examples/fleet
//
// starts a redis-server, if there is one on the PATH, and two server processes, a
// and b, each with a guard for Stripe on a store in that Redis. Then it delivers
// events to one and to the other: a replay is refused by both, wherever its
// original was handled; an event whose handler failed on one instance is retried
// on the other; and one whose instance is killed, with SIGKILL while its handler is
// at work, is taken over by the other when its lease has run out. It exits with 1
// if anything comes back that is not promised, and with 0 if there is no Redis.
//
//	go run ./examples/fleet -redis localhost:6379
//
// takes a Redis that runs already.
//
// What to copy is in site.go. How many events are lost or doubled when everything
// is killed, over and over, is what verify/replay/replaytest/crash counts.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
)

func main() {
	if os.Getenv(serveEnv) != "" { // started by this program
		if err := serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "fleet: instance:", err)
			os.Exit(1)
		}
		return
	}
	addr := flag.String("redis", "", "the host and port of a Redis that runs; default: start one")
	flag.Parse()
	err := run(os.Stdout, *addr)
	if errors.Is(err, redistest.ErrMissing) {
		fmt.Println("Nothing was shown: there is no redis-server on the PATH (Debian: apt-get install redis-server), and -redis names none.")
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// run plays the script on a Redis, its own if addr is "".
func run(out io.Writer, addr string) error {
	if addr == "" {
		s, err := redistest.Start()
		if err != nil {
			return err
		}
		defer s.Close()
		addr = s.Addr()
		fmt.Fprintf(out, "Started a redis-server of its own, on %s.\n\n", addr)
	}
	f, err := newFleet(addr)
	if err != nil {
		return err
	}
	defer f.close()
	return f.play(out)
}
