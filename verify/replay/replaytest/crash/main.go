// Crash proves, by crashes, that no event is lost, that none is handled twice but
// where that cannot be avoided, that none stands still for nothing, and that no
// replay is accepted.
//
//	go run ./verify/replay/replaytest/crash -store sqlite -rounds 20
//
// It starts two server processes with guards for Stripe, GitHub and PayPal on one
// replay store, and for -store the store's own servers: redis (one), redis-cluster
// (three masters), postgres, or sqlite (a file, so none). Then it plays rounds. In
// each, providers deliver events and try again until they are answered 2xx, as
// theirs do: Stripe signs every attempt anew, PayPal repeats its bytes or makes a
// new transmission, and GitHub never tries again, so that a script of its operator
// redelivers what failed. They also deliver what need not be delivered, at the
// same time and late. Attackers who have seen every byte send copies, forgeries
// (for PayPal, other bodies of the same CRC-32) and what was signed long ago.
// Handlers are slow, slower than the lease, fail and panic. In one round of four all are
// detached (middleware.Options.Detach), and work on when their senders have hung up, as
// GitHub's do in any round. Connections break
// within the request, after it, and before the response. And a nemesis kills servers
// and store with SIGKILL, stops them with SIGSTOP for longer than a lease, or
// empties Redis with FLUSHALL; some requests make a server kill itself at a certain
// point. Time is compressed: a lease is a second, and providers wait for tenths of
// one.
//
// When a round's faults are over, every event must be handled in the end, for as
// long as there is progress, and the program looks at what happened, which the
// servers, the senders and the nemesis have written into a journal that no crash
// can take back.
//
// # Faults
//
// The nemesis writes into the journal when each of its faults begins and ends, and
// the senders which connections they cut. What befalls a busy machine is measured
// and written, too: a server writes when it stood still for a tenth of a lease or
// longer, and the program asks the store all the time, past the guards, and writes
// when it answered as late as that, or not at all. That it was as slow for another
// request at the same time counts like that, too.
//
// Nothing is excused by its outcome. A run that ended badly is excused only if a
// fault of its server or of the store explains it, between its claim and its end;
// else it counts as unexplained.
//
// # What is counted
//
// A run is what a request does at a server that was given the claim of its event.
// Its effect is a line in the journal, written at once; with an inbox (-store
// postgres-inbox, sqlite-inbox) it is a row that sqlreplay's CommitIn commits in
// one transaction with the claim. An event is done when the store acknowledged
// the commit of one of its runs.
//
// Lost is an event whose provider never gets a 2xx, or gets one without an effect,
// or before its effect or commit. It must be 0.
//
// An event is doubled once for each effect beyond one:
//
//   - in the gap, the server killed: its process was killed after its effect, and
//     before the store acknowledged the commit. This is what the order of
//     effect and commit costs; without a common transaction there is no other.
//   - in the gap, the commit failed: the handler succeeded, and the store could
//     not be told, in any of the guard's three tries, because each met a fault.
//     The guard responds with 2xx, as the work is done, and a copy that comes after the
//     lease makes the event run again.
//   - in the gap, the lease lost: between effect and commit the server, or the
//     store, stood still for longer than the lease, so that somebody else rightly
//     took the event over.
//   - after the lease: the server stood still between a look at its context and its
//     effect until the lease was over, or the response to its claim took as long.
//     The handlers here look at their context right before the effect. That makes
//     it rare, and cannot exclude it.
//   - the store emptied: between the claim of one run and the claim of the next. A
//     copy of anything may run then, but not where the provider signs every attempt
//     anew: of such a one, only what was signed in the second of the flush or later,
//     or what follows such a delivery. A forgery on PayPal may run that comes before
//     the genuine delivery comes again. Nothing that was in flight may be committed.
//   - unexplained: anything else. It must be 0. It contains each run that the
//     store should not have let in, whether it had an effect or not: while the
//     lease of another run was live, or when the event was done. And it contains
//     what does not double by itself: a lease that its owner did not renew, a
//     handler that was not told that its lease is over, or that was ended by its
//     sender though it is detached, a claim that was lost while its lease was live, a
//     commit that was tried less than three times, or that failed without a fault at
//     each try, and a release that failed without a fault.
//
// With an inbox, all six must be 0. A lease counts from when it was asked for, and
// whoever is let in earlier than a lease after the last one, without a release, is
// let in too early.
//
// Stood still for nothing is a request that was sent away as in flight when nobody
// can have held the claim: after a release or a commit that was acknowledged, or
// more than a quarter of a lease after the last lease that a dead or failing owner
// can have been given; or as signed before the floor without a flush, or though it
// was not. It must be 0.
//
// A replay is a request of an attacker with the bytes of a genuine delivery (on
// GitHub also with another delivery id, which is not signed). One that makes the
// handler run when the event is done is accepted; so is one that was signed too
// long ago. Accepted must be 0. A replay that comes first, or after a run that
// failed or died, or when the store was emptied, runs the event in the place of the
// provider's delivery, with the same bytes, and is counted apart.
//
// A forgery is accepted if a handler runs for it or it is answered 2xx. That must
// be 0. PayPal signs a CRC-32 only, and the guard keeps to the body that came
// first; so forgeries under a genuine signature are sent after the genuine
// delivery was seen.
//
// A server that ends without having been killed is a fault of its own.
//
// The program exits with 1 if a figure that must be 0 is not, and prints what it
// knows of the events, with the faults of their time. The same -seed makes the same
// plan of faults; where exactly they fall is up to the machine. With -faults the
// nemesis does the given ones in every round, and no others.
//
// # Gateways
//
//	go run ./verify/replay/replaytest/crash -gateway -store redis -rounds 20
//
// With -gateway the two servers are gateways, processes of the command hooknotary serve as
// it is built, and this program is the receiver behind both. Deliveries, attackers and faults
// are the same, but for three things. PayPal's certificates come from PayPal alone, so a
// provider that repeats its bytes and signs no time, Shopify, stands in for it. The receiver
// also ends connections, hangs beyond the time-out, answers 503 or 2 MiB. And SIGTERM is one
// of the faults, which excuses nothing. Routes are detached, but for Shopify's.
//
// Nobody sees into a gateway. The verdict rests on what senders sent and got, on what the
// receiver saw and did, and on what the gateways logged of deliveries that did not end as
// done. That is less than above, and enough for what is promised: what "unexplained" contains
// of renewals and tries does not count here, and these do count:
//
//   - in the gap, the receiver did not answer: it hung, ended the connection, or its sender
//     hung up on a route that is not detached. The gateway says that it kept the claim, and
//     the event may run again when the lease is over. Where it ran earlier, or the claim was
//     released, or was kept although the receiver said that it failed, that is unexplained.
//   - requests that are not the gateway's: one that came to the receiver without the headers
//     of a gateway, twice under one name of a delivery, or with another key of its event than
//     before. It must be 0.
//
// # Does it find anything?
//
// With -break the servers are wired wrongly, in one of these ways, and the program
// must exit with 1:
//
//	forget-commit   one commit of four is not passed on
//	acquire-always  every claim is given
//	commit-first    the event is committed before its handler runs
//	short-lease     leases end 50 times too early
//	unbound         PayPal's transmissions are not bound to their bodies
//	response-first  the response leaves before the commit
//	response-early  an event that is being handled is answered 200
//	commit-apart    an inbox that commits the effect before the claim
//	flush-unsaid    Redis is emptied, and nobody says so (with -store redis)
//	no-floor        what was signed before Redis was emptied is let in (-store redis)
//	renew-once      a lease is renewed once and never again
//	untold          a handler is not told that its lease is over
//	attached        a handler that should go on ends when its sender hangs up
//	commit-once     a commit that fails is not tried again (a store with a server)
//	release-any     a former owner's release ends the claim of its successor
//	take-over       a claim is taken over while its lease is live
//	commit-any      a former owner's commit ends the claim of its successor
//	long-lease      leases end six times too late
//	fail-release    no release succeeds
//	forget-release  what should be released is kept until the lease is over
//
// and with -gateway, what is around the gateways is wrong:
//
//	apart    each has a store of its own
//	memory   the store ends with its process
//	renamed  the routes have another name in each process
//	liar     the receiver says that it failed, after its effect
//	early    senders take an event that is being handled for one that is done
//	bypass   forgers reach the receiver
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
)

