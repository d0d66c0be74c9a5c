package sns

import (
	"context"
	"errors"
	"iter"

	"github.com/hooknotary/hooknotary/verify"
)

// What a tool wants to know. Nothing on the serving path calls what follows.

// About returns what people and tools want to know of the scheme.
func (v *Verifier) About() verify.About { return About() }

// About returns what people and tools want to know of the scheme, without a verifier.
func About() verify.About {
	return verify.About{
		Title:   "Amazon SNS",
		Signed:  "message, id, subject, time, topic and type in the body, RSA-SHA256",
		InBody:  true,
		Headers: []verify.HeaderUse{},
		NotCovered: []string{
			"UnsubscribeURL, which must be on SNS's host",
			"MessageAttributes, with which a body is refused by default",
		},
		Identifier:  "topic ARN",
		Credentials: []verify.Credential{},
		JSON:        verify.JSONStyle{Space: verify.JSONIndented},
		Tell: verify.Tell{
			Headers: []string{"X-Amz-Sns-Message-Id"},
			Before:  verify.NotBeforeBody,
		},
		Links: []string{
			"https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html",
			"https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html",
		},
		OutsideVector: "messages of AWS in tests of aws/aws-php-sns-message-validator",
	}
}

var errNoKeys = errors.New("sns: a verifier has topics and no keys: make one for other topics with New")

// Keys returns none: a verifier is configured with topics, which are no secrets.
func (v *Verifier) Keys(context.Context, *verify.Head) ([]verify.Key, error) { return nil, nil }

// Rekey returns an error: there are no keys.
func (v *Verifier) Rekey(verify.KeySource) (verify.Verifier, error) { return nil, errNoKeys }

// SecurityHeaders returns none: everything stands in the body.
func (v *Verifier) SecurityHeaders() []string { return []string{} }

// Message yields the signed message in pieces, each with a few words on where it is from.
// It yields nothing for a body that is not of the form.
func (v *Verifier) Message(_ *verify.Head, body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		e, err := parse(body, true)
		if err != nil {
			return
		}
		for _, l := range e.lines() {
			if !yield("constant", []byte(l.name+"\n")) || !yield(l.name+", from the body", []byte(l.value)) || !yield("constant", []byte("\n")) {
				return
			}
		}
	}
}
