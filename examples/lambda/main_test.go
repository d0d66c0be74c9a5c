package main

import (
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

const (
	secret = "whsec_for_the_tests_only"
	paid   = `{"id":"evt_1","object":"event","type":"invoice.paid","data":{"object":{"id":"in_1"}}}`
)

func TestPromisesAreKept(t *testing.T) {
	var out strings.Builder
	if err := show(&out, newHook); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	if n := strings.Count(out.String(), "\n"); n != 18 {
		t.Errorf("%d deliveries are shown:\n%s", n, out.String())
	}
}

func TestBrokenPromisesAreNoticed(t *testing.T) {
	for name, c := range map[string]struct {
		build func(verify.Verifier, replay.Store, payFunc) (*hook, error)
		what  string // what is broken, for each kind of event
	}{
		"the verifier believes everything": {func(v verify.Verifier, r replay.Store, pay payFunc) (*hook, error) {
			return newHook(gullible{v}, r, pay)
		}, "a forged one"},
		"the instances share no register": {func(v verify.Verifier, _ replay.Store, pay payFunc) (*hook, error) {
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
			if n != 3 {
				t.Errorf("%q is broken %d times, want 3:\n%s", c.what, n, out.String())
			}
		})
	}
}

// gullible is a verifier that proves whatever comes.
type gullible struct{ verify.Verifier }

func (g gullible) Begin(context.Context, *verify.Head) (verify.Pending, error) { return g, nil }

func (gullible) Finish(_ context.Context, body []byte) (*verify.Delivery, error) {
	return &verify.Delivery{Provider: "stripe", ID: string(body), SignedAt: time.Now(), Binding: verify.BindingFull, Body: body}, nil
}

func newTestHook(t *testing.T) *hook {
	t.Helper()
	h, err := newHook(stripe.Must(secret), replay.NewMemory(nil), logPayment)
	if err != nil {
		t.Fatal(err)
	}
	return h
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
			a, err := newTestHook(t).url(t.Context(), e)
			if err != nil || a.StatusCode != c.status {
				t.Errorf("%d, %v; want %d", a.StatusCode, err, c.status)
			}
		})
	}
}

func TestBytesThatAreNoText(t *testing.T) {
	body := []byte("{\"id\":\"evt_1\",\"note\":\"\xff\"}")
	header := stripetest.Header(time.Now(), body, secret)
	e := urlEvent(header, body).(events.LambdaFunctionURLRequest)
	if got, _ := base64.StdEncoding.DecodeString(e.Body); string(got) != string(body) {
		t.Fatal("the event has another body")
	}
	if a, err := newTestHook(t).url(t.Context(), e); err != nil || a.StatusCode != http.StatusNoContent {
		t.Errorf("%d, %v", a.StatusCode, err)
	}
}

func TestRepeatedSignaturesOfARESTRequest(t *testing.T) {
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
			a, err := newTestHook(t).rest(t.Context(), e)
			if err != nil || a.StatusCode != c.status {
				t.Errorf("%d, %v; want %d", a.StatusCode, err, c.status)
			}
		})
	}
}

func TestARefusalSaysWhatAGuardSays(t *testing.T) {
	e := httpEvent(stripetest.Header(time.Now(), []byte(paid), "whsec_of_somebody_else"), []byte(paid)).(events.APIGatewayV2HTTPRequest)
	a, err := newTestHook(t).http(t.Context(), e)
	if err != nil || a.Headers["Www-Authenticate"] != "Webhook-Signature" || a.Body != `{"type":"about:blank","title":"Unauthorized","status":401}` {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestEventsOfAnotherType(t *testing.T) {
	for body, status := range map[string]int{
		`{"id":"evt_2","object":"event","type":"customer.created"}`: http.StatusNoContent,
		`{"id":"evt_3","object":"event","type":"invoice.paid"}`:     http.StatusInternalServerError,
		`[]`: http.StatusInternalServerError,
	} {
		e := httpEvent(stripetest.Header(time.Now(), []byte(body), secret), []byte(body)).(events.APIGatewayV2HTTPRequest)
		if a, err := newTestHook(t).http(t.Context(), e); err != nil || a.StatusCode != status {
			t.Errorf("%s: %d, %v; want %d", body, a.StatusCode, err, status)
		}
	}
}

func TestAPanicReleasesTheEvent(t *testing.T) {
	calls := 0
	h, err := newHook(stripe.Must(secret), replay.NewMemory(nil), func(context.Context, string) error {
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
		h.http(t.Context(), e)
	}()
	if a, err := h.http(t.Context(), e); err != nil || a.StatusCode != http.StatusNoContent || calls != 2 {
		t.Errorf("%d, %v, %d calls", a.StatusCode, err, calls)
	}
}

// lost is a register in which somebody else has taken the claim over.
type lost struct{ replay.Store }

func (lost) Commit(context.Context, replay.Handle) error { return replay.ErrLost }

func TestALostClaimIsNotAcknowledged(t *testing.T) {
	for _, c := range []struct {
		register replay.Store
		status   int
	}{{lost{replay.NewMemory(nil)}, http.StatusConflict}, {replay.NewMemory(nil), http.StatusNoContent}} {
		h, err := newHook(stripe.Must(secret), c.register, logPayment)
		if err != nil {
			t.Fatal(err)
		}
		e := httpEvent(stripetest.Header(time.Now(), []byte(paid), secret), []byte(paid)).(events.APIGatewayV2HTTPRequest)
		if a, err := h.http(t.Context(), e); err != nil || a.StatusCode != c.status {
			t.Errorf("%d, %v; want %d", a.StatusCode, err, c.status)
		}
	}
}

func TestEntries(t *testing.T) {
	h := newTestHook(t)
	for _, kind := range []string{"url", "http", "rest"} {
		if entry, err := h.entry(kind); entry == nil || err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if _, err := h.entry("alb"); err == nil {
		t.Error("no error")
	}
}
