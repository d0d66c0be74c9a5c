package standardwebhooks

import (
	"net/http"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// Sender is a sender that signs as Standard Webhooks say, under its own name. The
// constants are all there are. The zero value is none; New refuses it.
//
// V1a is no sender: it stands for all that sign as the specification's version v1a says,
// with a private key. It takes public keys, "whpk_…", in the place of secrets.
type Sender uint8

// New makes a verifier of s from keys, for example [verify.Secrets] of one endpoint. A
// nil o is the zero Options. It returns an error for a secret that cannot be right.
func (s Sender) New(keys verify.KeySource, o *scheme.Options) (*scheme.Verifier, error) {
	return scheme.New(s.Definition(), keys, o)
}

// Must makes a verifier of s from the secrets of one endpoint: one, or several while they
// are rotated. It panics where New returns an error.
func (s Sender) Must(secrets ...string) *scheme.Verifier {
	return scheme.Must(s.Definition(), secrets...)
}

// String returns the name of s in the catalogue, such as "clerk".
func (s Sender) String() string { return s.row().name }

// Senders returns all senders that have a constant, in the order of their names. The list
// is the caller's.
func Senders() []Sender {
	var all []Sender
	for s := Sender(1); s < end; s++ {
		all = append(all, s)
	}
	return all
}

// Definition returns how s signs, as data. That of a value which is none of the constants
// is the zero Definition.
func (s Sender) Definition() scheme.Definition {
	r := s.row()
	if r.name == "" {
		return scheme.Definition{} // which scheme.New refuses
	}
	d := Definition()
	d.Provider, d.About.Title, d.About.Links = r.name, r.title, append(r.links, specification)
	d.About.OutsideVector = r.outside
	d.About.NotCovered = append(d.About.NotCovered, r.notCovered...)
	d.About.Credentials = append(d.About.Credentials, r.credentials...)
	switch r.names {
	case svixNames, eitherNames:
		rename(&d, "Svix-Id", "Svix-Timestamp", "Svix-Signature")
		d.About.Tell.Name = "Svix"
	case finchNames:
		rename(&d, "Finch-Event-Id", "Finch-Timestamp", "Finch-Signature")
		d.About.Tell.Name = ""
	}
	if r.names == eitherNames {
		d.Aliases = []scheme.Alias{
			{Header: "Svix-Id", Other: "Webhook-Id"},
			{Header: "Svix-Timestamp", Other: "Webhook-Timestamp"},
			{Header: "Svix-Signature", Other: "Webhook-Signature"},
		}
	}
	switch r.secret {
	case prefixed:
		d.Secret.PrefixRequired = true
	case bare:
		d.Secret, d.About.SecretPrefix = scheme.Secret{Encoding: scheme.Base64Secret}, ""
	case text:
		d.Secret, d.About.SecretPrefix = scheme.Secret{}, ""
	case public:
		d.Signatures[0].Field, d.Signatures[0].Algorithm = "v1a", scheme.Ed25519
		d.Secret, d.About.SecretPrefix = scheme.Secret{}, "whpk_"
		d.About.Credentials = nil // what is no public key is refused as such
	case versioned:
		d.Secret.Prefix, d.About.SecretPrefix = "v1,whsec_", "v1,whsec_"
	}
	if r.maxBody > 0 {
		d.MaxBody = r.maxBody
	}
	return d
}

// rename gives the three headers other names.
func rename(d *scheme.Definition, id, at, signature string) {
	d.ID.Header, d.Timestamp.Header, d.Signatures[0].Header = id, at, signature
	d.Message[0] = scheme.Field(id)
	d.About.Tell.Headers = []string{http.CanonicalHeaderKey(signature), http.CanonicalHeaderKey(id)}
}

// names says which names the headers have.
type names uint8

const (
	webhookNames names = iota // webhook-id, webhook-timestamp, webhook-signature
	svixNames                 // svix-id, svix-timestamp, svix-signature
	eitherNames               // all of the one or all of the other
	finchNames
)

// form says how a secret is written.
type form uint8

const (
	whsec     form = iota // base64, "whsec_" in front or not
	prefixed              // base64, "whsec_" in front
	bare                  // base64, nothing in front
	text                  // its bytes are the key
	versioned             // base64, "v1,whsec_" in front or not
	public                // a public key of Ed25519
)

// row is what tells a sender from the specification. What is left out is as there.
type row struct {
	name, title string
	names       names
	secret      form
	maxBody     int64
	notCovered  []string
	credentials []verify.Credential
	links       []string // its own documentation
	outside     string
}

// row returns what is known of s, or the zero row.
func (s Sender) row() row {
	all := rows()
	if int(s) >= len(all) {
		return row{}
	}
	return all[s]
}
