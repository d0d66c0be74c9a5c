// Lambda receives webhooks of Stripe in an AWS Lambda function, behind a function
// URL, behind API Gateway or behind an Application Load Balancer.
//
//	cd examples/lambda && go run .
//
// invokes the function with genuine, forged and replayed deliveries, and with one
// that it fails, and prints what came of them. It exits with 1 if that is not what
// is promised.
//
// In Lambda the same program serves. STRIPE_WEBHOOK_SECRET is the endpoint's
// secret, REDIS_URL where the store is. The function takes the events of function
// URLs, of HTTP APIs (payload format 1.0 and 2.0) and REST APIs of API Gateway, and of
// load balancers, with and without the target group's attribute for multi-value
// headers, and tells them apart by their shape.
//
// Without that attribute, a load balancer passes on the last of several header fields
// of one name. The guard verifies that one, and cannot refuse what has several, as it
// does elsewhere. A health check is no delivery: it gets 405.
//
// No two instances of a function share memory, and Lambda starts as many as it
// likes, also for a single request. So the store must be one that they share:
// Redis here, or whatever is a replay.Store. With replay.Memory, a copy that meets
// another instance could run again, and a delivery that makes an instance start is
// older than the instance's store, which refuses it.
//
// What to copy is in this file; show.go is the show.
package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/redis/go-redis/v9"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/adapter"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/hooknotary/hooknotary/verify/replay/redisreplay"
)

func main() {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" { // not in Lambda
		slog.SetDefault(slog.New(slog.DiscardHandler)) // the guard logs its refusals; the table shows them
		if err := show(os.Stdout, newHook); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// A function that cannot verify must not start.
	v, err := stripe.New(verify.Secrets(os.Getenv("STRIPE_WEBHOOK_SECRET")), nil)
	if err != nil {
		log.Fatalf("STRIPE_WEBHOOK_SECRET must be the signing secret of the endpoint, whsec_…: %v", err)
	}
	o, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	if err != nil { // it can hold the password
		log.Fatal("REDIS_URL must be the address of the store: redis://user:password@host:port/0")
	}
	o.ContextTimeoutEnabled, o.MaxRetries = true, -1
	store := redisreplay.New(redis.NewClient(o), nil)
	if err := store.Check(context.Background()); err != nil {
		log.Fatal(err)
	}
	h, err := newHook(v, store, logPayment)
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(h.invoke)
}

// payFunc is the effect of an invoice that was paid.
type payFunc func(ctx context.Context, invoice string) error

// hook is the function: a guard, and what it guards.
type hook struct {
	guard *middleware.Guard
	pay   payFunc
}

func newHook(v verify.Verifier, store replay.Store, pay payFunc) (*hook, error) {
	guard, err := middleware.New("billing", v, store, &middleware.Options{Observe: middleware.LogObserver(nil)})
	if err != nil {
		return nil, err
	}
	return &hook{guard, pay}, nil
}

