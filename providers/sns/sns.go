// Package sns verifies messages that Amazon SNS delivers over HTTPS.
//
// SNS signs values inside of the JSON body with the key of a certificate, and the
// body names the certificate by its URL. The values stand one below the other, each
// behind its name, in this order and with a line feed behind each line:
//
//	Message, MessageId, Subject (if there is one), Timestamp, TopicArn, Type
//	Message, MessageId, SubscribeURL, Timestamp, Token, TopicArn, Type
//
// The second line is for the confirmations of a subscription and of its end. The
// signature is RSA PKCS #1 v1.5, with SHA-256 under signature version 2. Version 1 has
// SHA-1, and is the default of a topic: set the topic's attribute SignatureVersion to 2,
// or Options.InsecureAllowSHA1.
//
//	guard := middleware.Protect(sns.Must("arn:aws:sns:eu-central-1:123456789012:orders"))
//
// # What a signature says
//
// SNS signs for every topic of every account, so a good signature alone says "some topic
// of somebody". A verifier is made for topics, and refuses another TopicArn before it
// fetches anything.
//
// # What is signed, and what is not
//
// The Binding of a Delivery is verify.BindingPart: the values above are signed. Read them
// with [MessageOf], which returns nothing else. Not signed is UnsubscribeURL, of which the
// verifier demands only that it is on the host of the topic's region; and
// MessageAttributes, which whoever holds a genuine message can change. A body with
// attributes, or with any member that this package does not know, is refused, unless
// Options.InsecureAllowUnsignedMembers is set. Where it is, a guard binds a message to the
// first body that it comes in. The headers x-amz-sns-… are copies that nobody signs, and
// are not read.
//
// A raw delivery (RawMessageDelivery) is not signed at all, and is refused.
//
// # Subscriptions
//
// The first message of a subscription is its confirmation, and a genuine one reaches the
// handler as any other message does. Anybody can subscribe your URL to a topic of his; that
// is another topic, so the verifier refuses it. Confirm those of your topics with
// [Verifier.Confirm], which builds the URL itself, and do not fetch SubscribeURL or
// UnsubscribeURL:
//
//	m, err := sns.MessageOf(d)
//	…
//	switch m.Type {
//	case sns.SubscriptionConfirmation:
//		err = verifier.Confirm(r.Context(), d)
//	case sns.Notification:
//		err = handle(m)
//	}
//
// # Certificates
//
// A certificate is fetched from the SNS host of a region of your topics, and from nowhere
// else: AWS's rule for the host, "sns." and one label in front of amazonaws.com, would
// take a bucket of S3 that somebody called "sns". It must be in the name that SNS signs in,
// chain up to a root that the system trusts, and be valid at the receive time. The host
// serves it without its issuer, which is fetched from amazontrust.com, or stands in
// Options.Intermediates. What a flood of requests can cause is bounded: a burst of 10
// fetches, and then one a second. Set Options.CertFile, which outlives a restart. If a
// certificate is not there within 3 seconds, the response is 503, which SNS retries.
//
// # Time and repeats
//
// Timestamp is when the message was published. SNS retries for an hour at most, so the
// window reaches 2 hours into the past. Whether the bytes of a retry are the same is not
// documented; MessageId is, and the id of a Delivery. SNS does not retry after a status of
// 4xx, but for 429.
//
// Source: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
package sns

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/providers/internal/certstore"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	past      = 2 * time.Hour
	future    = 5 * time.Minute
	maxTopics = 100

	confirmTimeout = 5 * time.Second
)

// Options holds what an endpoint may choose. The zero value and nil are the defaults. New
// copies it.
type Options struct {
	// MediaType is the Content-Type that SNS sends: "text/plain", which is the default, or
	// "application/json" where the delivery policy of the subscription says so.
	MediaType string

	// MaxAge narrows the window into the past. Zero means 2 hours; more is an error.
	MaxAge time.Duration

	// Roots and Intermediates are trusted, and known, besides the system's roots.
	// Intermediates prove nothing by themselves.
	Roots, Intermediates []*x509.Certificate

	// CertFile is a file in which the verifier remembers the certificates that it trusted,
	// at most 32, so that after a restart no delivery under one of them depends on a fetch.
	// "" means none. It holds no secret, and what it says is checked as what SNS's host
	// says. Its folder must exist and be writable by this process.
	CertFile string

	// Transport carries the requests for certificates and confirmations. Default: like
	// http.DefaultTransport. Redirects are never followed.
	Transport http.RoundTripper

	// InsecureAllowSHA1 also accepts signature version 1, which has SHA-1. Whoever can
	// publish to the topic, and find a collision, can have one message signed and send
	// another one. The body says which version it has, and nobody signs that.
	InsecureAllowSHA1 bool

	// InsecureAllowUnsignedMembers accepts bodies that hold MessageAttributes, or members
	// that this package does not know. Whoever holds a genuine message that has not arrived
	// can change them, so decide nothing by them.
	InsecureAllowUnsignedMembers bool
}

