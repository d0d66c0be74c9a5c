package paypal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	liveAPI      = "https://api-m.paypal.com"
	sandboxAPI   = "https://api-m.sandbox.paypal.com"
	clientID     = "AZDxjDScFpQtjWTOUtWKbyN_bDt4OgqaF4eYXlewfBP4-8aqX3PiV8e1GWU6liB2CUXlkA59kJXE7M6R"
	clientSecret = "EGnHDxD_qRPdaLdZz8iCr8N7_MzF-YHPTkjs6NKYQvQSBngp4PTTVWkPZRbLdsb8kLyhPsP5n2ebPrEK"
	success      = `{"verification_status":"SUCCESS"}`
	failure      = `{"verification_status":"FAILURE"}`
)

// apiCall is a request that PayPal's API got, apart from those for tokens.
type apiCall struct {
	n                         int // from 1
	method, path, contentType string
	token                     string
	body                      []byte
}

// api is PayPal's API. Its tokens count up, and are good for 9 hours.
type api struct {
	grant    func(n int) (int, string)     // nil: a token
	response func(c apiCall) (int, string) // nil: SUCCESS
	delay    func(ctx context.Context)     // before each response

	mu      sync.Mutex
	granted []string // what each request for a token was
	called  []apiCall
}

func newAPI() *api { return &api{} }

func (a *api) token(n int) string { return fmt.Sprintf("A21AAFEpH4PsADK7qSS7pSRsgzfENtu%04d", n) }

func (a *api) tokens() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.granted)
}

func (a *api) calls() []apiCall {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.called)
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	a.mu.Lock()
	var c apiCall
	n := 0
	if r.URL.Path == "/v1/oauth2/token" {
		user, password, _ := r.BasicAuth()
		a.granted = append(a.granted, fmt.Sprintf("%s %s %s %s %s", r.Method, user, password, r.Header.Get("Content-Type"), body))
		n = len(a.granted)
	} else {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		c = apiCall{len(a.called) + 1, r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), token, body}
		a.called = append(a.called, c)
	}
	a.mu.Unlock()
	if a.delay != nil {
		a.delay(r.Context())
	}
	status, text := http.StatusOK, success
	switch {
	case n > 0 && a.grant != nil:
		status, text = a.grant(n)
	case n > 0:
		text = fmt.Sprintf(`{"scope":"https://uri.paypal.com/services/applications/webhooks","access_token":%q,"token_type":"Bearer","app_id":"APP-80W284485P519543T","expires_in":32400,"nonce":"x"}`, a.token(n))
	case a.response != nil:
		status, text = a.response(c)
	}
	if status/100 == 3 {
		w.Header().Set("Location", text)
	}
	w.WriteHeader(status)
	io.WriteString(w, text)
}

// eventOrSuccess confirms the event both ways.
func eventOrSuccess(c apiCall) (int, string) {
	if c.method == http.MethodGet {
		return http.StatusOK, string(event)
	}
	return http.StatusOK, success
}

// confirming makes a verifier that asks a.
func (w *world) confirming(t testing.TB, a *api, fetchEvent bool, edits ...func(*paypal.Options)) *paypal.Verifier {
	t.Helper()
	w.hosts.handle(liveAPI, a.ServeHTTP)
	w.hosts.handle(sandboxAPI, a.ServeHTTP)
	secret, err := verify.NewKey("app", "1", []byte(clientSecret))
	must(err)
	return w.verifier(t, append(edits, func(o *paypal.Options) {
		o.Confirm = &paypal.Confirm{ClientID: clientID, Secret: secret, FetchEvent: fetchEvent}
	})...)
}

