// Hooknotary stands in front of a receiver of webhooks and hands it each genuine delivery
// once. It also works with captured deliveries: it verifies them and says why one fails,
// shows what exactly was signed, signs bodies to try an endpoint with, and looks after the
// store of a fleet.
//
//	go build ./cmd/hooknotary # in a checkout
//
// # Serve
//
//	export STRIPE_WEBHOOK_SECRET=…
//	hooknotary serve --provider stripe --secret-env STRIPE_WEBHOOK_SECRET --path /hooks/stripe --upstream http://127.0.0.1:5678/webhook/stripe
//	hooknotary serve --config /etc/hooknotary/hooknotary.yaml --watch
//
// runs a gateway: one route, or all that a file says. What is not genuine gets 401, what was
// handled before is acknowledged or refused, and the rest goes to the upstream in a request
// of the gateway's own; the event is done when the upstream has responded with 2xx. The file
// is described in guides/reference.md, and the folder guides shows receivers and places to
// run in.
//
// SIGHUP, or with --watch a change, loads the file and all that it names anew. Requests go on
// with what they began with. A mistake changes nothing but the log and the metric
// hooknotary_config_last_reload_successful. What needs a restart is named in the log:
// listeners, store, recorder, telemetry and bounds of the whole process. The values of
// environment variables are those of the start.
//
// SIGTERM and SIGINT shut it down: /readyz turns 503, requests are served for the time of
// shutdown.drain (5 seconds), the listeners close, and requests under way have the time of
// shutdown.grace (20 seconds). The exit code is 0; 1 after a second signal, which ends it at
// once; 2 if a flag or the file is wrong, or if a listener or the store fails at the start.
//
// # Verify
//
//	export STRIPE_WEBHOOK_SECRET=…
//	hooknotary verify --provider stripe --secret-env STRIPE_WEBHOOK_SECRET invoice.http
//
// A capture is judged as middleware.Protect would judge the request, at the receive
// time that --at gives, else at that of the capture, else now. For one that is refused
// the diagnosis follows: what is wrong, and what to do about it. The exit code is 0 if
// every capture verifies, 1 if one does not, and 2 if a file or a flag is wrong; then
// there is no verdict about any of them.
//
// With --json there is one line for each capture, an object with these members:
//
//	file           the file's name
//	index          which delivery of the file, from 1; absent if it holds only one
//	provider       "stripe"
//	verdict        "accept" or "reject"
//	reason         "" or the label of a verify.Reason, such as "mismatch"
//	error          "" or the reason with its cause, for people
//	received_at    the receive time that it was judged at, RFC 3339
//	received_from  where that is from: "at" (the flag), "capture" or "now"
//	inexact        "" or why the bytes may not be those that were signed
//	delivery       null, or on accept what was verified: id, message_id, key, signed_at
//	               (null if no time is signed), binding, and unsigned with id and type
//	findings       a list, the likeliest first: id, confidence, text and fix
//
// # Explain
//
//	hooknotary explain --provider github delivery.http
//
// shows the signed message in pieces, which headers the scheme reads, and what the
// signature does not cover. It needs no secret.
//
// # Sign
//
//	hooknotary sign --provider stripe --secret-env STRIPE_WEBHOOK_SECRET event.json > event.http
//	hooknotary sign --provider stripe --secret-env STRIPE_WEBHOOK_SECRET --to http://localhost:8080/hooks --repeat 1 event.json
//
// writes a signed capture, or sends it to an endpoint: to loopback addresses, and
// anywhere else only with --allow-remote.
//
// # Store
//
//	hooknotary store show --redis-env REDIS_URL --endpoint billing --provider stripe --id evt_1PqX2
//	hooknotary store forget --postgres-env DATABASE_URL --provider github --capture push.http --secret-env HOOK_SECRET --yes
//	hooknotary store stats --sqlite store.db
//
// shows what a shared store knows of an event, makes it forget a finished one so that
// it can run again, and counts the records. The exit code is 0, 1 if the event is unknown
// or, for forget, still being handled, and 2 if a flag or a file is wrong, a capture does
// not verify, or the store fails. With --json, show and forget print an object with
// these members, and stats one with records:
//
//	key            in hexadecimal, for --key
//	status         "done", "in_flight" or "unknown"; for forget, what it was before
//	lease_seconds  how long the lease still runs, or 0
//	kept_seconds   how long the record is kept if nothing else happens, or 0
//	forgotten      whether it was forgotten; absent for show
//
// # Assert
//
//	hooknotary assert jwks --config hooknotary.yaml > jwks.json
//	hooknotary assert verify --jwks jwks.json --issuer https://hooks.example.com --audience billing upstream.http
//
// prints the public keys of a gateway, and checks with them, or with a shared secret, the
// assertion of a captured request to its receiver, hash of the body included. Exit codes
// and JSON are those of verify; on accept an object has one member more:
//
//	assertion      issuer, audience, id, issued_at, expires_at, route, provider, scope,
//	               key_label, event_id, event_key, signed_at (null if no time is signed),
//	               received_at and binding
//
// # Check
//
//	hooknotary check --config /etc/hooknotary/hooknotary.yaml --connect
//
// checks the file of a gateway, and shows each route with its provider, its keys by their
// labels, its upstream and every bound in force. Mistakes go to the standard error, each on a
// line that begins with FILE:LINE, and none repeats a value of the file. The exit code is 0
// if a gateway would serve all of it, 1 if it would and with --connect an upstream or the
// store does not answer, and 2 if something is wrong. The file is described in
// guides/reference.md.
//
// # Secrets
//
// No flag takes a secret, nor the address of a server, which may hold a password,
// because command lines end up in histories and in lists of processes. Both come from
// an environment variable or a file, a secret also from the standard input, and none
// is ever printed.
//
// hooknotary <command> --help says more, and "hooknotary providers" lists what is
// known.
package main

import (
	"context"
	"os"
	"time"
)

func main() {
	p := &program{
		stdin:  os.Stdin,
		stdout: os.Stdout,
		stderr: os.Stderr,
		lookup: os.LookupEnv,
		now:    time.Now,
		sleep:  time.Sleep,
		colour: colourful(os.Stdout, os.LookupEnv),
	}
	os.Exit(p.run(context.Background(), os.Args[1:]))
}
