//go:build linux

// Gatewaybench measures the gateway beside proxies that check nothing, in one run, and
// compares it with its goals.
//
//	go run ./cmd/hooknotary/gatewaybench            # some 15 minutes; the machine should be quiet
//	go run ./cmd/hooknotary/gatewaybench -short     # seconds: does it work?
//	go run ./cmd/hooknotary/gatewaybench -csv FILE  # also writes every number
//
// It starts hooknotary serve with its store in memory, then with metrics, with ES256
// assertions, with a Redis and with a PostgreSQL store; and an httputil.ReverseProxy, nginx
// and Caddy, where they are installed. All stand in front of one upstream process that reads
// a request and answers 200. The sender is this process: it signs ahead, and writes raw bytes
// over connections that it keeps. It needs Linux.
//
// # How to read it
//
// A round starts every proxy anew and measures each in turn; the order changes from round to
// round. A goal is computed in each round, from numbers that were measured seconds apart, and
// then its median over the rounds is compared. So the speed of the machine does not count
// where a goal is a ratio. Goals in milliseconds or microseconds need a quiet machine, and so
// does the spread: where the least and the most of a ratio lie on both sides of the goal,
// "met" says little.
//
// CPU time is what the kernel has counted for the proxy's processes, children included, and
// not for the sender, the upstream, Redis or PostgreSQL. A delivery of "CPU µs a delivery" is
// one of a row over a single connection, where waking a thread for each step counts as much
// as the step; the row "all connections" is without that. Requests a second are over 64 connections, and share
// the machine's processors with the sender and the upstream, which blunts the ratio. Half
// load is half of the rate that the same gateway has just reached; the latency that it adds
// is what it has more than the upstream asked without a proxy, at the same rate.
//
// A refusal is a delivery whose signature is an hour old: the head is enough to refuse it.
// The upstream must not see a connection. Memory is resident memory. A slow head is a
// connection whose head does not end. Bodies in flight are held by the upstream as long as
// any is on its way; the budget refuses some with 503. A reload is the time from SIGHUP to
// the line in the log, with every route of the file changed and its secret in a file of its
// own, while 500 deliveries a second come.
//
// # What is alike, and what differs
//
// GOMAXPROCS is the same for all, and so is the number of nginx's workers (-procs). Each may
// keep 512 idle connections to the upstream, for a second. nginx holds a whole body before it
// sends it, as the gateway does; Caddy and ReverseProxy pass it on as it comes. The gateway
// checks signature, time and replay, and sends a request of its own making; the others check
// nothing, and send on what came. No access log is written. Redis appends to its file and
// syncs each second; PostgreSQL waits for the disk at each commit.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

func main() {
	if child() {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "gatewaybench:", err)
		os.Exit(1)
	}
}

// run measures as the arguments say.
func run(ctx context.Context, args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("gatewaybench", flag.ContinueOnError)
	flags.SetOutput(progress)
	short := flags.Bool("short", false, "one round with few deliveries, to see that it works")
	rounds := flags.Int("rounds", 4, "how many `rounds` are measured")
	procs := flags.Int("procs", runtime.NumCPU(), "GOMAXPROCS of each proxy, and nginx's workers")
	csvFile := flags.String("csv", "", "a `FILE` for every number")
	binary := flags.String("binary", "", "the `FILE` of hooknotary (default: it is built)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *rounds < 1 || *procs < 1 {
		return fmt.Errorf("want no arguments, and -rounds and -procs of 1 at least")
	}
	l, err := newLab(ctx, *binary, *procs)
	if err != nil {
		return err
	}
	defer l.close()
	b := &bench{lab: l, plan: longPlan(*rounds), progress: progress}
	if *short {
		b.plan = shortPlan()
	}
	if err := b.run(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s/%s, %d processors, GOMAXPROCS %d, %s, %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), *procs, runtime.Version(), strings.Join(l.versions, ", "))
	if l.missing != nil {
		fmt.Fprintln(out, "not installed:", strings.Join(l.missing, ", "))
	}
	fmt.Fprintln(out)
	if err := b.report(out); err != nil {
		return err
	}
	if *csvFile == "" {
		return nil
	}
	f, err := os.Create(*csvFile)
	if err != nil {
		return err
	}
	if err := b.writeCSV(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