func TestConfirm(t *testing.T) {
	t.Run("a postback holds the body byte for byte", func(t *testing.T) {
		for _, tt := range []struct{ name, body string }{
			{"an event", string(event)},
			{"with what HTML escapes", `{"a":"<b> & </b>"}`},
			{"with escapes of what HTML escapes", `{"a":"\u003cb\u003e \u0026"}`},
			{"with escapes that need not be", `{"a":"\u0041\/\u20ac"}`},
			{"with a euro sign", `{"a":"€"}`},
			{"with line separators", "{\"a\":\"\u2028\u2029\"}"},
			{"with numbers as PayPal writes them", `{"a":1.0,"b":1e2,"c":10000000000000000000001,"d":-0,"e":0.10}`},
			{"with members in no order", `{"z":1,"a":{"c":2,"b":3}}`},
			{"with a member twice", `{"a":1,"a":2}`},
			{"with empty containers", `{"a":{},"b":[],"c":null}`},
			{"with white space", "{ \"a\" :\t1 ,\r\n \"b\":2 }"},
			{"with a line break behind", "{\"a\":1}\n"},
			{"with line breaks and spaces around", "\r\n\t {\"a\":1} \r\n"},
			{"with bytes that are no UTF-8", "{\"a\":\"\xff\xfe\"}"},
			{"with the names of the fields around it", `{"webhook_id":"OTHER","webhook_event":{"auth_algo":"x"}}`},
			{"of nothing", `{}`},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w, a := newWorld(), newAPI()
				h := sent([]byte(tt.body))
				accept(t, "confirmed", w.confirming(t, a, false), h, []byte(tt.body))
				calls := a.calls()
				if len(calls) != 1 || len(a.tokens()) != 1 {
					t.Fatalf("%d calls and %d tokens, want one each", len(calls), len(a.tokens()))
				}
				if got, want := a.tokens()[0], "POST "+clientID+" "+clientSecret+" application/x-www-form-urlencoded grant_type=client_credentials"; got != want {
					t.Errorf("the request for a token is %q, want %q", got, want)
				}
				c := calls[0]
				if c.method != "POST" || c.path != "/v1/notifications/verify-webhook-signature" || c.contentType != "application/json" || c.token != a.token(1) {
					t.Errorf("the call is %s %s, %s, token %s", c.method, c.path, c.contentType, c.token)
				}
				fields, rest, ok := bytes.Cut(c.body, []byte(`,"webhook_event":`))
				if want := tt.body + "}"; !ok || string(rest) != want {
					t.Errorf("the event is %q, want %q", rest, want)
				}
				var got map[string]string
				if err := json.Unmarshal(append(slices.Clone(fields), '}'), &got); err != nil {
					t.Fatalf("the fields %q: %v", fields, err)
				}
				for name, want := range map[string]string{
					"auth_algo":         "SHA256withRSA",
					"cert_url":          certURL,
					"transmission_id":   h.Header.Get("Paypal-Transmission-Id"),
					"transmission_sig":  h.Header.Get("Paypal-Transmission-Sig"),
					"transmission_time": "2029-11-03T17:20:41Z",
					"webhook_id":        webhookID,
				} {
					if got[name] != want {
						t.Errorf("%s is %q, want %q", name, got[name], want)
					}
					delete(got, name)
				}
				if len(got) != 0 {
					t.Errorf("there are further fields: %v", got)
				}
				if !json.Valid(c.body) {
					t.Errorf("the request is no JSON: %q", c.body)
				}
			})
		}
	})

	t.Run("a body that is not one JSON object is refused without a call", func(t *testing.T) {
		for what, body := range map[string]string{
			"nothing":                              "",
			"white space":                          " \n",
			"a text":                               "ping",
			"a string":                             `"a"`,
			"a number":                             "1",
			"null":                                 "null",
			"an array":                             `[{"id":"WH-1"}]`,
			"a form":                               "id=WH-1",
			"an object that is cut":                `{"id":"WH-1"`,
			"two objects":                          `{"id":"WH-1"}{"id":"WH-1"}`,
			"an object and a text":                 `{"id":"WH-1"} x`,
			"an object and a brace":                `{"id":"WH-1"}}`,
			"an object and a zero byte":            "{\"id\":\"WH-1\"}\x00",
			"an object behind a byte order mark":   "\ufeff" + `{"id":"WH-1"}`,
			"an object and another webhook's id":   `{"id":"WH-1"},"webhook_id":"WEBHOOK_ID"`,
			"an object and another signature":      `{"id":"WH-1"},"transmission_sig":"x","y":{"a":1`,
			"an object and a second event":         `{"id":"WH-1"},"webhook_event":{"id":"WH-2"}`,
			"a number and another webhook's id":    `1,"webhook_id":"WEBHOOK_ID"`,
			"an object with a comma too many":      `{"id":"WH-1",}`,
			"an object with a comment":             `{"id":"WH-1"/**/}`,
			"an object with a line break in a str": "{\"id\":\"WH-1\n\"}",
			"an object in other quotes":            `{'id':'WH-1'}`,
			"an object of a hundred thousand":      strings.Repeat(`{"a":`, 100000) + "1" + strings.Repeat("}", 100000),
		} {
			t.Run(what, func(t *testing.T) {
				for _, fetchEvent := range []bool{false, true} {
					w, a := newWorld(), newAPI()
					a.response = eventOrSuccess
					v := w.confirming(t, a, fetchEvent)
					reject(t, what, v, sent([]byte(body)), []byte(body), verify.ErrForged, "")
					if len(a.calls())+len(a.tokens()) != 0 {
						t.Errorf("PayPal was asked %d times, for %d tokens", len(a.calls()), len(a.tokens()))
					}
					accept(t, "an object", v, sent(event), event)
				}
			})
		}
	})

	t.Run("PayPal is asked only when the signature holds", func(t *testing.T) {
		for _, fetchEvent := range []bool{false, true} {
			w, a := newWorld(), newAPI()
			a.response = eventOrSuccess
			v := w.confirming(t, a, fetchEvent)
			h := sent(event)
			for what, forged := range map[string]*verify.Head{
				"another signature": with(h, "Paypal-Transmission-Sig", sent(event).Header["Paypal-Transmission-Sig"]...),
				"another id":        with(h, "Paypal-Transmission-Id", newID()),
				"another key":       sentUnder(certURL, otherKey(), receivedAt, event),
			} {
				reject(t, what, v, forged, event, verify.ErrMismatch, "")
			}
			if len(a.calls())+len(a.tokens()) != 0 {
				t.Errorf("PayPal was asked %d times, for %d tokens", len(a.calls()), len(a.tokens()))
			}
			accept(t, "genuine", v, h, event)
		}
	})

	t.Run("the postback decides", func(t *testing.T) {
		long := `{"verification_status":"SUCCESS","x":"` + strings.Repeat("x", 4<<20) + `"}`
		for _, tt := range []struct {
			name   string
			status int
			text   string
			want   verify.Reason // 0: accepted
			tells  string
		}{
			{"SUCCESS", 200, success, 0, ""},
			{"SUCCESS among others", 200, `{"links":[],"verification_status":"SUCCESS"}`, 0, ""},
			{"FAILURE", 200, failure, verify.ErrForged, "signature is wrong"},
			{"a bad request", 400, `{"name":"VALIDATION_ERROR"}`, verify.ErrForged, "signature is wrong"},
			{"an unprocessable request", 422, `{}`, verify.ErrForged, "signature is wrong"},

			{"success in lower case", 200, `{"verification_status":"success"}`, verify.ErrUnavailable, "documentation"},
			{"SUCCESS and more", 200, `{"verification_status":"SUCCESS "}`, verify.ErrUnavailable, "documentation"},
			{"another status", 200, `{"verification_status":"PENDING"}`, verify.ErrUnavailable, "documentation"},
			{"two statuses, SUCCESS last", 200, `{"verification_status":"FAILURE","verification_status":"SUCCESS"}`, verify.ErrUnavailable, "documentation"},
			{"two statuses, SUCCESS first", 200, `{"verification_status":"SUCCESS","verification_status":"FAILURE"}`, verify.ErrUnavailable, "documentation"},
			{"SUCCESS twice", 200, `{"verification_status":"SUCCESS","verification_status":"SUCCESS"}`, verify.ErrUnavailable, "documentation"},
			{"two statuses in two spellings", 200, `{"verification_status":"SUCCESS","Verification_Status":"FAILURE"}`, verify.ErrUnavailable, "documentation"},
			{"two statuses in two notations", 200, `{"verification_status":"SUCCESS","verific\u0061tion_status":"FAILURE"}`, verify.ErrUnavailable, "documentation"},
			{"two statuses, one with a long s", 200, `{"verification_status":"SUCCESS","verification_ſtatus":"FAILURE"}`, verify.ErrUnavailable, "documentation"},
			{"a status in another spelling", 200, `{"VERIFICATION_STATUS":"SUCCESS"}`, verify.ErrUnavailable, "documentation"},
			{"a status with a long s", 200, `{"verification_ſtatus":"SUCCESS"}`, verify.ErrUnavailable, "documentation"},
			{"a status in an object", 200, `{"result":{"verification_status":"SUCCESS"}}`, verify.ErrUnavailable, "documentation"},
			{"no status", 200, `{}`, verify.ErrUnavailable, "documentation"},
			{"null", 200, `null`, verify.ErrUnavailable, "documentation"},
			{"true", 200, `{"verification_status":true}`, verify.ErrUnavailable, "documentation"},
			{"a list", 200, `["SUCCESS"]`, verify.ErrUnavailable, "documentation"},
			{"a word", 200, `SUCCESS`, verify.ErrUnavailable, "documentation"},
			{"two objects", 200, success + success, verify.ErrUnavailable, "documentation"},
			{"nothing", 200, ``, verify.ErrUnavailable, "documentation"},
			{"a page", 200, `<html>SUCCESS</html>`, verify.ErrUnavailable, "documentation"},
			{"more than 4 MiB", 200, long, verify.ErrUnavailable, "documentation"},
			{"SUCCESS with 201", 201, success, verify.ErrUnavailable, "documentation"},
			{"SUCCESS with 204", 204, ``, verify.ErrUnavailable, "documentation"},
			{"SUCCESS with 404", 404, success, verify.ErrUnavailable, "documentation"},
			{"a redirect", 302, liveAPI + "/elsewhere", verify.ErrUnavailable, "documentation"},
			{"a redirect that keeps the method", 307, "https://api.paypal.com/elsewhere", verify.ErrUnavailable, "documentation"},
			{"too many requests", 429, success, verify.ErrUnavailable, "documentation"},
			{"an error", 500, success, verify.ErrUnavailable, "documentation"},
			{"an outage", 503, ``, verify.ErrUnavailable, "documentation"},
			{"no rights", 403, success, verify.ErrUnavailable, "client id and secret"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w, a := newWorld(), newAPI()
				a.response = func(apiCall) (int, string) { return tt.status, tt.text }
				v := w.confirming(t, a, false)
				if tt.want == 0 {
					accept(t, tt.name, v, sent(event), event)
				} else {
					reject(t, tt.name, v, sent(event), event, tt.want, tt.tells)
				}
				if n := len(w.net.asked()); n != 4 {
					t.Errorf("the requests are %q, want those for certificate, issuer, token and confirmation", w.net.asked())
				}
			})
		}
	})

	t.Run("an API that hangs costs bounded time", func(t *testing.T) {
		t.Parallel()
		hang := func(ctx context.Context) { <-ctx.Done() }
		for _, fetchEvent := range []bool{false, true} {
			for _, what := range []string{"tokens", "confirmations"} {
				t.Run(fmt.Sprintf("%s, FetchEvent %v", what, fetchEvent), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						w, a := newWorld(), newAPI()
						v := w.confirming(t, a, fetchEvent)
						if what == "confirmations" {
							a.response = func(apiCall) (int, string) { return 503, `` }
							reject(t, "to have a token", v, sent(event), event, verify.ErrUnavailable, "")
							a.response = nil
						}
						before := len(a.tokens())
						synctest.Wait()
						a.delay = hang
						start := time.Now()
						for i, err := range together(v, 50, func(int) *verify.Head { return genuine() }) {
							if verify.ReasonOf(err) != verify.ErrUnavailable {
								t.Errorf("delivery %d: %v", i, err)
							}
						}
						if took := time.Since(start); took > 15*time.Second {
							t.Errorf("took %v", took)
						}
						if what == "tokens" && len(a.tokens())-before != 1 {
							t.Errorf("%d requests for tokens, want 1", len(a.tokens())-before)
						}
						ctx, cancel := context.WithTimeout(context.Background(), time.Second)
						defer cancel()
						start = time.Now()
						_, err := verify.Verify(ctx, v, sent(event), event)
						if verify.ReasonOf(err) != verify.ErrUnavailable || time.Since(start) != time.Second {
							t.Errorf("a delivery that is given up after a second took %v: %v", time.Since(start), err)
						}
						synctest.Wait()
						a.delay = nil
						a.response = eventOrSuccess
						accept(t, "when PayPal is well again", v, sent(event), event)
					})
				})
			}
		}
	})

	t.Run("the sandbox asks the sandbox", func(t *testing.T) {
		w, a := newWorld(), newAPI()
		w.hosts.file(sandboxURL, inPEM(w.issuer.leaf(leafKey().Public(), name(sandboxName, sandboxName))))
		v := w.confirming(t, a, false, func(o *paypal.Options) { o.Sandbox = true })
		accept(t, "genuine", v, sentUnder(sandboxURL, leafKey(), receivedAt, event), event)
		for _, request := range w.net.asked() {
			if !strings.Contains(request, ".sandbox.paypal.com/") && !strings.Contains(request, issuerURL) {
				t.Errorf("the sandbox made the request %q", request)
			}
		}
	})

	t.Run("it works over real sockets", func(t *testing.T) {
		w, a := newWorld(), newAPI()
		net := newInternet(t, w.hosts)
		v := w.confirming(t, a, false, func(o *paypal.Options) { o.Transport = net })
		accept(t, "confirmed", v, sent(event), event)
		a.response = func(apiCall) (int, string) { return 200, failure }
		reject(t, "refused", v, sent(event), event, verify.ErrForged, "")
		want := []string{
			"GET " + certURL, "GET " + issuerURL, "POST " + liveAPI + "/v1/oauth2/token",
			"POST " + liveAPI + "/v1/notifications/verify-webhook-signature", "POST " + liveAPI + "/v1/notifications/verify-webhook-signature",
		}
		if got := net.asked(); !slices.Equal(got, want) {
			t.Errorf("the requests are %q, want %q", got, want)
		}

		a.grant = func(int) (int, string) {
			return 200, `{"access_token":"x\r\nX-Other: 1","expires_in":3600}`
		}
		v = w.confirming(t, a, false, func(o *paypal.Options) { o.Transport = net })
		n := len(a.calls())
		reject(t, "a token that would be two headers", v, sent(event), event, verify.ErrUnavailable, "")
		if len(a.calls()) != n {
			t.Error("a token that would be two headers was sent")
		}
	})

	t.Run("the recorded event decides", func(t *testing.T) {
		const id = "WH-2WR32451HC0233532-67976317FL4543714"
		body := `{"id":"` + id + `","event_type":"PAYMENT.CAPTURE.COMPLETED","create_time":"2029-11-03T17:20:38.000Z","resource":{"id":"4231","amount":{"value":"20.00","currency_code":"EUR"},"n":1.0,"list":[1,2]},"links":[{"href":"https://api.paypal.com/x","rel":"self"}]}`
		edited := func(old, new string) string {
			if strings.Count(body, old) != 1 {
				panic(old)
			}
			return strings.Replace(body, old, new, 1)
		}
		for _, tt := range []struct {
			name   string
			sent   string
			status int
			record string
			want   verify.Reason // 0: accepted
			calls  int
		}{
			{"the same event", body, 200, body, 0, 1},
			{"the same event in another order", body, 200, `{"links":[],"resource":{"list":[1,2],"n":1.0,"amount":{"currency_code":"EUR","value":"20.00"},"id":"4231"},"create_time":"2029-11-03T17:20:38.000Z","event_type":"PAYMENT.CAPTURE.COMPLETED","id":"` + id + `"}`, 0, 1},
			{"the same event with white space", "\n" + edited(`"EUR"`, ` "EUR" `) + "\r\n", 200, " " + body + "\n", 0, 1},
			{"the same event in other escapes", edited("EUR", `\u0045UR`), 200, body, 0, 1},
			{"a record that says more", body, 200, edited(`"links"`, `"transmissions":[],"status":"SUCCESS","links"`), 0, 1},
			{"a record with other links", body, 200, edited("https://api.paypal.com/x", "https://api.paypal.com/y"), 0, 1},
			{"a record without links", body, 200, edited(`,"links":[{"href":"https://api.paypal.com/x","rel":"self"}]`, ``), 0, 1},

			{"another amount", edited("20.00", "20000.00"), 200, body, verify.ErrForged, 1},
			{"another type", edited("COMPLETED", "DENIED"), 200, body, verify.ErrForged, 1},
			{"another time", edited("17:20:38", "17:20:39"), 200, body, verify.ErrForged, 1},
			{"another list", edited("[1,2]", "[2,1]"), 200, body, verify.ErrForged, 1},
			{"a shorter list", edited("[1,2]", "[1]"), 200, body, verify.ErrForged, 1},
			{"a number in other digits", edited("1.0", "1"), 200, body, verify.ErrForged, 1},
			{"a number for a string", edited(`"20.00"`, `20.00`), 200, body, verify.ErrForged, 1},
			{"a member more in the resource", edited(`"n":1.0`, `"n":1.0,"m":1`), 200, body, verify.ErrForged, 1},
			{"a member less in the resource", edited(`"n":1.0,`, ``), 200, body, verify.ErrForged, 1},
			{"a member more", edited(`"links"`, `"custom":1,"links"`), 200, body, verify.ErrForged, 1},
			{"a member more that is null", edited(`"links"`, `"custom":null,"links"`), 200, body, verify.ErrForged, 1},
			{"no resource", `{"id":"` + id + `","event_type":"PAYMENT.CAPTURE.COMPLETED"}`, 200, body, verify.ErrForged, 1},
			{"no type", edited(`"event_type":"PAYMENT.CAPTURE.COMPLETED",`, ``), 200, body, verify.ErrForged, 1},
			{"a resource that is null", edited(`{"id":"4231","amount":{"value":"20.00","currency_code":"EUR"},"n":1.0,"list":[1,2]}`, `null`), 200, body, verify.ErrForged, 1},
			{"links under another name", edited(`"links"`, `"Links"`), 200, body, verify.ErrForged, 1},
			{"another event on record", body, 200, edited(id, "WH-OTHER"), verify.ErrForged, 1},

			{"no such event", body, 404, `{"name":"RESOURCE_NOT_FOUND"}`, verify.ErrForged, 1},
			{"no such event, with the event", body, 404, body, verify.ErrForged, 1},
			{"an outage", body, 503, body, verify.ErrUnavailable, 1},
			{"too many requests", body, 429, body, verify.ErrUnavailable, 1},
			{"a redirect", body, 302, "https://api.paypal.com/v1/notifications/webhooks-events/" + id, verify.ErrUnavailable, 1},
			{"no rights", body, 403, body, verify.ErrUnavailable, 1},
			{"a page", body, 200, "<html>", verify.ErrUnavailable, 1},
			{"nothing", body, 200, "", verify.ErrUnavailable, 1},
			{"null", body, 200, "null", verify.ErrUnavailable, 1},
			{"a list", body, 200, "[" + body + "]", verify.ErrUnavailable, 1},
			{"two events", body, 200, body + body, verify.ErrUnavailable, 1},
			{"a record with a member twice", body, 200, edited(`"n":1.0`, `"n":1.0,"n":1.0`), verify.ErrUnavailable, 1},
			{"more than 4 MiB", body, 200, edited(`"links"`, `"x":"`+strings.Repeat("x", 4<<20)+`","links"`), verify.ErrUnavailable, 1},

			{"a resource twice, the genuine first", edited(`"links"`, `"resource":{"id":"4231","amount":{"value":"1"}},"links"`), 200, body, verify.ErrForged, 0},
			{"a resource twice, the genuine last", edited(`"resource"`, `"resource":{"id":"0"},"resource"`), 200, body, verify.ErrForged, 0},
			{"a resource twice in two spellings", edited(`"links"`, `"Resource":{"id":"0"},"links"`), 200, body, verify.ErrForged, 0},
			{"a resource twice in two notations", edited(`"links"`, `"re\u0073ource":{"id":"0"},"links"`), 200, body, verify.ErrForged, 0},
			{"an amount twice", edited(`"value":"20.00"`, `"value":"20.00","value":"20.00"`), 200, body, verify.ErrForged, 0},
			{"links twice", edited(`"links"`, `"links":[],"links"`), 200, body, verify.ErrForged, 0},
			{"a member twice within a list", edited("[1,2]", `[1,{"a":1,"a":2}]`), 200, body, verify.ErrForged, 0},
			{"an id that is none of PayPal's", edited(id, "evt_1"), 200, body, verify.ErrForged, 0},
			{"an id that is a path", edited(id, "WH-1/../WH-2"), 200, body, verify.ErrForged, 0},
			{"an id with a query", edited(id, "WH-1?x=1"), 200, body, verify.ErrForged, 0},
			{"no id", edited(`"id":"`+id+`",`, ``), 200, body, verify.ErrForged, 0},
			{"a hundred and one levels", edited("[1,2]", strings.Repeat("[", 101)+strings.Repeat("]", 101)), 200, body, verify.ErrForged, 0},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w, a := newWorld(), newAPI()
				a.response = func(apiCall) (int, string) { return tt.status, tt.record }
				v := w.confirming(t, a, true)
				h := sent([]byte(tt.sent))
				if tt.want == 0 {
					accept(t, tt.name, v, h, []byte(tt.sent))
				} else {
					reject(t, tt.name, v, h, []byte(tt.sent), tt.want, "")
				}
				calls := a.calls()
				if len(calls) != tt.calls {
					t.Fatalf("%d calls, want %d", len(calls), tt.calls)
				}
				for _, c := range calls {
					if c.method != "GET" || c.path != "/v1/notifications/webhooks-events/"+id || len(c.body) != 0 || c.token != a.token(1) {
						t.Errorf("the call is %s %s with %d bytes", c.method, c.path, len(c.body))
					}
				}
				silent(t, "beyond certificate, issuer, token and event", w.net, 2+2*tt.calls)
			})
		}
	})

	// Is what FetchEvent is for.
	t.Run("the record uncovers a forged body that verifies", func(t *testing.T) {
		w, a := newWorld(), newAPI()
		a.response = func(apiCall) (int, string) { return 200, string(event) }
		h := sent(event)
		forged := collide(t, bytes.Replace(event, []byte(`"20.00"`), []byte(`"20000.00"`), 1), event)
		accept(t, "forged, offline", w.verifier(t), h, forged)
		v := w.confirming(t, a, true)
		reject(t, "forged", v, h, forged, verify.ErrForged, "on record")
		accept(t, "genuine", v, h, event)
	})
}