// Verifier verifies messages of some topics. It is safe for concurrent use. Make one with
// New.
type Verifier struct {
	topics  map[string]topic
	certs   *certstore.Store
	client  *http.Client
	sha1    bool
	unnamed bool // members that are not signed are allowed
	profile verify.Profile
}

// Format prints the name of the type, whatever the verb.
func (Verifier) Format(s fmt.State, _ rune) { io.WriteString(s, "sns.Verifier") }

// topic is what follows from the name of a topic.
type topic struct {
	arn, region, host string
}

var errTopic = errors.New("a topic is not of the form arn:aws:sns:REGION:ACCOUNT:NAME, in a partition aws, aws-cn or aws-us-gov; is its environment variable set?")

// newTopic reads the name of a topic.
func newTopic(arn string) (topic, error) {
	p := strings.Split(arn, ":")
	if len(p) != 6 || p[0] != "arn" || p[2] != "sns" || !isName(p[3], "-", 32) || strings.ToLower(p[3]) != p[3] || len(p[4]) != 12 || strings.Trim(p[4], "0123456789") != "" || !isName(p[5], "-_", 256) {
		return topic{}, errTopic
	}
	host := "sns." + p[3] + ".amazonaws.com"
	china := strings.HasPrefix(p[3], "cn-")
	switch {
	case p[1] == "aws-cn" && china:
		host += ".cn"
	case p[1] == "aws" && !china, p[1] == "aws-us-gov" && strings.HasPrefix(p[3], "us-gov-"):
	default:
		return topic{}, errTopic
	}
	return topic{arn, p[3], host}, nil
}

// isName reports whether s is 1 to most letters, digits and characters of more.
func isName(s, more string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		if (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'z') && strings.IndexByte(more, s[i]) < 0 {
			return false
		}
	}
	return true
}

// New makes a verifier for the topics with these ARNs, at least one and at most 100. A nil
// o is the zero Options.
func New(topics []string, o *Options) (*Verifier, error) {
	if o == nil {
		o = &Options{}
	}
	v, err := newVerifier(topics, o)
	if err != nil {
		return nil, fmt.Errorf("sns: %w", err)
	}
	return v, nil
}

func newVerifier(topics []string, o *Options) (*Verifier, error) {
	v := &Verifier{topics: make(map[string]topic), sha1: o.InsecureAllowSHA1, unnamed: o.InsecureAllowUnsignedMembers}
	switch {
	case len(topics) == 0:
		return nil, errors.New("there is no topic; is its environment variable set?")
	case len(topics) > maxTopics:
		return nil, fmt.Errorf("there are %d topics, want at most %d", len(topics), maxTopics)
	case o.MaxAge < 0 || o.MaxAge > past:
		return nil, fmt.Errorf("MaxAge is %v, want up to %v", o.MaxAge, past)
	case o.MediaType != "" && o.MediaType != "text/plain" && o.MediaType != "application/json":
		return nil, errors.New("MediaType is neither text/plain nor application/json")
	}
	for _, arn := range topics {
		t, err := newTopic(arn)
		if err != nil {
			return nil, err
		}
		if _, ok := v.topics[arn]; ok {
			return nil, errors.New("one topic is there twice")
		}
		v.topics[arn] = t
	}
	v.profile = verify.Profile{
		Provider:  "sns",
		MediaType: "text/plain",
		MaxBody:   2 << 20, // a message has up to 256 KiB, and escapes make more of them
		Window:    verify.Window{Past: past, Future: future},
		Binding:   verify.BindingPart,
		Retry:     verify.RetryIdentical,
		Retention: 24 * time.Hour, // SNS retries for an hour
	}
	if o.MediaType != "" {
		v.profile.MediaType = o.MediaType
	}
	if o.MaxAge > 0 {
		v.profile.Window.Past = o.MaxAge
	}
	v.client = newClient(o.Transport)
	var err error
	v.certs, err = v.newCerts(o)
	return v, err
}

// Must makes a verifier for the topics with these ARNs. It panics where [New] returns an
// error, most often because an environment variable is not set: a program that cannot
// verify must not start.
func Must(topics ...string) *Verifier {
	v, err := New(topics, nil)
	if err != nil {
		panic("sns.Must: " + strings.TrimPrefix(err.Error(), "sns: "))
	}
	return v
}

// Profile returns the facts of the scheme.
func (v *Verifier) Profile() verify.Profile { return v.profile }

// Prefetch fetches and checks certificates, so that the first deliveries after a start do
// not depend on SNS's host. The URLs, at most 10, are those that SigningCertURL had in
// former messages. It returns the errors of all that failed, also one of writing
// Options.CertFile.
func (v *Verifier) Prefetch(ctx context.Context, urls ...string) error {
	return v.certs.Prefetch(ctx, urls)
}

