package paypal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

// Confirm makes a verifier ask PayPal about each delivery, after its signature
// held and before its handler runs. That costs a request to PayPal for each
// delivery, copies of former ones included, and while PayPal's API cannot be
// reached, deliveries get 503. It does not work with the simulator, whose events
// PayPal's API does not know.
type Confirm struct {
	// ClientID and Secret are the credentials of the REST app that the webhook
	// belongs to. Make the secret with verify.NewKey; it prints nowhere.
	ClientID string
	Secret   verify.Key

	// FetchEvent asks for the event by the id in the body and compares it with
	// the body: what the handler sees is then what PayPal has on record, whatever
	// the CRC-32 says. Only the event's links are not compared, so a handler must
	// not follow them. Without FetchEvent, PayPal's verify-webhook-signature is
	// asked, with the body spliced in byte for byte; whether that checks more than
	// the CRC-32 is not documented.
	FetchEvent bool
}

const (
	confirmTimeout = 5 * time.Second
	maxToken       = 64 << 10
	maxEvent       = 4 << 20
	tokenMargin    = time.Minute // before its expiry a token is not used any more
)

var (
	errNotJSON      = errors.New("the body is not one JSON object")
	errFailure      = errors.New("PayPal says that the signature is wrong")
	errNoEvent      = errors.New("PayPal does not know the event")
	errOtherEvent   = errors.New("the event that PayPal has on record differs from the body")
	errCredentials  = errors.New("PayPal refuses the client id and secret, or their rights")
	errConfirmation = errors.New("PayPal's response is not what its documentation says")
)

// confirmer asks PayPal.
type confirmer struct {
	api    string
	client *http.Client
	c      Confirm

	turn chan struct{} // held by whoever fetches a token

	mu      sync.Mutex
	token   func() string // a closure, for the reason that verify.Key has one
	expiry  time.Time
	failure error // of the last request for a token
	failed  time.Time
}

func newConfirmer(env *environment, client *http.Client, c Confirm) (*confirmer, error) {
	if strings.TrimSpace(c.ClientID) == "" || strings.TrimSpace(c.ClientID) != c.ClientID {
		return nil, errors.New("Confirm.ClientID is empty or has white space around it")
	}
	if len(c.Secret.Secret()) == 0 {
		return nil, errors.New("Confirm.Secret is empty: make it with verify.NewKey")
	}
	return &confirmer{api: env.api, client: client, c: c, turn: make(chan struct{}, 1)}, nil
}

// ask refuses a delivery that PayPal does not confirm.
func (c *confirmer) ask(ctx context.Context, p *pending, d *verify.Delivery) error {
	// Whatever else the body holds must not get into the request around it.
	if body := bytes.TrimLeft(d.Body, " \t\r\n"); len(body) == 0 || body[0] != '{' || !json.Valid(body) {
		return refuse(verify.ErrForged, errNotJSON)
	}
	ctx, cancel := context.WithTimeout(ctx, 3*confirmTimeout)
	defer cancel()
	if c.c.FetchEvent {
		return c.compare(ctx, d)
	}
	return c.postback(ctx, p, d.Body)
}

// postback asks verify-webhook-signature. PayPal checks the bytes of the event as
// they come, so they are not encoded again.
func (c *confirmer) postback(ctx context.Context, p *pending, body []byte) error {
	fields, err := json.Marshal(map[string]string{
		"auth_algo":         algorithm,
		"cert_url":          p.certURL,
		"transmission_id":   p.id,
		"transmission_sig":  p.signatureText,
		"transmission_time": p.time,
		"webhook_id":        p.v.webhookID,
	})
	if err != nil {
		return refuse(verify.ErrUnavailable, err)
	}
	request := make([]byte, 0, len(fields)+len(body)+32)
	request = append(request, fields[:len(fields)-1]...)
	request = append(request, `,"webhook_event":`...)
	request = append(request, body...)
	request = append(request, '}')
	status, response, err := c.call(ctx, http.MethodPost, "/v1/notifications/verify-webhook-signature", request)
	if err != nil {
		return err
	}
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return refuse(verify.ErrForged, errFailure)
	case http.StatusOK:
	default:
		return refuse(verify.ErrUnavailable, errConfirmation)
	}
	// Not into a struct: that would take the last of two members, in any spelling.
	result, err := decode(response)
	if err != nil {
		return refuse(verify.ErrUnavailable, errConfirmation)
	}
	switch result["verification_status"] {
	case "SUCCESS":
		return nil
	case "FAILURE":
		return refuse(verify.ErrForged, errFailure)
	}
	return refuse(verify.ErrUnavailable, errConfirmation)
}

// compare asks for the event and compares it with the body.
func (c *confirmer) compare(ctx context.Context, d *verify.Delivery) error {
	sent, err := decode(d.Body)
	if err != nil {
		return refuse(verify.ErrForged, err)
	}
	id := eventID(d.Body)
	if id == "" {
		return refuse(verify.ErrForged, errNoEvent)
	}
	status, response, err := c.call(ctx, http.MethodGet, "/v1/notifications/webhooks-events/"+url.PathEscape(id), nil)
	switch {
	case err != nil:
		return err
	case status == http.StatusNotFound:
		return refuse(verify.ErrForged, errNoEvent)
	case status != http.StatusOK:
		return refuse(verify.ErrUnavailable, errConfirmation)
	}
	recorded, err := decode(response)
	if err != nil {
		return refuse(verify.ErrUnavailable, errConfirmation)
	}
	// Everything that the body says must be on record. The record may say more:
	// how often the event was sent, and links.
	for name, value := range sent {
		if name == "links" {
			continue
		}
		if other, ok := recorded[name]; !ok || !reflect.DeepEqual(value, other) {
			return refuse(verify.ErrForged, errOtherEvent)
		}
	}
	for _, name := range [...]string{"id", "event_type", "resource"} {
		if _, ok := sent[name]; !ok {
			return refuse(verify.ErrForged, errOtherEvent)
		}
	}
	return nil
}