func TestToken(t *testing.T) {
	t.Run("a token that is refused is replaced once", func(t *testing.T) {
		w, a := newWorld(), newAPI()
		bad := a.token(1)
		a.response = func(c apiCall) (int, string) {
			if c.token == bad {
				return 401, ``
			}
			return 200, success
		}
		v := w.confirming(t, a, false)
		accept(t, "after a new token", v, sent(event), event)
		accept(t, "with the new token", v, sent(event), event)
		if len(a.tokens()) != 2 || len(a.calls()) != 3 || a.calls()[2].token != a.token(2) {
			t.Errorf("%d tokens, calls %+v", len(a.tokens()), a.calls())
		}
		bad = a.token(2)
		accept(t, "after a third token", v, sent(event), event)

		t.Run("and not more than once a delivery", func(t *testing.T) {
			w, a := newWorld(), newAPI()
			a.response = func(c apiCall) (int, string) { return 401, success }
			v := w.confirming(t, a, false)
			reject(t, "every token is refused", v, sent(event), event, verify.ErrUnavailable, "client id and secret")
			if len(a.tokens()) != 2 || len(a.calls()) != 2 {
				t.Errorf("%d tokens and %d calls, want 2 and 2", len(a.tokens()), len(a.calls()))
			}
			a.response = nil
			accept(t, "when PayPal is well again", v, sent(event), event)
		})
		t.Run("but not where the rights are missing", func(t *testing.T) {
			w, a := newWorld(), newAPI()
			a.response = func(c apiCall) (int, string) { return 403, success }
			reject(t, "forbidden", w.confirming(t, a, false), sent(event), event, verify.ErrUnavailable, "client id and secret")
			if len(a.tokens()) != 1 || len(a.calls()) != 1 {
				t.Errorf("%d tokens and %d calls, want 1 and 1", len(a.tokens()), len(a.calls()))
			}
		})
	})

	t.Run("a token is used until shortly before it ends", func(t *testing.T) {
		for _, tt := range []struct {
			name    string
			expires string
			good    time.Duration // 0: the grant is refused
		}{
			{"after 9 hours", "32400", 9*time.Hour - time.Minute},
			{"after an hour", "3600", 59 * time.Minute},
			{"after 2 minutes", "120", time.Minute},
			{"after a minute", "60", 30 * time.Second},
			{"after 2 seconds", "2", time.Second},
			{"after a day at most", "1000000000000", 24*time.Hour - time.Minute},
			{"after the largest number of seconds", "9223372036854775807", 24*time.Hour - time.Minute},
			{"after no time", "0", 0},
			{"before it began", "-1", 0},
			{"after a number that is none", `"3600"`, 0},
			{"after a number too large", "9223372036854775808", 0},
			{"after null", "null", 0},
		} {
			t.Run(tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w, a := newWorld(), newAPI()
					a.grant = func(n int) (int, string) {
						return 200, fmt.Sprintf(`{"access_token":%q,"expires_in":%s}`, a.token(n), tt.expires)
					}
					v := w.confirming(t, a, false)
					if tt.good == 0 {
						reject(t, "the first", v, sent(event), event, verify.ErrUnavailable, "documentation")
						return
					}
					accept(t, "the first", v, sent(event), event)
					time.Sleep(tt.good - time.Millisecond)
					accept(t, "just before", v, sent(event), event)
					if n := len(a.tokens()); n != 1 {
						t.Errorf("%d tokens just before the end, want 1", n)
					}
					time.Sleep(time.Millisecond)
					accept(t, "just after", v, sent(event), event)
					if n := len(a.tokens()); n != 2 {
						t.Errorf("%d tokens just after the end, want 2", n)
					}
				})
			})
		}
	})

	t.Run("without a token a delivery is unavailable", func(t *testing.T) {
		for _, tt := range []struct {
			name   string
			status int
			text   string
			tells  string
		}{
			{"wrong credentials", 401, `{"error":"invalid_client"}`, "client id and secret"},
			{"no rights", 403, ``, "client id and secret"},
			{"an outage", 503, ``, "documentation"},
			{"a bad request", 400, ``, "documentation"},
			{"a redirect", 302, liveAPI + "/v1/notifications/verify-webhook-signature", "documentation"},
			{"a page", 200, `<html>`, "documentation"},
			{"nothing", 200, ``, "documentation"},
			{"an empty token", 200, `{"access_token":"","expires_in":3600}`, "documentation"},
			{"no token", 200, `{"expires_in":3600}`, "documentation"},
			{"two tokens", 200, `{"access_token":"x","access_token":"y","expires_in":3600}`, "documentation"},
			{"two tokens in two spellings", 200, `{"access_token":"x","Access_Token":"y","expires_in":3600}`, "documentation"},
			{"two ends", 200, `{"access_token":"x","expires_in":3600,"expires_in":3600}`, "documentation"},
			{"a token without an end", 200, `{"access_token":"x"}`, "documentation"},
			{"a token of 64 KiB", 200, `{"access_token":"` + strings.Repeat("x", 64<<10) + `","expires_in":3600}`, "documentation"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w, a := newWorld(), newAPI()
				good := false
				a.grant = func(n int) (int, string) {
					if good {
						return 200, `{"access_token":"x","expires_in":3600}`
					}
					return tt.status, tt.text
				}
				v := w.confirming(t, a, false)
				reject(t, tt.name, v, sent(event), event, verify.ErrUnavailable, tt.tells)
				if n := len(a.calls()); n != 0 {
					t.Errorf("%d calls without a token", n)
				}
				good = true
				accept(t, "with a token", v, sent(event), event)
			})
		}
	})

	t.Run("a hundred deliveries at once fetch one token", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, a := newWorld(), newAPI()
			a.delay = answersAfter(200 * time.Millisecond)
			v := w.confirming(t, a, false)
			for i, err := range together(v, 100, func(int) *verify.Head { return genuine() }) {
				if err != nil {
					t.Fatalf("delivery %d: %v", i, err)
				}
			}
			if len(a.tokens()) != 1 || len(a.calls()) != 100 {
				t.Errorf("%d tokens and %d calls, want 1 and 100", len(a.tokens()), len(a.calls()))
			}
		})
	})

	t.Run("a hundred deliveries at once share the failure of a token", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, a := newWorld(), newAPI()
			a.delay = answersAfter(200 * time.Millisecond)
			a.grant = func(int) (int, string) { return 401, `` }
			v := w.confirming(t, a, false)
			for i, err := range together(v, 100, func(int) *verify.Head { return genuine() }) {
				if verify.ReasonOf(err) != verify.ErrUnavailable {
					t.Fatalf("delivery %d: %v", i, err)
				}
			}
			if len(a.tokens()) != 1 || len(a.calls()) != 0 {
				t.Errorf("%d requests for tokens and %d calls, want 1 and 0", len(a.tokens()), len(a.calls()))
			}
			a.grant = nil
			accept(t, "the next delivery", v, sent(event), event)
		})
	})

	t.Run("a delivery that is given up takes no token from others", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, a := newWorld(), newAPI()
			v := w.confirming(t, a, false)
			if err := v.Prefetch(context.Background()); err != nil {
				t.Fatal(err)
			}
			accept(t, "before", v, sent(event), event)
			time.Sleep(24 * time.Hour)
			a.delay = answersAfter(time.Second)
			ctx, cancel := context.WithCancel(context.Background())
			var gaveUp error
			var all sync.WaitGroup
			all.Go(func() { _, gaveUp = verify.Verify(ctx, v, sent(event), event) })
			synctest.Wait() // it asks for a token
			var err error
			all.Go(func() { _, err = verify.Verify(context.Background(), v, sent(event), event) })
			synctest.Wait() // it waits for that token
			cancel()
			all.Wait()
			if verify.ReasonOf(gaveUp) != verify.ErrUnavailable {
				t.Errorf("the delivery that was given up: %v", gaveUp)
			}
			if err != nil {
				t.Errorf("the other delivery: %v", err)
			}
		})
	})
}

// together verifies n deliveries at once and returns their errors.
func together(v *paypal.Verifier, n int, head func(i int) *verify.Head) []error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		h := head(i)
		all.Go(func() { _, errs[i] = verify.Verify(context.Background(), v, h, event) })
	}
	all.Wait()
	return errs
}

// answersAfter makes an API take its time.
func answersAfter(d time.Duration) func(context.Context) {
	return func(ctx context.Context) {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
	}
}
