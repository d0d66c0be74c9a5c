package scheme

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hooknotary/hooknotary/providers/internal/jsonscan"
	"github.com/hooknotary/hooknotary/verify"
)

// Handshake describes how a provider checks whether an endpoint is there, and what it
// wants to read then. A guard answers it, and runs no handler.
//
// What is echoed, the challenge, has up to MaxChallenge letters, digits and characters of
// "-_.~+/=", and those of Extra: nothing that HTML or JSON knows.
type Handshake struct {
	// Kind says how the handshake comes. Required.
	Kind HandshakeKind

	// If lists what must be there besides: parameters of the query, or members of the
	// body of a SignedHandshake. A SignedHandshake is one only if all of them are there;
	// any other one that lacks one of them is refused.
	If []Condition

	// Token names the parameter of the query that must hold Options.VerifyToken. Without
	// that option no such handshake is answered.
	Token string

	// Parameter, Header or Member says where the challenge stands: in the query, in a
	// header, or in the body, where dots lead into an object: "payload.plainToken". All
	// of them are empty where there is none.
	Parameter, Header, Member string

	// Without names what a delivery has and this handshake lacks, and by which it is told
	// from one: a header of a PostHandshake with a Member, which needs it; or a member of
	// the body of a SignedHandshake.
	Without string

	// Extra lists further characters of a challenge. There are neither quotation marks nor
	// any of \<>&{}$ among them.
	Extra string

	// MaxChallenge is how many bytes a challenge has at most. Default: 256; at most 1024.
	MaxChallenge int

	// Response is the body of the response. It is $challenge, which makes it plain text;
	// or a JSON object in which $challenge stands for the challenge, and $hmac_hex and
	// $hmac_base64 for its HMAC-SHA256 under the key of the endpoint, under the first one
	// if there are several and none has signed; or empty.
	Response string
}

// Condition is a parameter or a member with its value: a string, or a number as it is
// written.
type Condition struct{ Name, Value string }

// HandshakeKind is how a handshake comes, and so what is known of its sender.
type HandshakeKind uint8

const (
	// GetHandshake is a GET. Anyone can send it.
	GetHandshake HandshakeKind = iota + 1
	// HeadHandshake is a HEAD, which asks whether there is anybody. Anyone can send it.
	HeadHandshake
	// PostHandshake is a POST that is not signed. It needs a Token, which the registered
	// URL carries in its query.
	PostHandshake
	// SignedHandshake is a delivery, signed and verified like any other.
	SignedHandshake
)

// String returns "get", "head", "post", "signed" or "invalid".
func (k HandshakeKind) String() string {
	switch k {
	case GetHandshake:
		return "get"
	case HeadHandshake:
		return "head"
	case PostHandshake:
		return "post"
	case SignedHandshake:
		return "signed"
	}
	return "invalid"
}

const (
	challengeText  = "$challenge"
	hmacHexText    = "$hmac_hex"
	hmacBase64Text = "$hmac_base64"

	challengeAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+/="

	defaultChallenge = 256
	mostChallenge    = 1024
	maxHandshakes    = 8
	maxQuery         = 4 << 10 // bytes
)

var (
	errNoVerifyToken  = errors.New("a handshake came that carries a verify token, and Options.VerifyToken is not set")
	errVerifyToken    = errors.New("the verify token of the handshake is not that of Options.VerifyToken")
	errTokenMissing   = errors.New("the handshake has no verify token")
	errQuery          = errors.New("the query of the handshake is malformed, or repeats a parameter")
	errCondition      = errors.New("the handshake lacks something that the provider's handshakes have")
	errChallenge      = errors.New("the challenge of the handshake is missing, repeated, too long, or has a character that no challenge has")
	errHandshakeBody  = errors.New("the handshake has a body, and should have none")
	errChallengeMAC   = errors.New("the challenge could be signed only with a key, and there is none")
	errSignedKeyIsOut = errors.New("the key that signed the handshake is no longer there")
)

// computes reports whether the response holds an HMAC.
func (h *Handshake) computes() bool {
	return strings.Contains(h.Response, hmacHexText) || strings.Contains(h.Response, hmacBase64Text)
}

// good reports whether a challenge has its form.
func (h *Handshake) good(challenge string) bool {
	return challenge != "" && len(challenge) <= h.MaxChallenge && h.only(challenge)
}

