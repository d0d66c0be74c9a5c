package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

const (
	secret = "whsec_for_the_tests_only"
	paid   = `{"id":"evt_1","object":"event","type":"invoice.paid","data":{"object":{"id":"in_1"}}}`
)

func TestShow(t *testing.T) {
	t.Run("promises are kept", func(t *testing.T) {
		var out strings.Builder
		if err := show(&out, newHook); err != nil {
			t.Errorf("%v\n%s", err, out.String())
		}
		if n := strings.Count(out.String(), "\n"); n != 30 {
			t.Errorf("%d deliveries are shown:\n%s", n, out.String())
		}
	})

	t.Run("broken promises are noticed", func(t *testing.T) {
		for name, c := range map[string]struct {
			build func(verify.Verifier, replay.Store, payFunc) (*hook, error)
			what  string // what is broken, for each kind of event
		}{
			"the verifier believes everything": {func(v verify.Verifier, r replay.Store, pay payFunc) (*hook, error) {
				return newHook(gullible{v}, r, pay)
			}, "a forged one"},
			"the instances share no store": {func(v verify.Verifier, _ replay.Store, pay payFunc) (*hook, error) {
				return newHook(v, replay.NewMemory(nil), pay)
			}, "the same, replayed"},
			"the handler hides its failure": {func(v verify.Verifier, r replay.Store, pay payFunc) (*hook, error) {
				return newHook(v, r, func(ctx context.Context, invoice string) error {
					pay(ctx, invoice)
					return nil
				})
			}, "one that the handler fails"},
		} {
			t.Run(name, func(t *testing.T) {
				var out strings.Builder
				if err := show(&out, c.build); err == nil {
					t.Error("no error")
				}
				n := 0
				for line := range strings.Lines(out.String()) {
					if strings.Contains(line, c.what) && strings.Contains(line, "BROKEN") {
						n++
					}
				}
				if n != 5 {
					t.Errorf("%q is broken %d times, want 5:\n%s", c.what, n, out.String())
				}
			})
		}
	})
}

// gullible is a verifier that accepts whatever comes.
type gullible struct{ verify.Verifier }

func (g gullible) Begin(context.Context, *verify.Head) (verify.Pending, error) { return g, nil }

func (gullible) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	return &verify.Delivery{Provider: "stripe", ID: string(body), SignedAt: time.Now(), Binding: verify.BindingFull, Body: body}, nil
}

// newStore is a store that was there before the deliveries of the test were
// signed, also where the clock's second ends in between.
func newStore() replay.Store {
	return replay.NewMemory(&replay.MemoryOptions{Since: time.Now().Add(-time.Minute)})
}

