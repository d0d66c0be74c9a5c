package catalog

import (
	"github.com/hooknotary/hooknotary/providers/mandrill"
	"github.com/hooknotary/hooknotary/providers/plivo"
	"github.com/hooknotary/hooknotary/providers/twilio"
	"github.com/hooknotary/hooknotary/verify"
)

// messages lists the providers whose message takes code.
var messages = [...]func() (Provider, error){
	keyed(mandrill.About, true, func(keys verify.KeySource, o Options) (verify.Verifier, error) { return mandrill.New(o.URL, keys, nil) }),
	keyed(plivo.About, true, func(keys verify.KeySource, o Options) (verify.Verifier, error) { return plivo.New(o.URL, keys, nil) }),
	keyed(twilio.About, true, func(keys verify.KeySource, o Options) (verify.Verifier, error) { return twilio.New(o.URL, keys, nil) }),
}