// only reports whether a text consists of characters that a challenge may have.
func (h *Handshake) only(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool {
		return !strings.ContainsRune(challengeAlphabet, r) && !strings.ContainsRune(h.Extra, r)
	}) < 0
}

// check says what is wrong with a handshake, and fills in its defaults.
func (h *Handshake) check() error {
	h.If = slices.Clone(h.If)
	h.Header = http.CanonicalHeaderKey(h.Header)
	if h.Kind == PostHandshake {
		h.Without = http.CanonicalHeaderKey(h.Without)
	}
	if h.MaxChallenge == 0 {
		h.MaxChallenge = defaultChallenge
	}
	places := 0
	for _, place := range [...]string{h.Parameter, h.Header, h.Member} {
		if place != "" {
			places++
		}
	}
	echoes := strings.Contains(h.Response, "$")
	switch {
	case h.Kind < GetHandshake || h.Kind > SignedHandshake:
		return errors.New("a Handshake has no Kind: say how it comes")
	case h.MaxChallenge < 0 || h.MaxChallenge > mostChallenge:
		return fmt.Errorf("Handshake.MaxChallenge must lie between 0 and %d", mostChallenge)
	case places > 1:
		return errors.New("a Handshake has more than one of Parameter, Header and Member")
	case echoes != (places == 1):
		return errors.New("a Handshake with a challenge echoes it, and one without has no $ in its Response")
	case h.Kind == GetHandshake && (places == 0 || h.Member != ""):
		return errors.New("a GetHandshake has its challenge in a Parameter or in a Header")
	case h.Kind == HeadHandshake && (places > 0 || h.Response != "" || h.Token != "" || len(h.If) > 0):
		return errors.New("a HeadHandshake has nothing but its Kind")
	case h.Kind == PostHandshake && (h.Token == "" || h.Header != "" || places == 0):
		return errors.New("a PostHandshake needs a Token, and its challenge in a Parameter or in a Member: else anyone has the endpoint echo what they send")
	case h.Kind == SignedHandshake && (h.Token != "" || h.Parameter != "" || h.Header != ""):
		return errors.New("a SignedHandshake has its challenge in a Member, and no Token")
	case h.Kind == SignedHandshake && len(h.If) == 0:
		return errors.New("a SignedHandshake needs an If: else an event could be taken for one")
	case h.Kind == PostHandshake && h.Member != "" && h.Without == "":
		return errors.New("a PostHandshake with a Member needs Without, by which it is told from a delivery")
	case h.Without != "" && h.Kind != SignedHandshake && !(h.Kind == PostHandshake && h.Member != ""):
		return errors.New("a Without is for a PostHandshake with a Member, and for a SignedHandshake")
	case h.computes() && h.Kind == PostHandshake:
		return errors.New("a PostHandshake does not compute anything with a key")
	}
	for _, c := range h.If {
		if c.Name == "" || c.Value == "" {
			return errors.New("a Handshake has an If without a Name or a Value")
		}
	}
	if strings.ContainsAny(h.Extra, "\"'`\\<>&{}$") || strings.IndexFunc(h.Extra, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
		return errors.New("Handshake.Extra has a character that HTML or JSON knows, or that is no printing ASCII")
	}
	if h.Response == "" || h.Response == challengeText {
		return nil
	}
	sample := h.render("x", []byte{0})
	if sample[0] != '{' || !json.Valid(sample) || bytes.ContainsRune(sample, '$') {
		return fmt.Errorf("Handshake.Response must be empty, %s, or a JSON object in which %s, %s and %s stand inside of strings", challengeText, challengeText, hmacHexText, hmacBase64Text)
	}
	return nil
}

// render returns the body of the response.
func (h *Handshake) render(challenge string, mac []byte) []byte {
	return []byte(strings.NewReplacer(
		challengeText, challenge,
		hmacHexText, hex.EncodeToString(mac),
		hmacBase64Text, base64.StdEncoding.EncodeToString(mac),
	).Replace(h.Response))
}

// respond returns the response.
func (h *Handshake) respond(challenge string, mac []byte) *verify.Response {
	r := &verify.Response{Body: h.render(challenge, mac), Computed: h.computes()}
	switch {
	case h.Response == "" && h.Kind != HeadHandshake:
		// Discord wants a type of nothing, too.
		r.Status, r.ContentType = http.StatusNoContent, verify.ApplicationJSON
	case h.Response == challengeText:
		r.ContentType = verify.TextPlain
	case h.Response != "":
		r.ContentType = verify.ApplicationJSON
	}
	return r
}