var (
	errNoHead    = errors.New("no head, or a head without a receive time")
	errRaw       = errors.New("this is a raw delivery, which SNS does not sign: set RawMessageDelivery of the subscription to false")
	errTopicArn  = errors.New("TopicArn is none of the topics of this endpoint")
	errSHA1      = errors.New("SignatureVersion is 1, which has SHA-1: set the topic's attribute SignatureVersion to 2")
	errKeyLength = errors.New("the Signature does not have the length of the key")
)

// Begin refuses a raw delivery. All that is signed stands in the body.
func (v *Verifier) Begin(_ context.Context, h *verify.Head) (verify.Pending, error) {
	if h == nil || h.ReceivedAt.IsZero() {
		return nil, refuse(verify.ErrMalformed, errNoHead)
	}
	if len(h.Header["X-Amz-Sns-Rawdelivery"]) > 0 {
		return nil, refuse(verify.ErrUnsigned, errRaw)
	}
	return &pending{v, h.ReceivedAt}, nil
}

// pending is a request whose body is yet to come.
type pending struct {
	v          *Verifier
	receivedAt time.Time
}

// Finish judges the body: its form, its topic and its time, then the place of its
// certificate, which it may have to fetch, and then the signature.
func (p *pending) Finish(ctx context.Context, body []byte) (*verify.Delivery, error) {
	e, err := parse(body, p.v.unnamed)
	if err != nil {
		return nil, err
	}
	t, ok := p.v.topics[e.TopicARN]
	switch {
	case !ok:
		return nil, refuse(verify.ErrNoKey, errTopicArn)
	case e.version == "1" && !p.v.sha1:
		return nil, refuse(verify.ErrUnsigned, errSHA1)
	case e.Timestamp.Before(p.receivedAt.Add(-p.v.profile.Window.Past)):
		return nil, refuse(verify.ErrTooOld, nil)
	case e.Timestamp.After(p.receivedAt.Add(p.v.profile.Window.Future)):
		return nil, refuse(verify.ErrTooNew, nil)
	case !isCertURL(e.certURL, t.host):
		return nil, refuse(verify.ErrUntrusted, errCertURL)
	case e.unsubscribe != "" && !strings.HasPrefix(e.unsubscribe, "https://"+t.host+"/"):
		return nil, refuse(verify.ErrMalformed, errUnsubscribe)
	}
	key, err := p.v.certs.Key(ctx, e.certURL, p.receivedAt)
	if err != nil {
		return nil, err
	}
	if key.Size() != len(e.signature) {
		return nil, refuse(verify.ErrMalformed, errKeyLength)
	}
	message := e.signed()
	digest := sha256.Sum256(message)
	if e.version == "2" {
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], e.signature)
	} else {
		weak := sha1.Sum(message)
		err = rsa.VerifyPKCS1v15(key, crypto.SHA1, weak[:], e.signature)
	}
	if err != nil {
		p.v.certs.Doubt(e.certURL, p.receivedAt)
		return nil, refuse(verify.ErrMismatch, nil)
	}
	d := &verify.Delivery{
		Provider:    "sns",
		Scope:       t.arn,
		KeyLabel:    e.certURL[strings.LastIndexByte(e.certURL, '/')+1:],
		ID:          e.ID,
		Fingerprint: verify.NewFingerprint(digest),
		SignedAt:    e.Timestamp,
		ReceivedAt:  p.receivedAt,
		Binding:     verify.BindingPart,
		Body:        body,
	}
	if p.v.unnamed {
		d.MessageID = e.ID // so that a guard binds the body to it
	}
	return d, nil
}

// Confirm confirms the subscription that a verified delivery asks about, at the SNS host of
// the topic's region. It takes the topic and the token of the message, and no URL of it.
// The delivery must be a SubscriptionConfirmation. It takes 5 seconds at most.
func (v *Verifier) Confirm(ctx context.Context, d *verify.Delivery) error {
	m, err := MessageOf(d)
	if err != nil {
		return err
	}
	t, ok := v.topics[m.TopicARN]
	switch {
	case m.Type != SubscriptionConfirmation:
		return errors.New("sns: the message does not ask to confirm a subscription")
	case !ok:
		return fmt.Errorf("sns: %w", errTopicArn)
	}
	query := url.Values{"Action": {"ConfirmSubscription"}, "TopicArn": {t.arn}, "Token": {m.Token}}
	ctx, cancel := context.WithTimeout(ctx, confirmTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+t.host+"/?"+query.Encode(), nil)
	if err != nil {
		return errors.New("sns: the URL of the confirmation cannot be made")
	}
	res, err := v.client.Do(req)
	if err != nil {
		var e *url.Error
		if errors.As(err, &e) {
			err = e.Err // without the URL, which holds the token
		}
		return fmt.Errorf("sns: the subscription is not confirmed: %w", err)
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("sns: the subscription is not confirmed: SNS responds with status %d", res.StatusCode)
	}
	return nil
}

func refuse(r verify.Reason, cause error) error { return &verify.Error{Reason: r, Cause: cause} }
