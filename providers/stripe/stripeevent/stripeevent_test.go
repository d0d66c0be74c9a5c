package stripeevent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	sdk "github.com/stripe/stripe-go/v76"

	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripeevent"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	secret = "whsec_Hx2v9QmT4kLr8ZpWc3NdYb6sJf7gKe1A"

	paid = `{"id":"evt_1","object":"event","account":"acct_1","api_version":"2023-10-16","created":1773480413,` +
		`"data":{"object":{"id":"in_1","object":"invoice","amount_paid":4200},"previous_attributes":{"status":"open"}},` +
		`"livemode":true,"pending_webhooks":1,"request":{"id":"req_1","idempotency_key":"k"},"type":"invoice.paid"}`
	meter = `{"id":"evt_2","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered",` +
		`"created":"2029-11-03T17:20:40.330Z","livemode":true,"context":"acct_1",` +
		`"related_object":{"id":"mtr_1","type":"billing.meter","url":"/v1/billing/meters/mtr_1"},"reason":null}`
)

// verified returns the verified delivery of a body.
func verified(t testing.TB, body string) *verify.Delivery {
	t.Helper()
	now := time.Now()
	d, err := verify.Verify(context.Background(), stripe.Must(secret), &verify.Head{
		Header: stripetest.Header(now, []byte(body), secret), ReceivedAt: now,
	}, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParse(t *testing.T) {
	t.Run("the event of the SDK is returned", func(t *testing.T) {
		d := verified(t, paid)
		e, err := stripeevent.Parse(d)
		if err != nil {
			t.Fatal(err)
		}
		var want sdk.Event
		if err := json.Unmarshal([]byte(paid), &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(e, want) {
			t.Errorf("event is %+v, want %+v", e, want)
		}
		if e.ID != "evt_1" || e.Type != sdk.EventTypeInvoicePaid || e.Account != "acct_1" || !e.Livemode {
			t.Errorf("event is %s, %s, of account %q, live: %v", e.ID, e.Type, e.Account, e.Livemode)
		}
		clear(d.Body)
		if string(e.Data.Raw) != `{"id":"in_1","object":"invoice","amount_paid":4200}` {
			t.Errorf("the event shares memory with the body: %s", e.Data.Raw)
		}
	})

	// The delivery has no id, because all of them share
	// one.
	t.Run("a test event of the Dashboard is read", func(t *testing.T) {
		const id = "evt_00000000000000"
		d := verified(t, strings.Replace(paid, "evt_1", id, 1))
		if e, err := stripeevent.Parse(d); err != nil || e.ID != id || d.ID != "" {
			t.Errorf("event is %q, %v; the delivery's id is %q", e.ID, err, d.ID)
		}
		d = verified(t, strings.Replace(meter, "evt_2", id, 1))
		if e, err := stripeevent.ParseThin(d); err != nil || e.ID != id || d.ID != "" {
			t.Errorf("thin event is %q, %v; the delivery's id is %q", e.ID, err, d.ID)
		}
		for name, body := range map[string]string{
			"behind another id":       strings.Replace(paid, `"livemode"`, `"id":"`+id+`","livemode"`, 1),
			"in front of another id":  strings.Replace(paid, `{"id"`, `{"id":"`+id+`","id"`, 1),
			"in another case":         strings.Replace(paid, `{"id":"evt_1"`, `{"ID":"`+id+`"`, 1),
			"behind an id of nothing": strings.Replace(paid, `{"id":"evt_1"`, `{"id":"","id":"`+id+`"`, 1),
		} {
			if e, err := stripeevent.Parse(verified(t, body)); !errors.Is(err, stripeevent.ErrPayload) {
				t.Errorf("%s: event is %q, %v", name, e.ID, err)
			}
		}
	})

	t.Run("what is wrong is refused", func(t *testing.T) {
		change := func(from, to string) string {
			t.Helper()
			changed := strings.Replace(paid, from, to, 1)
			if changed == paid {
				t.Fatalf("%q is not in the event", from)
			}
			return changed
		}
		for _, tt := range []struct {
			name, body string
			want       error
		}{
			{"a thin event", meter, stripeevent.ErrThin},
			{"a thin event that would fit", `{"id":"evt_2","object":"v2.core.event","created":1}`, stripeevent.ErrThin},
			{"another object", change(`"object":"event"`, `"object":"charge"`), stripeevent.ErrPayload},
			{"no object", change(`"object":"event",`, ``), stripeevent.ErrPayload},
			{"an object that is no text", change(`"object":"event"`, `"object":["event"]`), stripeevent.ErrPayload},
			{"an object in another case", change(`"object":"event"`, `"Object":"event"`), stripeevent.ErrPayload},
			{"a second object", change(`"livemode"`, `"object":"v2.core.event","livemode"`), stripeevent.ErrPayload},
			{"no id", change(`"id":"evt_1",`, ``), stripeevent.ErrPayload},
			{"an id that is not an event's", change(`"evt_1"`, `"ch_1"`), stripeevent.ErrPayload},
			{"an id with an escape", change(`"evt_1"`, `"evt_\u0031"`), stripeevent.ErrPayload},
			{"a second id", change(`"livemode"`, `"id":"evt_9","livemode"`), stripeevent.ErrPayload},
			{"a second id in another case", change(`"livemode"`, `"ID":"evt_9","livemode"`), stripeevent.ErrPayload},
			{"a time that is a text", change(`1773480413`, `"octocat"`), stripeevent.ErrPayload},
			{"a time that is not whole", change(`1773480413`, `1773480413.31337`), stripeevent.ErrPayload},
			{"data that is no object", change(`"data":{`, `"data":7,"x":{`), stripeevent.ErrPayload},
			{"data without an object", change(`"object":{"id":"in_1"`, `"x":{"id":"in_1"`), stripeevent.ErrPayload},
			{"a broken body", paid[:len(paid)-1], stripeevent.ErrPayload},
			{"something behind the body", paid + "{}", stripeevent.ErrPayload},
			{"a list", "[" + paid + "]", stripeevent.ErrPayload},
			{"null", "null", stripeevent.ErrPayload},
			{"an empty body", "", stripeevent.ErrPayload},
		} {
			t.Run(tt.name, func(t *testing.T) {
				e, err := stripeevent.Parse(verified(t, tt.body))
				if !errors.Is(err, tt.want) || !reflect.DeepEqual(e, stripeevent.Event{}) {
					t.Fatalf("event is %+v, error %v, want %v", e, err, tt.want)
				}
				for _, text := range []string{"octocat", "evt_", "31337"} {
					if strings.Contains(err.Error(), text) {
						t.Errorf("error quotes the body: %v", err)
					}
				}
			})
		}
	})

	t.Run("only a delivery of Stripe is parsed", func(t *testing.T) {
		other := *verified(t, paid)
		other.Provider = "github"
		for _, d := range []*verify.Delivery{nil, {}, &other} {
			if _, err := stripeevent.Parse(d); !errors.Is(err, stripeevent.ErrNoDelivery) {
				t.Errorf("error is %v", err)
			}
			if _, err := stripeevent.ParseThin(d); !errors.Is(err, stripeevent.ErrNoDelivery) {
				t.Errorf("thin: error is %v", err)
			}
		}
	})
}

func TestParseThin(t *testing.T) {
	t.Run("the event is returned", func(t *testing.T) {
		e, err := stripeevent.ParseThin(verified(t, meter))
		if err != nil {
			t.Fatal(err)
		}
		want := stripeevent.Thin{
			ID:            "evt_2",
			Type:          "v1.billing.meter.error_report_triggered",
			Created:       time.Date(2029, 11, 3, 17, 20, 40, 330e6, time.UTC),
			Livemode:      true,
			Context:       "acct_1",
			RelatedObject: &stripeevent.RelatedObject{ID: "mtr_1", Type: "billing.meter", URL: "/v1/billing/meters/mtr_1"},
		}
		if !reflect.DeepEqual(e, want) {
			t.Errorf("event is %+v, want %+v", e, want)
		}
		e, err = stripeevent.ParseThin(verified(t, `{"id":"evt_2","object":"v2.core.event","type":"v2.core.event_destination.ping","context":null}`))
		if err != nil || e.Context != "" || e.RelatedObject != nil {
			t.Errorf("without an object and a context: %+v, %v", e, err)
		}
	})

	t.Run("what is no event is refused", func(t *testing.T) {
		for _, tt := range []struct {
			name, body string
			want       error
		}{
			{"an event with its data", paid, stripeevent.ErrNotThin},
			{"an event that would fit", `{"id":"evt_1","object":"event","created":"2029-11-03T17:20:40Z"}`, stripeevent.ErrNotThin},
			{"another object", strings.Replace(meter, "v2.core.event", "v2.core.event_destination", 1), stripeevent.ErrPayload},
			{"a second object", strings.Replace(meter, `"livemode"`, `"object":"event","livemode"`, 1), stripeevent.ErrPayload},
			{"a second id", strings.Replace(meter, `"livemode"`, `"id":"evt_9","livemode"`, 1), stripeevent.ErrPayload},
			{"a time that is a number", strings.Replace(meter, `"2029-11-03T17:20:40.330Z"`, `1773480413`, 1), stripeevent.ErrPayload},
			{"a broken body", meter[:len(meter)-1], stripeevent.ErrPayload},
		} {
			t.Run(tt.name, func(t *testing.T) {
				e, err := stripeevent.ParseThin(verified(t, tt.body))
				if !errors.Is(err, tt.want) || e != (stripeevent.Thin{}) {
					t.Fatalf("event is %+v, error %v, want %v", e, err, tt.want)
				}
			})
		}
	})
}

func TestAPIVersion(t *testing.T) {
	t.Run("another one is reported and not refused", func(t *testing.T) {
		for _, tt := range []struct{ name, member, version string }{
			{"of long ago", `"api_version":"2011-01-01",`, "2011-01-01"},
			{"of the future", `"api_version":"2077-01-01.orchid",`, "2077-01-01.orchid"},
			{"null", `"api_version":null,`, ""},
			{"none", ``, ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				e, err := stripeevent.Parse(verified(t, strings.Replace(paid, `"api_version":"2023-10-16",`, tt.member, 1)))
				if err != nil {
					t.Fatal(err)
				}
				var mismatch *stripeevent.VersionError
				if err := stripeevent.CheckVersion(e); !errors.As(err, &mismatch) {
					t.Fatalf("error is %v, want a *VersionError", err)
				}
				if mismatch.Event != tt.version || mismatch.SDK != sdk.APIVersion {
					t.Errorf("error is %+v", mismatch)
				}
			})
		}
		e, err := stripeevent.Parse(verified(t, paid))
		if err != nil || stripeevent.CheckVersion(e) != nil {
			t.Errorf("the same version: %v, %v", err, stripeevent.CheckVersion(e))
		}
		long := &stripeevent.VersionError{Event: strings.Repeat("x", 1<<20)}
		if n := len(long.Error()); n > 200 {
			t.Errorf("the error is %d bytes long", n)
		}
	})

	t.Run("handlers report each once", func(t *testing.T) {
		var log bytes.Buffer
		before := slog.Default()
		slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
		defer slog.SetDefault(before)

		h := stripeevent.Handler(func(context.Context, stripeevent.Event) error { return nil })
		for _, version := range []string{"2023-10-16", "2020-03-02", "2020-03-02", "2023-10-16", "2020-03-02", "2022-11-15", "2022-11-15"} {
			if w := serve(h, verified(t, strings.Replace(paid, "2023-10-16", version, 1))); w.Code != 204 {
				t.Errorf("version %s: status is %d", version, w.Code)
			}
		}
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "2020-03-02") || !strings.Contains(lines[1], "2022-11-15") {
			t.Errorf("the log is %q", lines)
		}
	})
}

// TestPublishedVectors parses deliveries that nobody of this project wrote.
func TestPublishedVectors(t *testing.T) {
	full, thin := 0, 0
	for _, tt := range vector.LoadPublished(t, 22, "core/stripe/*.json") {
		var body struct{ ID, Object string }
		if json.Unmarshal(tt.Body, &body) != nil || tt.Verdict != "accept" {
			continue
		}
		v, err := stripe.New(verify.Secrets(tt.Secrets...), &stripe.Options{Tolerance: tt.Tolerance, InsecureAllowShortSecret: true})
		if err != nil {
			t.Fatal(err)
		}
		d, err := verify.Verify(context.Background(), v, tt.Head, tt.Body)
		if err != nil {
			t.Fatal(err)
		}
		e, err := stripeevent.Parse(d)
		small, thinErr := stripeevent.ParseThin(d)
		if body.Object == "v2.core.event" {
			thin++
			if !errors.Is(err, stripeevent.ErrThin) || thinErr != nil || small.ID != body.ID {
				t.Errorf("%s: %v; thin: %+v, %v", tt.Name, err, small, thinErr)
			}
			continue
		}
		full++
		if err != nil || e.ID != body.ID || !errors.Is(thinErr, stripeevent.ErrNotThin) {
			t.Errorf("%s: %s, %v; thin: %v", tt.Name, e.ID, err, thinErr)
		}
	}
	if full < 6 || thin < 1 {
		t.Errorf("found %d events and %d thin ones", full, thin)
	}
}