// checkHandshakes checks the handshakes of a definition. What is computed with the key of
// the endpoint must never be the signature of a delivery: whoever may ask for it would
// have any delivery signed.
func (d *Definition) checkHandshakes() error {
	if len(d.Handshakes) > maxHandshakes {
		return fmt.Errorf("there are more than %d Handshakes", maxHandshakes)
	}
	d.Handshakes = cloneHandshakes(d.Handshakes)
	for i := range d.Handshakes {
		h := &d.Handshakes[i]
		if err := h.check(); err != nil {
			return err
		}
		if !h.computes() {
			continue
		}
		if d.Signatures[0].Algorithm != HMACSHA256 {
			return errors.New("a Handshake computes an HMAC-SHA256, and the first Signature is none")
		}
		// Something that each message holds, and no challenge does.
		apart := func(text string) bool { return text != "" && !h.only(text) }
		body := slices.ContainsFunc(d.Message, func(p Part) bool { return p.kind == BodyPart })
		literal := slices.ContainsFunc(d.Message, func(p Part) bool { return p.kind == LiteralPart && apart(p.text) })
		if !literal && !(body && apart(d.BodyPrefix)) {
			return errors.New("a Handshake computes what could be the signature of a delivery: give a BodyPrefix or a Literal with a character that no challenge has")
		}
	}
	return nil
}

func cloneHandshakes(all []Handshake) []Handshake {
	all = slices.Clone(all)
	for i := range all {
		all[i].If = slices.Clone(all[i].If)
	}
	return all
}

// Describe says what a handshake is, for About.Handshakes: "a GET with challenge".
func (h Handshake) Describe() string {
	text := map[HandshakeKind]string{
		GetHandshake: "a GET", HeadHandshake: "a HEAD", PostHandshake: "a POST that is not signed", SignedHandshake: "a delivery",
	}[h.Kind]
	switch {
	case h.Kind == SignedHandshake && len(h.If) > 0: // New wants one
		text += " with " + h.If[0].Name + " " + h.If[0].Value
	case h.Parameter != "":
		text += " with " + h.Parameter
	case h.Header != "":
		text += " with " + h.Header
	}
	if h.Token != "" {
		text += ", under a verify token"
	}
	return text
}

// Responder answers handshakes of a verifier that is code; a Verifier of this package has
// one. It is immutable and safe for concurrent use.
type Responder struct {
	handshakes []Handshake
	token      *[sha256.Size]byte // a hash of the verify token; nil: there is none

	// secret returns the key for what is computed: of that label and scope, or the first
	// one where both are empty. Nil: nothing is computed.
	secret func(ctx context.Context, h *verify.Head, scope, label string) ([]byte, error)
}

// NewResponder makes a responder. verifyToken is as Options.VerifyToken; it may be empty.
// Nothing is computed with a key: such a Handshake is an error.
func NewResponder(handshakes []Handshake, verifyToken string) (*Responder, error) {
	handshakes = cloneHandshakes(handshakes)
	for i := range handshakes {
		if err := handshakes[i].check(); err != nil {
			return nil, err
		}
		if handshakes[i].computes() {
			return nil, errors.New("a Handshake computes something with a key, which only a Definition can")
		}
	}
	return newResponder(handshakes, verifyToken, false)
}

func newResponder(handshakes []Handshake, verifyToken string, short bool) (*Responder, error) {
	r := &Responder{handshakes: handshakes}
	if verifyToken == "" {
		return r, nil
	}
	if !slices.ContainsFunc(handshakes, func(h Handshake) bool { return h.Token != "" }) {
		return nil, errors.New("the scheme has no handshake with a verify token: VerifyToken must be empty")
	}
	if _, err := verify.NewKey("handshake", "VerifyToken", []byte(verifyToken)); err != nil {
		return nil, fmt.Errorf("VerifyToken: %w", err)
	}
	if len(verifyToken) > maxValue || len(verifyToken) < minSecret && !short {
		return nil, fmt.Errorf("VerifyToken has %d bytes, want %d to %d (InsecureAllowShortSecret allows fewer)", len(verifyToken), minSecret, maxValue)
	}
	sum := sha256.Sum256([]byte(verifyToken))
	r.token = &sum
	return r, nil
}

// Format prints no token, whatever the verb.
func (r *Responder) Format(s fmt.State, _ rune) { fmt.Fprint(s, "scheme.Responder") }