// event is what the events of AWS that carry a request have in common.
type event struct {
	Version        string `json:"version"` // 2.0, or something else
	RequestContext struct {
		HTTP struct {
			Method string `json:"method"`
		} `json:"http"` // with version 2.0
		ELB json.RawMessage `json:"elb"` // of a load balancer
	} `json:"requestContext"`
	HTTPMethod        string              `json:"httpMethod"` // without
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

// response is what AWS makes a response of. Its headers are of the kind that the event
// had: a load balancer takes no other.
type response struct {
	StatusCode        int                 `json:"statusCode"`
	StatusDescription string              `json:"statusDescription,omitempty"` // for a load balancer
	Headers           map[string]string   `json:"headers,omitempty"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders,omitempty"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

// invoke is what lambda.Start takes.
func (h *hook) invoke(ctx context.Context, e event) (response, error) {
	method := e.HTTPMethod
	if e.Version == "2.0" {
		method = e.RequestContext.HTTP.Method
	}
	var header http.Header
	if e.MultiValueHeaders == nil {
		header = headerOf(e.Headers)
	} else {
		// Headers has the last of several fields of one name, and would hide that
		// there are more.
		header = make(http.Header)
		for name, values := range e.MultiValueHeaders {
			name = http.CanonicalHeaderKey(name)
			header[name] = append(header[name], values...)
		}
	}
	a := h.serve(ctx, method, header, e.Body, e.IsBase64Encoded)

	r := response{StatusCode: a.status, Body: a.body}
	if e.RequestContext.ELB != nil {
		r.StatusDescription = fmt.Sprintf("%d %s", a.status, http.StatusText(a.status))
	}
	if e.MultiValueHeaders == nil {
		r.Headers = a.header
		return r, nil
	}
	r.MultiValueHeaders = make(map[string][]string)
	for name, value := range a.header {
		r.MultiValueHeaders[name] = []string{value}
	}
	return r, nil
}

// headerOf makes a header of names in lower case. What has one name in two
// spellings is nothing that the verifier could judge, so it sees no header at all,
// and refuses the request as unsigned.
func headerOf(fields map[string]string) http.Header {
	header, err := verify.HeaderOf(fields)
	if err != nil {
		log.Print(err)
	}
	return header
}

// result is the response to a request, before the event gives it its form.
type result struct {
	status int
	header map[string]string
	body   string
}

// serve does what a guard does for HTTP: it verifies and claims, runs the handler,
// and commits or releases before the response leaves. Guard.Admit is verify.Verify and
// the store in one, with a guard's bounds and responses.
func (h *hook) serve(ctx context.Context, method string, header http.Header, text string, encoded bool) result {
	// The signature is over the bytes that were sent. Where the gateway makes a
	// string of them, only base64 keeps what is not UTF-8.
	body := []byte(text)
	if encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(text); err != nil {
			return result{status: http.StatusBadRequest}
		}
	}
	admission, refusal := h.guard.Admit(ctx, &adapter.Inbound{
		Head:          verify.Head{Method: method, Header: header},
		Body:          bytes.NewReader(body),
		ContentLength: int64(len(body)),
	})
	if refusal != nil {
		return responseOf(refusal)
	}
	defer admission.Close() // also releases what a panic leaves

	err := h.handle(admission.Context(), admission.Delivery())
	if refusal := admission.Settle(err == nil); refusal != nil {
		return responseOf(refusal)
	}
	if err != nil {
		// Not a 2xx, and no error of the function either, which Lambda would
		// count as one of its own: the event is released, and the retry runs.
		log.Print(err)
		return result{status: http.StatusInternalServerError, body: "try again later"}
	}
	return result{status: http.StatusNoContent}
}

func responseOf(a *middleware.Response) result {
	header := make(map[string]string, len(a.Header))
	for name := range a.Header {
		header[name] = a.Header.Get(name)
	}
	return result{a.Status, header, string(a.Body)}
}

// handle runs only for deliveries that Stripe signed, and for each event until it
// succeeds once.
func (h *hook) handle(ctx context.Context, d *verify.Delivery) error {
	var event struct {
		Type string `json:"type"`
		Data struct {
			Object struct {
				ID string `json:"id"`
			} `json:"object"`
		} `json:"data"`
	}
	if err := json.Unmarshal(d.Body, &event); err != nil {
		return errors.New("not an event") // err could quote the body
	}
	if event.Type != "invoice.paid" {
		return nil
	}
	if err := h.pay(ctx, event.Data.Object.ID); err != nil {
		return fmt.Errorf("event %s: %w", d.ID, err)
	}
	return nil
}

// logPayment stands for the effect.
func logPayment(_ context.Context, invoice string) error {
	if invoice == "" {
		return errors.New("the invoice has no id")
	}
	log.Printf("invoice %s is paid", invoice)
	return nil
}