func newTestHook(t *testing.T) *hook {
	t.Helper()
	h, err := newHook(stripe.Must(secret), newStore(), logPayment)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// invoke does what Lambda does with an event, and returns what it makes of the response.
func invoke(t *testing.T, h *hook, event any) (a events.ALBTargetGroupResponse) {
	t.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := lambda.NewHandler(h.invoke).Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(reply, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestURLRequests(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*events.LambdaFunctionURLRequest)
		status int
	}{
		"genuine":            {func(*events.LambdaFunctionURLRequest) {}, http.StatusNoContent},
		"not encoded":        {func(e *events.LambdaFunctionURLRequest) { e.Body, e.IsBase64Encoded = paid, false }, http.StatusNoContent},
		"said to be encoded": {func(e *events.LambdaFunctionURLRequest) { e.Body = paid }, http.StatusBadRequest},
		"said not to be":     {func(e *events.LambdaFunctionURLRequest) { e.IsBase64Encoded = false }, http.StatusUnauthorized},
		"sent with GET":      {func(e *events.LambdaFunctionURLRequest) { e.RequestContext.HTTP.Method = "GET" }, http.StatusMethodNotAllowed},
		"a form": {func(e *events.LambdaFunctionURLRequest) {
			e.Headers["content-type"] = "application/x-www-form-urlencoded"
		}, http.StatusUnsupportedMediaType},
		"unsigned": {func(e *events.LambdaFunctionURLRequest) { delete(e.Headers, "stripe-signature") }, http.StatusUnauthorized},
		"signed in two spellings": {func(e *events.LambdaFunctionURLRequest) {
			e.Headers["Stripe-Signature"] = e.Headers["stripe-signature"]
		}, http.StatusUnauthorized},
		"without anything": {func(e *events.LambdaFunctionURLRequest) { *e = events.LambdaFunctionURLRequest{} }, http.StatusMethodNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			e := urlEvent(stripetest.Header(time.Now(), []byte(paid), secret), []byte(paid)).(events.LambdaFunctionURLRequest)
			c.change(&e)
			a := invoke(t, newTestHook(t), e)
			if a.StatusCode != c.status {
				t.Errorf("%d, want %d", a.StatusCode, c.status)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	t.Run("bytes that are no text are kept", func(t *testing.T) {
		body := []byte("{\"id\":\"evt_1\",\"note\":\"\xff\"}")
		header := stripetest.Header(time.Now(), body, secret)
		e := urlEvent(header, body).(events.LambdaFunctionURLRequest)
		if got, _ := base64.StdEncoding.DecodeString(e.Body); string(got) != string(body) {
			t.Fatal("the event has another body")
		}
		if a := invoke(t, newTestHook(t), e); a.StatusCode != http.StatusNoContent {
			t.Errorf("%d", a.StatusCode)
		}
	})

	t.Run("repeated signatures of a REST request stay repeated", func(t *testing.T) {
		header := stripetest.Header(time.Now(), []byte(paid), secret)
		for name, c := range map[string]struct {
			headers map[string][]string
			status  int
		}{
			"one":              {nil, http.StatusNoContent},
			"two":              {map[string][]string{"Stripe-Signature": {"t=1,v1=00", header.Get("Stripe-Signature")}}, http.StatusUnauthorized},
			"in two spellings": {map[string][]string{"stripe-signature": header["Stripe-Signature"]}, http.StatusUnauthorized},
		} {
			t.Run(name, func(t *testing.T) {
				e := restEvent(header, []byte(paid)).(events.APIGatewayProxyRequest)
				e.MultiValueHeaders = maps.Clone(e.MultiValueHeaders)
				maps.Copy(e.MultiValueHeaders, c.headers)
				a := invoke(t, newTestHook(t), e)
				if a.StatusCode != c.status {
					t.Errorf("%d, want %d", a.StatusCode, c.status)
				}
			})
		}
	})

	t.Run("events of another type are refused", func(t *testing.T) {
		for body, status := range map[string]int{
			`{"id":"evt_2","object":"event","type":"customer.created"}`: http.StatusNoContent,
			`{"id":"evt_3","object":"event","type":"invoice.paid"}`:     http.StatusInternalServerError,
			`[]`: http.StatusInternalServerError,
		} {
			e := httpEvent(stripetest.Header(time.Now(), []byte(body), secret), []byte(body)).(events.APIGatewayV2HTTPRequest)
			if a := invoke(t, newTestHook(t), e); a.StatusCode != status {
				t.Errorf("%s: %d, want %d", body, a.StatusCode, status)
			}
		}
	})
}

func TestHandle(t *testing.T) {
	t.Run("a refusal says what a guard says", func(t *testing.T) {
		e := httpEvent(stripetest.Header(time.Now(), []byte(paid), "whsec_of_somebody_else"), []byte(paid)).(events.APIGatewayV2HTTPRequest)
		a := invoke(t, newTestHook(t), e)
		if a.Headers["Www-Authenticate"] != "Webhook-Signature" || a.Body != `{"type":"about:blank","title":"Unauthorized","status":401}` {
			t.Errorf("%+v", a)
		}
	})

	t.Run("a panic releases the event", func(t *testing.T) {
		calls := 0
		h, err := newHook(stripe.Must(secret), newStore(), func(context.Context, string) error {
			if calls++; calls == 1 {
				panic("boom")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		e := httpEvent(stripetest.Header(time.Now(), []byte(paid), secret), []byte(paid)).(events.APIGatewayV2HTTPRequest)
		func() {
			defer func() { recover() }()
			invoke(t, h, e)
		}()
		if a := invoke(t, h, e); a.StatusCode != http.StatusNoContent || calls != 2 {
			t.Errorf("%d, %d calls", a.StatusCode, calls)
		}
	})

	t.Run("a lost claim is not acknowledged", func(t *testing.T) {
		for _, c := range []struct {
			store  replay.Store
			status int
		}{{lost{newStore()}, http.StatusConflict}, {newStore(), http.StatusNoContent}} {
			h, err := newHook(stripe.Must(secret), c.store, logPayment)
			if err != nil {
				t.Fatal(err)
			}
			e := httpEvent(stripetest.Header(time.Now(), []byte(paid), secret), []byte(paid)).(events.APIGatewayV2HTTPRequest)
			if a := invoke(t, h, e); a.StatusCode != c.status {
				t.Errorf("%d, want %d", a.StatusCode, c.status)
			}
		}
	})
}

// lost is a store in which somebody else has taken the claim over.
type lost struct{ replay.Store }

func (lost) Commit(context.Context, replay.Handle) error { return replay.ErrLost }

func TestLoadBalancer(t *testing.T) {
	// A load balancer takes the kind of headers that it sends, and no other.
	t.Run("its requests are read", func(t *testing.T) {
		header := stripetest.Header(time.Now(), []byte(paid), secret)
		signature := header.Get("Stripe-Signature")
		for _, c := range []struct {
			name   string
			event  func(http.Header, []byte) any
			change func(*events.ALBTargetGroupRequest)
			status int
		}{
			{"with headers", albEvent, func(*events.ALBTargetGroupRequest) {}, http.StatusNoContent},
			{"with headers, encoded", albEvent, func(e *events.ALBTargetGroupRequest) {
				e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(paid)), true
			}, http.StatusNoContent},
			{"with headers, forged", albEvent, func(e *events.ALBTargetGroupRequest) { e.Body += " " }, http.StatusUnauthorized},
			{"with headers, unsigned", albEvent, func(e *events.ALBTargetGroupRequest) { delete(e.Headers, "stripe-signature") }, http.StatusUnauthorized},
			{"with headers, as a health check", albEvent, func(e *events.ALBTargetGroupRequest) { e.HTTPMethod = http.MethodGet }, http.StatusMethodNotAllowed},
			{"with multi-value headers", albMultiEvent, func(*events.ALBTargetGroupRequest) {}, http.StatusNoContent},
			{"with multi-value headers, two of them signatures", albMultiEvent, func(e *events.ALBTargetGroupRequest) {
				e.MultiValueHeaders["stripe-signature"] = []string{"t=1,v1=00", signature}
			}, http.StatusUnauthorized},
			{"with multi-value headers that are empty, beside headers", albMultiEvent, func(e *events.ALBTargetGroupRequest) {
				e.Headers, e.MultiValueHeaders = map[string]string{"stripe-signature": signature}, map[string][]string{"accept": {"*/*"}}
			}, http.StatusUnauthorized},
		} {
			t.Run(c.name, func(t *testing.T) {
				e := c.event(header, []byte(paid)).(events.ALBTargetGroupRequest)
				c.change(&e)
				a := invoke(t, newTestHook(t), e)
				if a.StatusCode != c.status || a.StatusDescription != fmt.Sprintf("%d %s", c.status, http.StatusText(c.status)) {
					t.Errorf("%d (%s), want %d", a.StatusCode, a.StatusDescription, c.status)
				}
				multi := e.MultiValueHeaders != nil
				if multi && a.Headers != nil || !multi && a.MultiValueHeaders != nil {
					t.Errorf("headers %v, multi-value headers %v", a.Headers, a.MultiValueHeaders)
				}
				if c.status == http.StatusUnauthorized && !multi && a.Headers["Www-Authenticate"] == "" ||
					c.status == http.StatusUnauthorized && multi && len(a.MultiValueHeaders["Www-Authenticate"]) != 1 {
					t.Errorf("headers %v, multi-value headers %v", a.Headers, a.MultiValueHeaders)
				}
			})
		}
	})

	// The event as the documentation of AWS has it, without what the function ignores.
	t.Run("an event is read as it is written", func(t *testing.T) {
		signature := stripetest.Header(time.Now(), []byte(paid), secret).Get("Stripe-Signature")
		for name, headers := range map[string]string{
			"headers":           fmt.Sprintf(`"headers":{"stripe-signature":%q}`, signature),
			"multiValueHeaders": fmt.Sprintf(`"multiValueHeaders":{"stripe-signature":[%q]}`, signature),
		} {
			payload := fmt.Sprintf(`{"requestContext":{"elb":{"targetGroupArn":"arn"}},"httpMethod":"POST","path":"/h",%s,"body":%q,"isBase64Encoded":false}`, headers, paid)
			if a := invoke(t, newTestHook(t), json.RawMessage(payload)); a.StatusCode != http.StatusNoContent {
				t.Errorf("%s: %d", name, a.StatusCode)
			}
		}
	})
}
