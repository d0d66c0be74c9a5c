package main

import (
	"crypto/rand"
	"fmt"
	"hash/crc32"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/providers/shopify"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
)

// Providers are also the names and the paths of their endpoints.
const (
	stripeName = "stripe"
	gitHub     = "github"
	payPal     = "paypal"
)

// shopify stands in for PayPal where the servers are gateways.
const shopifyName = "shopify"

const webhookID = "8PT597110X687430L"

// delivery is what goes over the wire.
type delivery struct {
	header http.Header
	body   []byte
	signed time.Time // zero where the provider signs no time
}

// message returns the signed id of the transmission, or "".
func (d delivery) message() string { return d.header.Get("Paypal-Transmission-Id") }

// provider signs deliveries as one provider does.
type provider struct {
	name string
	body func(event string) []byte
	sign func(at time.Time, body []byte) http.Header
	// stranger signs as somebody who is not the provider.
	stranger func(at time.Time, body []byte) http.Header
	// retry makes the next attempt of the last one.
	retry func(r *mathrand.Rand, last delivery, at time.Time) delivery
	// resigns says that every attempt has a new signed time, so that a store which
	// was emptied refuses what was signed before.
	resigns bool
	// stale is when a delivery was signed that is too old; zero: it never is.
	stale time.Duration
	// pause is how long it waits after the first attempt, half of it more or less.
	// It waits twice as long each time.
	pause time.Duration
}

// newStripe signs each attempt anew, with a new time.
func newStripe(secret string) *provider {
	p := &provider{
		name: stripeName,
		body: func(event string) []byte {
			return fmt.Appendf(nil, `{"id":"evt_%s","object":"event","event":"%[1]s","type":"invoice.paid"}`, event)
		},
		sign: func(at time.Time, body []byte) http.Header { return stripetest.Header(at, body, secret) },
		stranger: func(at time.Time, body []byte) http.Header {
			return stripetest.Header(at, body, "whsec_of_somebody_else")
		},
		resigns: true,
		stale:   10 * time.Minute,
		pause:   50 * time.Millisecond,
	}
	p.retry = func(_ *mathrand.Rand, last delivery, at time.Time) delivery { return p.deliver(at, last.body) }
	return p
}

// newGitHub never retries. Its operator runs a script that redelivers what
// failed: the same bytes, under the same delivery id.
func newGitHub(secret string) *provider {
	return &provider{
		name: gitHub,
		body: func(event string) []byte {
			return fmt.Appendf(nil, `{"ref":"refs/heads/main","event":"%s"}`, event)
		},
		sign: func(_ time.Time, body []byte) http.Header { return githubtest.Header("push", body, secret) },
		stranger: func(_ time.Time, body []byte) http.Header {
			return githubtest.Header("push", body, "a secret of somebody else")
		},
		retry: func(_ *mathrand.Rand, last delivery, _ time.Time) delivery { return last },
		pause: 120 * time.Millisecond,
	}
}

// newPayPal sends the same bytes again, or the same event in a new transmission:
// which one it does is not documented.
func newPayPal(account *paypaltest.PayPal) *provider {
	other := paypaltest.New("2RN13029J36659323")
	p := &provider{
		name: payPal,
		body: func(event string) []byte {
			return fmt.Appendf(nil, `{"id":"WH-%s","event":"%[1]s","event_type":"PAYMENT.SALE.COMPLETED"}`, event)
		},
		sign:     account.Header,
		stranger: other.Header,
		stale:    4 * 24 * time.Hour,
		pause:    50 * time.Millisecond,
	}
	p.retry = func(r *mathrand.Rand, last delivery, at time.Time) delivery {
		if r.IntN(2) == 0 {
			return last
		}
		return p.deliver(at, last.body)
	}
	return p
}

// newShopify repeats its bytes, and signs no time.
func newShopify(secret string) *provider {
	sign := func(body []byte, secret string) http.Header {
		h, err := signer.Header(shopify.Definition(), signer.Delivery{Body: body, Secrets: []string{secret}})
		if err != nil {
			panic(err) // any text is a secret
		}
		h.Set("Content-Type", "application/json")
		h.Set("X-Shopify-Topic", "orders/paid")
		return h
	}
	return &provider{
		name:     shopifyName,
		body:     func(event string) []byte { return fmt.Appendf(nil, `{"id":820982911946154508,"event":"%s"}`, event) },
		sign:     func(_ time.Time, body []byte) http.Header { return sign(body, secret) },
		stranger: func(_ time.Time, body []byte) http.Header { return sign(body, "a secret of somebody else") },
		retry:    func(_ *mathrand.Rand, last delivery, _ time.Time) delivery { return last },
		pause:    50 * time.Millisecond,
	}
}

// deliver signs a body.
func (p *provider) deliver(at time.Time, body []byte) delivery {
	if p.name == gitHub || p.name == shopifyName {
		return delivery{header: p.sign(at, body), body: body}
	}
	return delivery{p.sign(at, body), body, at}
}

// copied returns what an attacker sends who has seen a delivery: its bytes, and
// where that costs nothing, another id outside the signature.
func (p *provider) copied(r *mathrand.Rand, d delivery) delivery {
	if p.name == gitHub && r.IntN(2) == 0 {
		d.header = maps.Clone(d.header)
		d.header.Set("X-GitHub-Delivery", rand.Text())
	}
	return d
}

// forge returns a delivery that the provider did not sign, made of one that it
// did. For PayPal, once its guard has seen the genuine one, this is another body
// under the genuine signature.
func (p *provider) forge(r *mathrand.Rand, d delivery, seen bool) delivery {
	forged := []byte(strings.Replace(string(d.body), `"event":"`, `"event":"forged-`, 1))
	forged = []byte(strings.Replace(string(forged), `"id":"evt_`, `"id":"evt_forged`, 1))
	forged = []byte(strings.Replace(string(forged), `"id":"WH-`, `"id":"WH-FORGED-`, 1))
	switch {
	case p.name == payPal && seen && r.IntN(4) > 0:
		return delivery{d.header, collide(forged, crc32.ChecksumIEEE(d.body)), d.signed}
	case r.IntN(2) == 0:
		return delivery{header: p.stranger(time.Now(), forged), body: forged}
	}
	return delivery{d.header, forged, d.signed}
}

// collide appends white space to a body until it has this CRC-32.
func collide(body []byte, sum uint32) []byte {
	const n = 64 // places for a space or a tab
	forged := append(slices.Clone(body), strings.Repeat(" ", n)...)
	blank := crc32.ChecksumIEEE(forged)
	type change struct {
		sum  uint32
		tabs uint64
	}
	var basis [32]change // by their highest bit
	reduce := func(c change) (change, int) {
		for bit := 31; bit >= 0; bit-- {
			if c.sum>>bit&1 == 0 {
				continue
			}
			if basis[bit].sum == 0 {
				return c, bit
			}
			c.sum, c.tabs = c.sum^basis[bit].sum, c.tabs^basis[bit].tabs
		}
		return c, -1
	}
	for i := range n {
		forged[len(body)+i] = '\t'
		if c, bit := reduce(change{blank ^ crc32.ChecksumIEEE(forged), 1 << i}); bit >= 0 {
			basis[bit] = c
		}
		forged[len(body)+i] = ' '
	}
	need, bit := reduce(change{blank ^ sum, 0})
	if bit >= 0 {
		panic("no collision: 64 places always have one")
	}
	for i := range n {
		if need.tabs>>i&1 == 1 {
			forged[len(body)+i] = '\t'
		}
	}
	return forged
}
