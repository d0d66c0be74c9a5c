// Starvation shows what an attacker without a secret does to genuine deliveries, by
// using up what the guard has for bodies in flight.
//
//	go run ./examples/starvation
//
// It starts a server on 127.0.0.1, attacks it, sends genuine deliveries over
// HTTP/1.1 and HTTP/2 meanwhile, and prints how many were accepted:
//
//   - while 18 HTTP/2 connections send heads, 40 KiB a second, and no body;
//   - while 5 bodies that announce 25 MiB stop after the first;
//   - while bodies stop after their first 4 KiB, or their first MiB: at which rate of
//     the attacker a genuine body of 50 KiB/s, and one of 1 MiB/s, is first lost.
//
// It then measures the memory of a server that gets very many bodies at once (Linux).
//
// It sends to no other host, stops by itself after some minutes, and exits with 1 if
// a delivery was lost in the first two. -short leaves out the third and takes
// seconds. -budget sets the guards' BodyBudget in bytes.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

func main() {
	short := flag.Bool("short", false, "only the first two attacks, some seconds each")
	budget := flag.Int64("budget", 0, "the guards' BodyBudget in bytes; 0: the default")
	heads := flag.Float64("heads", 40, "KiB of heads a second in the first attack")
	serves := flag.Bool("serve", false, "only serve, until the standard input ends")
	flag.Parse()
	if *serves {
		if err := serve(os.Stdin, os.Stdout, *budget); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	lost, err := show(os.Stdout, *short, *budget, *heads*1024)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if lost {
		fmt.Fprintln(os.Stderr, "genuine deliveries were lost")
		os.Exit(1)
	}
}

// show runs the attacks and reports whether a delivery was lost that must not be.
func show(out io.Writer, short bool, budget int64, heads float64) (lost bool, err error) {
	length := 20 * time.Second
	if short {
		length = 4 * time.Second
	}
	run := func(path string, http2 bool, f *flood, sizes []int, every, length time.Duration, rate float64) (*[2]count, error) {
		s, err := newSite(budget)
		if err != nil {
			return nil, err
		}
		defer s.close()
		f.address, f.path, f.header = s.address, path, fakeSignature(path)
		ctx, stop := context.WithCancel(context.Background())
		over := make(chan struct{})
		go func() { f.run(ctx, http2); close(over) }()
		pause(ctx, 2*time.Second) // until the attack is at its best
		begin, sent := time.Now(), f.sent.Load()
		sending, end := context.WithTimeout(ctx, length)
		defer end()
		counts := s.deliver(sending, path, sizes, every, rate)
		measured := float64(f.sent.Load()-sent) / time.Since(begin).Seconds()
		stop()
		<-over
		f.rate = measured
		return counts, nil
	}

	f := &flood{rate: heads, conns: 18}
	counts, err := run("/stripe", true, f, []int{300, 3000, 30_000, 300_000}, 100*time.Millisecond, length, 0)
	if err != nil {
		return false, err
	}
	lost = counts[0].lost() || counts[1].lost()
	fmt.Fprintf(out, "%d heads without a body, %.0f KiB/s over 18 HTTP/2 connections at a time:\n", f.heads.Load(), f.rate/1024)
	fmt.Fprintf(out, "\tgenuine bodies up to 300 KB accepted: HTTP/1.1 %v; HTTP/2 %v\n", &counts[0], &counts[1])

	if budget != 0 && budget < 50<<20 {
		fmt.Fprintln(out, "no bodies of 25 MiB: they need a budget of 50 MiB")
		return lost, nil
	}
	f = &flood{body: 1<<20 + 1024, conns: 5}
	counts, err = run("/github", false, f, []int{2 << 20, 5 << 20, 20 << 20}, 0, length, 0)
	if err != nil {
		return false, err
	}
	lost = lost || counts[0].lost() || counts[1].lost()
	fmt.Fprintf(out, "5 bodies of 25 MiB that stop after 1 MiB, begun again when they are given up (%d times):\n", f.heads.Load())
	fmt.Fprintf(out, "\tgenuine bodies of 2 to 20 MiB accepted: HTTP/1.1 %v; HTTP/2 %v\n", &counts[0], &counts[1])
	if short {
		return lost, nil
	}

	for _, c := range []struct {
		what string
		load func(ctx context.Context, s *site, c *count)
	}{
		{"300 bodies of 1 MiB at once", func(_ context.Context, s *site, c *count) { together(s, "/stripe", 300, 1<<20, c) }},
		{"300 bodies of 1 MiB, 20 of 25 MiB and 6000 heads at once", func(ctx context.Context, s *site, c *count) {
			heads := &flood{address: s.address, path: "/stripe", header: fakeSignature("/stripe"), rate: 1 << 20, conns: 25}
			go heads.run(ctx, true)
			pause(ctx, time.Second)
			var group sync.WaitGroup
			group.Go(func() { together(s, "/github", 20, 25<<20-1024, c) })
			group.Go(func() { together(s, "/stripe", 300, 1<<20, c) })
			group.Wait()
		}},
	} {
		var accepted count
		peak, err := memory(func(ctx context.Context, s *site) { c.load(ctx, s, &accepted) }, budget)
		if err != nil {
			peak = err.Error()
		}
		fmt.Fprintf(out, "%s (%v accepted): the server's memory was at most %s\n", c.what, &accepted, peak)
	}

	// The least of bodies is what the attacker needs of any kind: each has to be
	// charged, and younger than a second.
	for _, c := range []struct {
		what    string
		path    string
		http2   bool
		attack  int
		genuine int
		rate    float64
	}{
		{"50 KiB/s among bodies that stop after 4 KiB", "/stripe", true, 4<<10 + 1, 150 << 10, 50 << 10},
		{"1 MiB/s among bodies that stop after 1 MiB", "/github", false, 1<<20 + 1024, 3 << 20, 1 << 20},
	} {
		fmt.Fprintf(out, "a genuine body of %s:\n", c.what)
		for rate := 64.0 * 1024; rate <= 64<<20; rate *= 2 {
			f := &flood{body: c.attack, rate: rate, conns: 40}
			counts, err := run(c.path, c.http2, f, []int{c.genuine}, time.Second, 8*time.Second, c.rate)
			if err != nil {
				return lost, err
			}
			fmt.Fprintf(out, "\tattacker's rate %.0f KiB/s (wanted %.0f): HTTP/1.1 %v; HTTP/2 %v\n", f.rate/1024, rate/1024, &counts[0], &counts[1])
			if counts[0].lost() || counts[1].lost() {
				break
			}
		}
	}
	return lost, nil
}

// fakeSignature returns a header that is well-formed and holds for nothing.
func fakeSignature(path string) [2]string {
	digits := strings.Repeat("0", 64)
	if path == "/github" {
		return [2]string{"X-Hub-Signature-256", "sha256=" + digits}
	}
	return [2]string{"Stripe-Signature", fmt.Sprintf("t=%d,v1=%s", time.Now().Unix(), digits)}
}