// decode parses a JSON object with numbers as they are written. A member that
// stands twice, in any spelling, is an error, because two parsers could read two
// things.
func decode(b []byte) (map[string]any, error) {
	if err := unique(json.NewDecoder(bytes.NewReader(b))); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v map[string]any
	if err := dec.Decode(&v); err != nil || v == nil {
		return nil, errNotJSON
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errNotJSON
	}
	return v, nil
}

const maxDepth = 100

// unique reads a JSON value and refuses objects with a member twice.
func unique(dec *json.Decoder) error {
	dec.UseNumber()
	type level struct {
		names map[string]bool // nil in an array
		value bool            // the next token of an object is a value
	}
	var open []level
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return errNotJSON
		}
		top := len(open) - 1
		if name, ok := token.(string); ok && top >= 0 && open[top].names != nil && !open[top].value {
			name = strings.ToLower(strings.ToUpper(name)) // some letters have two forms in lower case
			if open[top].names[name] {
				return errors.New("a member stands twice in the body")
			}
			open[top].names[name], open[top].value = true, true
			continue
		}
		switch token {
		case json.Delim('}'), json.Delim(']'):
			open = open[:top]
			top--
		}
		if d, ok := token.(json.Delim); ok && (d == '{' || d == '[') {
			if len(open) == maxDepth {
				return errNotJSON
			}
			l := level{}
			if d == '{' {
				l.names = make(map[string]bool)
			}
			open = append(open, l)
			continue
		}
		if top >= 0 {
			open[top].value = false
		}
	}
}

// call makes one request with a token, and one more with a new token if PayPal
// does not like the first.
func (c *confirmer) call(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	for try := 1; ; try++ {
		token, err := c.bearer(ctx)
		if err != nil {
			return 0, nil, err
		}
		req, err := http.NewRequestWithContext(ctx, method, c.api+path, bytes.NewReader(body))
		if err != nil {
			return 0, nil, refuse(verify.ErrUnavailable, err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		status, response, err := c.do(req, maxEvent)
		if err != nil {
			return 0, nil, err
		}
		switch {
		case status == http.StatusUnauthorized && try == 1:
			c.discard(token)
			continue
		case status == http.StatusUnauthorized || status == http.StatusForbidden:
			return 0, nil, refuse(verify.ErrUnavailable, errCredentials)
		}
		return status, response, nil
	}
}

func (c *confirmer) do(req *http.Request, limit int64) (int, []byte, error) {
	res, err := c.client.Do(req)
	if err != nil {
		return 0, nil, refuse(verify.ErrUnavailable, fmt.Errorf("PayPal's API: %w", err))
	}
	defer res.Body.Close()
	response, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil || int64(len(response)) > limit {
		return 0, nil, refuse(verify.ErrUnavailable, errConfirmation)
	}
	return res.StatusCode, response, nil
}

// bearer returns a token that is good for a while, fetching one if need be. Only
// one request fetches; the others wait for what it gets, also if that is an error.
func (c *confirmer) bearer(ctx context.Context) (string, error) {
	began := time.Now()
	if token, err := c.cached(began); token != "" || err != nil {
		return token, err
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return "", refuse(verify.ErrUnavailable, ctx.Err())
	}
	if token, err := c.cached(began); token != "" || err != nil {
		return token, err
	}
	token, life, err := c.fetchToken(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.token, c.expiry = func() string { return token }, time.Now().Add(life-min(tokenMargin, life/2))
	case ctx.Err() == nil: // else it is only this request that ended
		c.failure, c.failed = err, time.Now()
	}
	return token, err
}

// fetchToken fetches a token and how long it lives.
func (c *confirmer) fetchToken(ctx context.Context) (string, time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.api+"/v1/oauth2/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		return "", 0, refuse(verify.ErrUnavailable, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(c.c.ClientID, string(c.c.Secret.Secret()))
	status, response, err := c.do(req, maxToken)
	if err != nil {
		return "", 0, err
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "", 0, refuse(verify.ErrUnavailable, errCredentials)
	case http.StatusOK:
	default:
		return "", 0, refuse(verify.ErrUnavailable, errConfirmation)
	}
	result, err := decode(response)
	if err != nil {
		return "", 0, refuse(verify.ErrUnavailable, errConfirmation)
	}
	token, _ := result["access_token"].(string)
	expiry, _ := result["expires_in"].(json.Number)
	seconds, err := expiry.Int64()
	if err != nil || token == "" || seconds <= 0 {
		return "", 0, refuse(verify.ErrUnavailable, errConfirmation)
	}
	return token, time.Duration(min(seconds, 24*60*60)) * time.Second, nil
}

// cached returns the token, or the error of a request for one that failed since
// then, or nothing.
func (c *confirmer) cached(since time.Time) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch now := time.Now(); {
	case now.Before(c.expiry):
		return c.token(), nil
	case c.failed.After(since):
		return "", c.failure
	}
	return "", nil
}

// discard forgets a token that PayPal refused.
func (c *confirmer) discard(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != nil && c.token() == token {
		c.expiry = time.Time{}
	}
}
