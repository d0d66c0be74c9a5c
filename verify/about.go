package verify

// About is what people and tools want to know of a scheme beyond its verdicts: what a
// command line explains, what a diagnosis looks for, what a table of providers prints.
// It is plain data, and no verdict but the refusal of a secret depends on it
// (Credentials).
//
// A verifier returns it from a method About, where it has one.
type About struct {
	// Title is the name as the provider writes it: "Stripe".
	Title string `json:"title"`

	// Signed says in a few words what is signed, and how: "time and body,
	// HMAC-SHA256".
	Signed string `json:"signed"`

	// InBody: the signature, and all that is signed, stands in the body. No header is
	// read, and Headers may be empty.
	InBody bool `json:"in_body,omitempty"`

	// Headers lists each header that the scheme can read, the strongest
	// signature's first.
	Headers []HeaderUse `json:"headers"`

	// SecretQuery names the parameters of the query that hold a credential of the
	// endpoint, such as the verify token of a handshake. As with a secret header, nobody
	// passes one on.
	SecretQuery []string `json:"secret_query,omitempty"`

	// NotCovered says what the signature does not cover although one might think
	// so. Each is a phrase without a full stop.
	NotCovered []string `json:"not_covered"`

	// EqualBodies: equal bodies are one event, because nothing else that is signed tells
	// two events apart. An honest second event with the same body does not run.
	EqualBodies bool `json:"equal_bodies"`

	// Identifier names the public id that configures an endpoint in place of a
	// secret: "webhook id". There is one, it is not rotated, and no other spelling of
	// it is tried. Empty: a secret configures the endpoint.
	Identifier string `json:"identifier,omitempty"`

	// SecretPrefix is how the provider's signing secrets begin, if all of them, or all
	// that it makes today, begin in the same way: "whsec_".
	SecretPrefix string `json:"secret_prefix,omitempty"`

	// Credentials lists the provider's other credentials, such as API keys, which
	// people put in the place of the signing secret. A verifier refuses them there.
	Credentials []Credential `json:"credentials"`

	// JSON says how the sender writes its bodies. Zero: not known.
	JSON JSONStyle `json:"json"`

	// Tell says how others tell a delivery of this sender.
	Tell Tell `json:"tell"`

	// OtherMedia says what a genuine delivery of another media type than the
	// endpoint's means.
	OtherMedia []MediaNote `json:"other_media,omitempty"`

	// Handshakes says which requests the guard answers itself, each a phrase without a
	// full stop: "a GET with challenge".
	Handshakes []string `json:"handshakes,omitempty"`

	// Links are pages of the provider's documentation, that on signatures first.
	Links []string `json:"links"`

	// OutsideVector names the source of a test vector that others made: deliveries
	// of the provider, its documentation, tests of its SDK. Empty: there is none, and
	// the scheme rests on our reading of the documentation alone.
	OutsideVector string `json:"outside_vector,omitempty"`
}

// HeaderUse says what a scheme does with a header.
type HeaderUse struct {
	Name string `json:"name"` // canonical
	Use  string `json:"use"`  // what it is for, and what of it is signed
	// Weak is how the value of a weak signature begins ("sha1="), which counts only
	// where an option says so and the stronger one is absent. Empty: it is not weak.
	Weak string `json:"weak,omitempty"`
	// Secret: the value is or contains a credential that whoever reads it can send
	// again: a shared secret, a bearer token, user and password, or a JWT. Nobody logs it
	// or passes it on. A signature over the body alone is none.
	Secret bool `json:"secret,omitempty"`
}

// Credential is a kind of text that people put in the place of a signing secret.
type Credential struct {
	Prefix string `json:"prefix"`           // how it begins
	Length int    `json:"length,omitempty"` // how many bytes it has; 0: any number
	What   string `json:"what"`             // "an API key"
	// Secret: it is a secret itself, and not the name of something.
	Secret bool `json:"secret"`
}

// Matches reports whether a text has the form of the credential.
func (c Credential) Matches(text string) bool {
	return len(text) >= len(c.Prefix) && text[:len(c.Prefix)] == c.Prefix && (c.Length == 0 || len(text) == c.Length)
}

// JSONStyle says how a sender writes JSON. The zero value is a style that is not known.
type JSONStyle struct {
	Space JSONSpace `json:"space,omitempty"`
	// First lists the members that stand first in every object, in this order.
	First []string `json:"first,omitempty"`
	// Sorted: members stand in the order of their names, behind those of First.
	Sorted bool `json:"sorted,omitempty"`
}

// JSONSpace says what white space stands between the tokens of a JSON text.
type JSONSpace string

const (
	JSONCompact  JSONSpace = "compact"  // none
	JSONIndented JSONSpace = "indented" // a line for each member, two spaces a level
	JSONSpaced   JSONSpace = "spaced"   // one space behind each comma and colon
)

// Tell says how others tell a delivery of a sender by its headers.
type Tell struct {
	// Name is what a finding calls the sender. Empty: the title.
	Name string `json:"name,omitempty"`
	// Headers are canonical names, the signature's first. Each of them tells.
	Headers []string `json:"headers"`
	// Value is how the value of the signature's header begins: "sha256=". Empty: in
	// any way.
	Value string `json:"value,omitempty"`
	// Before is what is signed in front of the body, with {Header} for the value of
	// a header and {=name} for that of an item of the signature's header. It is
	// NotBeforeBody where the signature is no HMAC over something that ends in the
	// body.
	Before string `json:"before"`
}

// NotBeforeBody is the Before of a Tell whose signature is no HMAC over something that
// ends in the body.
const NotBeforeBody = "-"

// MediaNote says what a delivery of another media type means, and what to do about it.
type MediaNote struct {
	Type string `json:"type"` // "application/x-www-form-urlencoded"
	Text string `json:"text"` // what it means, a sentence
	Fix  string `json:"fix"`  // what to do, a sentence
}

// Clone returns a copy that shares nothing with a.
func (a About) Clone() About {
	a.Headers = append([]HeaderUse{}, a.Headers...)
	a.SecretQuery = append([]string(nil), a.SecretQuery...)
	a.NotCovered = append([]string{}, a.NotCovered...)
	a.Credentials = append([]Credential{}, a.Credentials...)
	a.JSON.First = append([]string(nil), a.JSON.First...)
	a.Tell.Headers = append([]string{}, a.Tell.Headers...)
	a.OtherMedia = append([]MediaNote(nil), a.OtherMedia...)
	a.Handshakes = append([]string(nil), a.Handshakes...)
	a.Links = append([]string{}, a.Links...)
	return a
}
