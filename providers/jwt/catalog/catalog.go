// Package catalog lists the senders of this module, as data. It is for tools; a service
// imports the package of its sender.
package catalog

import (
	"github.com/hooknotary/hooknotary/providers/jwt"
	"github.com/hooknotary/hooknotary/providers/jwt/fusionauth"
	"github.com/hooknotary/hooknotary/providers/jwt/livekit"
	"github.com/hooknotary/hooknotary/providers/jwt/messagebird"
	"github.com/hooknotary/hooknotary/providers/jwt/monday"
	"github.com/hooknotary/hooknotary/providers/jwt/netlify"
	"github.com/hooknotary/hooknotary/providers/jwt/plaid"
	"github.com/hooknotary/hooknotary/providers/jwt/pubsub"
	"github.com/hooknotary/hooknotary/providers/jwt/qstash"
	"github.com/hooknotary/hooknotary/providers/jwt/saleor"
	"github.com/hooknotary/hooknotary/providers/jwt/vonage"
)

// All returns the definitions in the order of their providers. FusionAuth, whose algorithm
// is the user's, is there with RS256. The list is the caller's.
func All() []jwt.Definition {
	return []jwt.Definition{
		fusionauth.Definition(jwt.RS256),
		livekit.Definition(),
		messagebird.Definition(),
		monday.Definition(),
		netlify.Definition(),
		plaid.Definition(),
		pubsub.Definition(),
		qstash.Definition(),
		saleor.Definition(),
		vonage.Definition(),
	}
}
