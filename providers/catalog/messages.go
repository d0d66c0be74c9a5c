package catalog

import (
	"github.com/hooknotary/hooknotary/providers/bird"
	"github.com/hooknotary/hooknotary/providers/contentful"
	"github.com/hooknotary/hooknotary/providers/hook0"
	"github.com/hooknotary/hooknotary/providers/httpsig"
	"github.com/hooknotary/hooknotary/providers/inngest"
	"github.com/hooknotary/hooknotary/providers/mandrill"
	"github.com/hooknotary/hooknotary/providers/plivo"
	"github.com/hooknotary/hooknotary/providers/twilio"
	"github.com/hooknotary/hooknotary/providers/vonagesms"
	"github.com/hooknotary/hooknotary/verify"
)

// messages lists the providers whose message takes code.
var messages = [...]func() (Provider, error){
	keyed(bird.About, true, func(keys verify.KeySource, o Options) (verify.Verifier, error) { return bird.New(o.URL, keys, nil) }),
	keyed(contentful.About, true, func(keys verify.KeySource, o Options) (verify.Verifier, error) {
		return contentful.New(o.URL, keys, nil)
	}),
	keyed(hook0.About, false, func(keys verify.KeySource, _ Options) (verify.Verifier, error) { return hook0.New(keys, nil) }),
	func() (Provider, error) {
		p, err := keyed(hook0.AboutCoinbaseCDP, false, func(keys verify.KeySource, _ Options) (verify.Verifier, error) {
			return hook0.NewCoinbaseCDP(keys, nil)
		})()
		p.Package = "hook0"
		return p, err
	},
	// The tools know the algorithm that senders of webhooks use most.
	program(httpsig.About, true, "1a7d9e6f8e491237d1d2a01e0610da93ddd84ed572ad9d61a1feb78239596cfe", func(o Options, texts ...string) (verify.Verifier, error) {
		return httpsig.New(o.URL, httpsig.Ed25519, verify.PublicKeys(texts...), nil)
	}),
	keyed(inngest.About, false, func(keys verify.KeySource, _ Options) (verify.Verifier, error) { return inngest.New(keys, nil) }),
	keyed(mandrill.About, true, func(keys verify.KeySource, o Options) (verify.Verifier, error) { return mandrill.New(o.URL, keys, nil) }),
	keyed(plivo.About, true, func(keys verify.KeySource, o Options) (verify.Verifier, error) { return plivo.New(o.URL, keys, nil) }),
	keyed(twilio.About, true, func(keys verify.KeySource, o Options) (verify.Verifier, error) { return twilio.New(o.URL, keys, nil) }),
	keyed(vonagesms.About, false, func(keys verify.KeySource, _ Options) (verify.Verifier, error) { return vonagesms.New(keys, nil) }),
}
