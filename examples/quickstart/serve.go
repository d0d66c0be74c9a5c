package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
)

// serve serves a site until ctx ends, and prints lines for a shell.
func serve(ctx context.Context, out io.Writer, l net.Listener) error {
	site := newSite()
	logger := log.New(out, "", log.Ltime)
	for _, a := range []*app{&site.netStripe, &site.netGitHub, &site.echoStripe, &site.echoGitHub} {
		a.handled = func(provider, event string) { logger.Printf("handled %s from %s", event, provider) }
	}
	srv := newServer(site)
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()

	fmt.Fprint(out, strings.NewReplacer(
		"{base}", "http://"+l.Addr().String(),
		"{stripe}", site.stripeSecret,
		"{github}", site.githubSecret,
	).Replace(lines))
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return srv.Shutdown(context.Background())
	}
}

const lines = `Paste this into another shell (sh, bash or zsh). The secrets are made up and end
with this server. Ctrl-C ends it.

secret='{stripe}'
now=$(date +%s)
body='{"id":"evt_'$now'","object":"event","type":"invoice.paid"}'
stripe_webhook() {
  mac=$(printf '%s.%s' "$1" "$body" | openssl dgst -sha256 -hmac "$secret" | awk '{print $NF}')
  curl -i {base}/nethttp/stripe -H 'Content-Type: application/json' -H "Stripe-Signature: t=$1,v1=$mac" -d "$body"
}
printf '\n\n== Stripe, genuine: 200\n'; stripe_webhook $now
printf '\n\n== the same once more: 409\n'; stripe_webhook $now
printf '\n\n== signed anew, as in a retry: 200\n'; stripe_webhook $((now + 1))
printf '\n\n== signed ten minutes ago: 401\n'; stripe_webhook $((now - 600))
printf '\n\n== unsigned: 401\n'
curl -i {base}/nethttp/stripe -H 'Content-Type: application/json' -d "$body"

secret='{github}'
body='{"ref":"refs/heads/main","after":"'$now'"}'
github_webhook() {
  mac=$(printf '%s' "$body" | openssl dgst -sha256 -hmac "$secret" | awk '{print $NF}')
  curl -i {base}/echo/github -H 'Content-Type: application/json' -H 'X-GitHub-Event: push' -H "X-GitHub-Delivery: $1" -H "X-Hub-Signature-256: sha256=$mac" -d "$body"
}
printf '\n\n== GitHub, genuine: 200\n'; github_webhook first
printf '\n\n== the same under another id: 409\n'; github_webhook second
printf '\n\n== unsigned: 401\n'
curl -i {base}/echo/github -H 'Content-Type: application/json' -d "$body"

`
