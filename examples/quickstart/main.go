// Quickstart shows what hooknotary promises, and checks it.
//
//	go run ./examples/quickstart
//
// serves Stripe, GitHub and PayPal through net/http and through echo on a loopback
// address, sends genuine, forged, stale, replayed, oversized and concurrent
// deliveries to itself over real connections, and prints what came back beside
// what is promised. It exits with 1 if the two differ anywhere.
//
//	go run ./examples/quickstart -serve
//
// keeps serving instead, and prints curl lines to paste.
//
// What to copy is in site.go: the guards, the handlers, the server. The script is
// in script.go, and play.go sends it.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
)

func main() {
	stay := flag.Bool("serve", false, "keep serving, and print curl lines to paste")
	addr := flag.String("addr", "127.0.0.1:8080", "where -serve listens")
	flag.Parse()

	if err := run(*stay, *addr); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(stay bool, addr string) error {
	if !stay {
		slog.SetDefault(slog.New(slog.DiscardHandler)) // the guards log their refusals; the table shows them
		return play(os.Stdout, script())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return serve(ctx, os.Stdout, l)
}