// Challenge is as that of verify.Challenger.
func (r *Responder) Challenge(h *verify.Head) (verify.Challenge, error) {
	if h == nil || len(r.handshakes) == 0 {
		return nil, nil
	}
	for i := range r.handshakes {
		s := &r.handshakes[i]
		switch {
		case s.Kind == HeadHandshake && h.Method == http.MethodHead:
			return &challenged{r: r, by: s, head: h}, nil
		case s.Kind == GetHandshake && h.Method == http.MethodGet || s.Kind == PostHandshake && h.Method == http.MethodPost:
			if c, err := r.challenge(s, h); c != nil || err != nil {
				return c, err
			}
		}
	}
	return nil, nil
}

// challenge judges the head of a request that may be the handshake s.
func (r *Responder) challenge(s *Handshake, h *verify.Head) (verify.Challenge, error) {
	c := &challenged{r: r, by: s, head: h}
	query := ""
	if h.URL != nil {
		query = h.URL.RawQuery
	}
	if len(query) > maxQuery {
		return nil, nil
	}
	values, err := url.ParseQuery(query) // err: what could be read counts all the same
	switch {
	case s.Parameter != "" && len(values[s.Parameter]) == 0:
		return nil, nil
	case s.Header != "" && len(h.Header[s.Header]) == 0:
		return nil, nil
	case s.Member != "" && (len(values[s.Token]) == 0 || len(h.Header[s.Without]) > 0):
		return nil, nil
	case err != nil:
		return nil, refuse(verify.ErrMalformed, errQuery)
	}
	for _, condition := range s.If {
		if v := values[condition.Name]; len(v) != 1 || v[0] != condition.Value {
			return nil, refuse(verify.ErrMalformed, errCondition)
		}
	}
	if s.Member == "" {
		found := values[s.Parameter]
		if s.Header != "" {
			found = h.Header[s.Header]
		}
		if len(found) != 1 || !s.good(found[0]) {
			return nil, refuse(verify.ErrMalformed, errChallenge)
		}
		c.challenge = found[0]
	}
	if s.Token == "" {
		return c, nil
	}
	switch v := values[s.Token]; {
	case r.token == nil:
		return nil, refuse(verify.ErrMethod, errNoVerifyToken)
	case len(v) == 0:
		return nil, refuse(verify.ErrUnsigned, errTokenMissing)
	case len(v) > 1:
		return nil, refuse(verify.ErrMalformed, errQuery)
	default:
		// Of hashes, so that not even the length of the token shows in the time.
		sum := sha256.Sum256([]byte(v[0]))
		if subtle.ConstantTimeCompare(sum[:], r.token[:]) != 1 {
			return nil, refuse(verify.ErrMismatch, errVerifyToken)
		}
	}
	return c, nil
}

// challenged is a request whose head is that of a handshake.
type challenged struct {
	r         *Responder
	by        *Handshake
	head      *verify.Head
	challenge string // but for one in the body
}

// Finish returns the response.
func (c *challenged) Finish(ctx context.Context, body []byte) (*verify.Response, error) {
	if c.by.Member == "" && len(body) > 0 {
		return nil, refuse(verify.ErrMalformed, errHandshakeBody)
	}
	challenge := c.challenge
	if c.by.Member != "" {
		challenge = member(body, c.by.Member)
		if !c.by.good(challenge) {
			return nil, refuse(verify.ErrMalformed, errChallenge)
		}
	}
	return c.r.answer(ctx, c.by, c.head, challenge, "", "")
}

// Respond is as that of verify.Challenger.
func (r *Responder) Respond(ctx context.Context, h *verify.Head, d *verify.Delivery) (*verify.Response, error) {
	for i := range r.handshakes {
		s := &r.handshakes[i]
		if s.Kind != SignedHandshake || !s.matches(d.Body) {
			continue
		}
		challenge := ""
		if s.Member != "" {
			if challenge = member(d.Body, s.Member); !s.good(challenge) {
				return nil, &verify.Error{Reason: verify.ErrMalformed, Cause: errChallenge, Message: d.Fingerprint}
			}
		}
		return r.answer(ctx, s, h, challenge, d.Scope, d.KeyLabel)
	}
	return nil, nil
}

