package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// show invokes functions that build makes, each in two instances that share a
// store, and prints what came of each delivery. It returns an error if that is
// not what is promised.
func show(out io.Writer, build func(verify.Verifier, replay.Store, payFunc) (*hook, error)) error {
	broken := 0
	for _, kind := range []struct {
		name  string
		event func(header http.Header, body []byte) any
	}{
		{"function URL", urlEvent},
		{"HTTP API", httpEvent},
		{"REST API", restEvent},
		{"ALB", albEvent},
		{"ALB, multi", albMultiEvent},
	} {
		secret := "whsec_" + rand.Text() // yours comes from Stripe
		store := replay.NewMemory(nil)
		runs, down := 0, true
		pay := func(_ context.Context, invoice string) error {
			runs++
			if invoice == "in_2" && down {
				down = false
				return errors.New("the database is down")
			}
			return nil
		}
		var instances [2]lambda.Handler
		for i := range instances {
			h, err := build(stripe.Must(secret), store, pay)
			if err != nil {
				return err
			}
			instances[i] = lambda.NewHandler(h.invoke)
		}

		now := time.Now()
		for i, d := range []struct {
			what     string
			invoice  string
			signed   time.Time
			secret   string
			promised outcome
		}{
			{"a genuine delivery", "in_1", now, secret, outcome{http.StatusNoContent, 1}},
			{"the same, replayed", "in_1", now, secret, outcome{http.StatusConflict, 0}},
			{"a forged one", "in_9", now, "whsec_of_somebody_else", outcome{http.StatusUnauthorized, 0}},
			{"one that the handler fails", "in_2", now, secret, outcome{http.StatusInternalServerError, 1}},
			{"its retry, signed anew", "in_2", now.Add(time.Minute), secret, outcome{http.StatusNoContent, 1}},
			{"another retry of it", "in_2", now.Add(2 * time.Minute), secret, outcome{http.StatusOK, 0}},
		} {
			body := fmt.Appendf(nil, `{"id":"evt_%s","object":"event","type":"invoice.paid","data":{"object":{"id":"%[1]s"}}}`, d.invoice)
			payload, err := json.Marshal(kind.event(stripetest.Header(d.signed, body, d.secret), body))
			if err != nil {
				return err
			}
			before := runs
			reply, err := instances[i%2].Invoke(context.Background(), payload)
			if err != nil {
				return err
			}
			var response struct{ StatusCode int }
			if err := json.Unmarshal(reply, &response); err != nil {
				return err
			}
			seen := outcome{response.StatusCode, runs - before}
			fmt.Fprintf(out, "%-14s%-28s%v", kind.name, d.what, seen)
			if seen != d.promised {
				broken++
				fmt.Fprintf(out, "  BROKEN: promised is %v", d.promised)
			}
			fmt.Fprintln(out)
		}
	}
	if broken > 0 {
		return fmt.Errorf("%d promises are broken", broken)
	}
	return nil
}

// outcome is what can be seen of a delivery.
type outcome struct {
	status int
	runs   int // of the handler's effect
}

func (o outcome) String() string {
	if o.runs == 0 {
		return fmt.Sprintf("%d, the handler did not run", o.status)
	}
	return fmt.Sprintf("%d, the handler ran", o.status)
}

// What AWS makes of a request.

func urlEvent(header http.Header, body []byte) any {
	var e events.LambdaFunctionURLRequest
	e.Version, e.RawPath, e.RequestContext.HTTP.Method = "2.0", "/", http.MethodPost
	e.Headers = lower(header)
	e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	return e
}

func httpEvent(header http.Header, body []byte) any {
	var e events.APIGatewayV2HTTPRequest
	e.Version, e.RawPath, e.RequestContext.HTTP.Method = "2.0", "/hooks/stripe", http.MethodPost
	e.Headers = lower(header)
	e.Body = string(body)
	return e
}

func restEvent(header http.Header, body []byte) any {
	e := events.APIGatewayProxyRequest{Path: "/hooks/stripe", HTTPMethod: http.MethodPost, Body: string(body)}
	e.Headers, e.MultiValueHeaders = make(map[string]string), header
	for name, values := range header {
		e.Headers[name] = values[len(values)-1]
	}
	return e
}

// albEvent is of a load balancer whose target group has no multi-value headers.
func albEvent(header http.Header, body []byte) any {
	e := events.ALBTargetGroupRequest{HTTPMethod: http.MethodPost, Path: "/hooks/stripe", Headers: make(map[string]string), Body: string(body)}
	e.RequestContext.ELB.TargetGroupArn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/hooks/0123456789abcdef"
	for name, values := range header {
		e.Headers[strings.ToLower(name)] = values[len(values)-1]
	}
	return e
}

func albMultiEvent(header http.Header, body []byte) any {
	e := albEvent(header, body).(events.ALBTargetGroupRequest)
	e.Headers, e.MultiValueHeaders = nil, make(map[string][]string)
	for name, values := range header {
		e.MultiValueHeaders[strings.ToLower(name)] = values
	}
	return e
}

// lower writes names in lower case, and joins fields of one name.
func lower(header http.Header) map[string]string {
	fields := make(map[string]string)
	for name, values := range header {
		fields[strings.ToLower(name)] = strings.Join(values, ",")
	}
	return fields
}