// serveEnv makes this program a server, for its own use.
const serveEnv = "HOOKNOTARY_CRASH_SERVE"

func main() {
	if os.Getenv(serveEnv) != "" {
		if err := serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "crash: serving:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.StringVar(&o.store, "store", "sqlite", "the replay store: "+strings.Join(stores, ", "))
	flag.IntVar(&o.rounds, "rounds", 20, "how many rounds to play")
	flag.IntVar(&o.events, "events", 60, "how many events a round has")
	flag.Uint64Var(&o.seed, "seed", rand.Uint64N(1e9), "of the plan of faults")
	flag.StringVar(&o.plant, "break", "", "plant a bug that must be found")
	flag.BoolVar(&o.gateway, "gateway", false, "the servers are gateways (hooknotary serve) in front of a receiver; -store redis, postgres or sqlite")
	flag.StringVar(&o.binary, "binary", "", "with -gateway: the command hooknotary, if it is built already")
	only := flag.String("faults", "", fmt.Sprintf("comma-separated: these in every round, and no others, or none; they are %v", harms))
	flag.Parse()
	if *only != "" {
		o.only = parseHarms(strings.Split(*only, ","))
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := play(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

var errBroken = errors.New("a promise is broken")

// play plays all rounds and writes the figures. The error is errBroken if one that
// must be 0 is not.
func play(ctx context.Context, out io.Writer, o options) error {
	h, err := newHarness(o, out)
	if err != nil {
		return err
	}
	err = h.playAll(ctx)
	if err == nil {
		h.figures.table(out, o)
		if !h.figures.kept() {
			err = errBroken
		}
	}
	h.close(err == nil || ctx.Err() != nil)
	if err != nil {
		return fmt.Errorf("%w: the journal is in %s", err, h.folder)
	}
	return nil
}