// matches reports whether a body has what the handshakes have.
func (h *Handshake) matches(body []byte) bool {
	for _, c := range h.If {
		if !bytes.Contains(body, []byte(c.Value)) { // most bodies end here
			return false
		}
	}
	for _, c := range h.If {
		if member(body, c.Name) != c.Value {
			return false
		}
	}
	return h.Without == "" || raw(body, h.Without) == nil
}

// member returns the string without escapes, the number or the word that stands in a JSON
// object at a path with dots, or "".
func member(body []byte, path string) string {
	body = raw(body, path)
	if text, ok := bytes.CutPrefix(body, []byte(`"`)); ok {
		if bytes.IndexByte(text, '\\') >= 0 {
			return ""
		}
		return string(bytes.TrimSuffix(text, []byte(`"`)))
	}
	if len(body) == 0 || body[0] == '{' || body[0] == '[' {
		return ""
	}
	return string(body)
}

// raw returns what stands in a JSON object at a path with dots, as it is written.
func raw(body []byte, path string) []byte {
	for more := true; more; {
		var name string
		name, path, more = strings.Cut(path, ".")
		body = jsonscan.Raw(body, name)
	}
	return body
}

// answer makes the response to a handshake that is good.
func (r *Responder) answer(ctx context.Context, s *Handshake, h *verify.Head, challenge, scope, label string) (*verify.Response, error) {
	if !s.computes() {
		return s.respond(challenge, nil), nil
	}
	secret, err := r.secret(ctx, h, scope, label)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(challenge))
	return s.respond(challenge, mac.Sum(nil)), nil
}

// Challenge returns what answers a handshake that comes as a request of its own, as the
// definition says.
func (v *Verifier) Challenge(_ context.Context, h *verify.Head) (verify.Challenge, error) {
	return v.responder.Challenge(h)
}

// Respond returns the response to a delivery that is a handshake, as the definition says.
func (v *Verifier) Respond(ctx context.Context, h *verify.Head, d *verify.Delivery) (*verify.Response, error) {
	return v.responder.Respond(ctx, h, d)
}

// HandshakeMethods returns the methods by which handshakes come, each once. A guard asks,
// to say when its route lets one of them not through.
func (v *Verifier) HandshakeMethods() []string { return v.responder.HandshakeMethods() }

// HandshakeMethods is as that of a Verifier.
func (r *Responder) HandshakeMethods() []string {
	var methods []string
	for _, h := range r.handshakes {
		method := map[HandshakeKind]string{GetHandshake: http.MethodGet, HeadHandshake: http.MethodHead}[h.Kind]
		if method == "" {
			method = http.MethodPost
		}
		if h.Token != "" && r.token == nil {
			continue // it is not answered
		}
		if !slices.Contains(methods, method) {
			methods = append(methods, method)
		}
	}
	return methods
}

// configureHandshakes makes the responder.
func (v *Verifier) configureHandshakes(source verify.KeySource) (err error) {
	o := &v.opts
	if v.responder, err = newResponder(v.def.Handshakes, o.VerifyToken, o.InsecureAllowShortSecret); err != nil {
		return fmt.Errorf("option %w", err)
	}
	v.responder.secret = v.challengeSecret
	if list, ok := source.(interface {
		KeyList() (verify.KeyList, error)
	}); ok {
		source, _ = list.KeyList()
	}
	if keys, ok := source.(verify.KeyList); ok && o.VerifyToken != "" {
		for _, k := range keys {
			if subtle.ConstantTimeCompare(k.Secret(), []byte(o.VerifyToken)) == 1 {
				return errors.New("option VerifyToken is the signing secret: it stands in URLs, and so in logs; take another text")
			}
		}
	}
	return nil
}

// challengeSecret returns the key for what a handshake is answered with.
func (v *Verifier) challengeSecret(ctx context.Context, h *verify.Head, scope, label string) ([]byte, error) {
	keys, err := v.Keys(ctx, h)
	switch {
	case errors.Is(err, verify.ErrNoKey) || err == nil && len(keys) == 0:
		return nil, refuse(verify.ErrNoKey, errChallengeMAC)
	case err != nil:
		return nil, refuse(verify.ErrUnavailable, err)
	}
	for _, k := range keys {
		if scope == "" && label == "" || k.Scope() == scope && k.Label() == label {
			secret, err := v.secret(k)
			if err != nil {
				return nil, refuse(verify.ErrNoKey, err)
			}
			return secret, nil
		}
	}
	return nil, refuse(verify.ErrUnavailable, errSignedKeyIsOut)
}
