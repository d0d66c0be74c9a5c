package scheme_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	handshakeSecret = "a secret of thirty-two characters"
	verifyToken     = "a verify token, long"
)

// greeting is a definition with one handshake of each kind.
func greeting(handshakes ...scheme.Handshake) scheme.Definition {
	return scheme.Definition{
		Provider:   "greeter",
		Signatures: []scheme.Signature{{Header: "Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		BodyPrefix: "{",
		MaxBody:    1 << 20,
		Retry:      verify.RetryIdentical,
		Handshakes: handshakes,
	}
}

var (
	metaLike = scheme.Handshake{
		Kind: scheme.GetHandshake, If: []scheme.Condition{{Name: "hub.mode", Value: "subscribe"}},
		Token: "hub.verify_token", Parameter: "hub.challenge", Response: "$challenge",
	}
	echoLike   = scheme.Handshake{Kind: scheme.GetHandshake, Parameter: "challenge", Response: "$challenge"}
	headerLike = scheme.Handshake{Kind: scheme.GetHandshake, Header: "X-Verification-Challenge", Response: `{"verification":"$challenge"}`}
	crcLike    = scheme.Handshake{Kind: scheme.GetHandshake, Parameter: "crc_token", Response: `{"response_token":"sha256=$hmac_base64"}`, MaxChallenge: 128}
	headLike   = scheme.Handshake{Kind: scheme.HeadHandshake}
	graphLike  = scheme.Handshake{Kind: scheme.PostHandshake, Token: "token", Parameter: "validationToken", Extra: " :", Response: "$challenge"}
	mondayLike = scheme.Handshake{Kind: scheme.PostHandshake, Token: "token", Member: "challenge", Without: "Signature", Response: `{"challenge":"$challenge"}`}
	slackLike  = scheme.Handshake{
		Kind: scheme.SignedHandshake, If: []scheme.Condition{{Name: "type", Value: "url_verification"}},
		Member: "challenge", Response: "$challenge",
	}
	zoomLike = scheme.Handshake{
		Kind: scheme.SignedHandshake, If: []scheme.Condition{{Name: "event", Value: "endpoint.url_validation"}},
		Member: "payload.plainToken", Response: `{"plainToken":"$challenge","encryptedToken":"$hmac_hex"}`,
	}
	pingLike = scheme.Handshake{Kind: scheme.SignedHandshake, If: []scheme.Condition{{Name: "type", Value: "1"}}, Without: "event", Response: `{"type":1}`}
	hushLike = scheme.Handshake{Kind: scheme.SignedHandshake, If: []scheme.Condition{{Name: "type", Value: "0"}}}
)

func hmacOf(text string) []byte {
	m := hmac.New(sha256.New, []byte(handshakeSecret))
	m.Write([]byte(text))
	return m.Sum(nil)
}

// inquiry is a request that may be a handshake.
type inquiry struct {
	method, query, body string
	header              http.Header
	unsigned            bool // a POST is signed otherwise
}

func (a inquiry) head() *verify.Head {
	h := &verify.Head{Method: a.method, URL: &url.URL{Path: "/hooks", RawQuery: a.query}, Header: a.header.Clone(), ReceivedAt: time.Unix(1_700_000_000, 0)}
	if h.Header == nil {
		h.Header = http.Header{}
	}
	if a.method == http.MethodPost && !a.unsigned {
		h.Header.Set("Signature", hex.EncodeToString(hmacOf(a.body)))
	}
	return h
}

func TestHandshake(t *testing.T) {
	const none = verify.Reason(0)
	get := func(query string) inquiry { return inquiry{method: "GET", query: query} }
	post := func(body string) inquiry { return inquiry{method: "POST", body: body} }
	bare := func(query, body string) inquiry {
		return inquiry{method: "POST", query: query, body: body, unsigned: true}
	}
	header := func(values ...string) inquiry {
		return inquiry{method: "GET", header: http.Header{"X-Verification-Challenge": values}}
	}
	token := url.QueryEscape(verifyToken)
	good := "hub.mode=subscribe&hub.verify_token=" + token + "&hub.challenge=1158201444"
	long := strings.Repeat("a", 256)
	for _, tt := range []struct {
		name  string
		by    scheme.Handshake
		ask   inquiry
		text  string // of the response; "" and no reason: no handshake
		media string
		err   verify.Reason
	}{
		{"a verify token", metaLike, get(good), "1158201444", verify.TextPlain, none},
		{"another verify token", metaLike, get(strings.Replace(good, token, "another+token%2C+long", 1)), "", "", verify.ErrMismatch},
		{"a verify token that goes on", metaLike, get(strings.Replace(good, token, token+"r", 1)), "", "", verify.ErrMismatch},
		{"a verify token that is cut", metaLike, get(strings.Replace(good, token, token[:len(token)-1], 1)), "", "", verify.ErrMismatch},
		{"an empty verify token", metaLike, get(strings.Replace(good, token, "", 1)), "", "", verify.ErrMismatch},
		{"no verify token", metaLike, get("hub.mode=subscribe&hub.challenge=1"), "", "", verify.ErrUnsigned},
		{"two verify tokens", metaLike, get(good + "&hub.verify_token=" + token), "", "", verify.ErrMalformed},
		{"another mode", metaLike, get(strings.Replace(good, "subscribe", "unsubscribe", 1)), "", "", verify.ErrMalformed},
		{"no mode", metaLike, get(strings.Replace(good, "hub.mode=subscribe&", "", 1)), "", "", verify.ErrMalformed},
		{"two modes", metaLike, get(good + "&hub.mode=subscribe"), "", "", verify.ErrMalformed},
		{"no challenge", metaLike, get("hub.mode=subscribe&hub.verify_token=" + token), "", "", none},
		{"two challenges", metaLike, get(good + "&hub.challenge=1"), "", "", verify.ErrMalformed},
		{"a query that cannot be parsed", metaLike, get(good + "&%zz"), "", "", verify.ErrMalformed},
		{"a query that is too long", metaLike, get(good + "&x=" + strings.Repeat("x", 4<<10)), "", "", none},

		{"a GET", echoLike, get("challenge=bGl0-dGxl_"), "bGl0-dGxl_", verify.TextPlain, none},
		{"a HEAD where a GET is one", echoLike, inquiry{method: "HEAD", query: "challenge=a"}, "", "", none},
		{"a PUT where a GET is one", echoLike, inquiry{method: "PUT", query: "challenge=a"}, "", "", none},
		{"a GET with a body", echoLike, inquiry{method: "GET", query: "challenge=a", body: "x"}, "", "", verify.ErrMalformed},
		{"a GET without a query", echoLike, get(""), "", "", none},
		{"an empty challenge", echoLike, get("challenge="), "", "", verify.ErrMalformed},
		{"HTML", echoLike, get("challenge=%3Cscript%3E"), "", "", verify.ErrMalformed},
		{"a quotation mark", echoLike, get("challenge=a%22"), "", "", verify.ErrMalformed},
		{"a line break", echoLike, get("challenge=a%0a"), "", "", verify.ErrMalformed},
		{"a blank", echoLike, get("challenge=a+b"), "", "", verify.ErrMalformed},
		{"a letter beyond ASCII", echoLike, get("challenge=%c3%a9"), "", "", verify.ErrMalformed},
		{"what is no UTF-8", echoLike, get("challenge=%ff"), "", "", verify.ErrMalformed},
		{"the longest challenge", echoLike, get("challenge=" + long), long, verify.TextPlain, none},
		{"one that is longer", echoLike, get("challenge=a" + long), "", "", verify.ErrMalformed},

		{"a header", headerLike, header("abc"), `{"verification":"abc"}`, verify.ApplicationJSON, none},
		{"a header that is no challenge", headerLike, header(`abc"`), "", "", verify.ErrMalformed},
		{"a header twice", headerLike, header("abc", "abc"), "", "", verify.ErrMalformed},
		{"no header", headerLike, get(""), "", "", none},

		{"a token to be signed", crcLike, get("crc_token=NGY5Mw%3D%3D&nonce=x"), `{"response_token":"sha256=` + base64.StdEncoding.EncodeToString(hmacOf("NGY5Mw==")) + `"}`, verify.ApplicationJSON, none},
		{"an event as a token to be signed", crcLike, get("crc_token=" + url.QueryEscape(`{"follow_events":[]}`)), "", "", verify.ErrMalformed},
		{"a number as a token to be signed", crcLike, get("crc_token=17"), `{"response_token":"sha256=` + base64.StdEncoding.EncodeToString(hmacOf("17")) + `"}`, verify.ApplicationJSON, none},
		{"the longest token to be signed", crcLike, get("crc_token=" + long[:128]), `{"response_token":"sha256=` + base64.StdEncoding.EncodeToString(hmacOf(long[:128])) + `"}`, verify.ApplicationJSON, none},
		{"a longer token to be signed", crcLike, get("crc_token=" + long[:129]), "", "", verify.ErrMalformed},

		{"a HEAD", headLike, inquiry{method: "HEAD"}, "-", "", none},
		{"a HEAD with a body", headLike, inquiry{method: "HEAD", body: "x"}, "", "", verify.ErrMalformed},
		{"a GET where a HEAD is one", headLike, get(""), "", "", none},

		{"a POST that is not signed", graphLike, bare("token="+token+"&validationToken=Validation%3A+Testing+a-1", ""), "Validation: Testing a-1", verify.TextPlain, none},
		{"one without the token", graphLike, bare("validationToken=a", ""), "", "", verify.ErrUnsigned},
		{"one with another token", graphLike, bare("token=a&validationToken=a", ""), "", "", verify.ErrMismatch},
		{"one with a body", graphLike, bare("token="+token+"&validationToken=a", "{}"), "", "", verify.ErrMalformed},
		{"one with HTML", graphLike, bare("token="+token+"&validationToken=%3Cb%3E", ""), "", "", verify.ErrMalformed},
		{"a GET where a POST is one", graphLike, get("token=" + token + "&validationToken=a"), "", "", none},

		{"a POST with its challenge in the body", mondayLike, bare("token="+token, `{"challenge":"abc"}`), `{"challenge":"abc"}`, verify.ApplicationJSON, none},
		{"one with another token beside it", mondayLike, bare("token=x", `{"challenge":"abc"}`), "", "", verify.ErrMismatch},
		{"one without a token beside it", mondayLike, bare("", `{"challenge":"abc"}`), "", "", verify.ErrUnsigned},
		{"one with no challenge in the body", mondayLike, bare("token="+token, `{"event":"abc"}`), "", "", verify.ErrMalformed},
		{"one that is signed is an event", mondayLike, inquiry{method: "POST", query: "token=" + token, body: `{"challenge":"abc"}`}, "", "", none},

		{"a delivery", slackLike, post(`{"token":"x","challenge":"3eZbrw1aB","type":"url_verification"}`), "3eZbrw1aB", verify.TextPlain, none},
		{"a delivery that is not signed", slackLike, bare("", `{"challenge":"3eZbrw1aB","type":"url_verification"}`), "", "", verify.ErrUnsigned},
		{"an event", slackLike, post(`{"type":"event_callback","challenge":"3eZbrw1aB"}`), "", "", none},
		{"an event that speaks of handshakes", slackLike, post(`{"type":"event_callback","text":"url_verification","challenge":"a","inner":{"type":"url_verification"}}`), "", "", none},
		{"a delivery whose challenge is HTML", slackLike, post(`{"challenge":"<b>","type":"url_verification"}`), "", "", verify.ErrMalformed},
		{"a delivery whose challenge has an escape", slackLike, post(`{"challenge":"a\u0062","type":"url_verification"}`), "", "", verify.ErrMalformed},
		{"a delivery without a challenge", slackLike, post(`{"type":"url_verification"}`), "", "", verify.ErrMalformed},

		{"a nested token to be signed", zoomLike, post(`{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event":"endpoint.url_validation"}`),
			`{"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"` + hex.EncodeToString(hmacOf("qgg8vlvZRS6UYooatFL8Aw")) + `"}`, verify.ApplicationJSON, none},
		{"a message as a nested token to be signed", zoomLike, post(`{"payload":{"plainToken":"v0:1:x"},"event":"endpoint.url_validation"}`), "", "", verify.ErrMalformed},
		{"another event with a nested token", zoomLike, post(`{"payload":{"plainToken":"a"},"event":"meeting.ended"}`), "", "", none},

		{"a ping", pingLike, post(`{"id":"1","type":1}`), `{"type":1}`, verify.ApplicationJSON, none},
		{"no ping", pingLike, post(`{"id":"1","type":2}`), "", "", none},
		{"an event of the number of a ping", pingLike, post(`{"type":1,"event":{"type":"APPLICATION_AUTHORIZED"}}`), "", "", none},
		{"an event of that number that says nothing", pingLike, post(`{"type":1,"event":null}`), "", "", none},
		{"a ping that wants silence", hushLike, post(`{"type":0}`), "-", verify.ApplicationJSON, none},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := &scheme.Options{}
			if tt.by.Token != "" {
				o.VerifyToken = verifyToken
			}
			v, err := scheme.New(greeting(tt.by), verify.Secrets(handshakeSecret), o)
			if err != nil {
				t.Fatal(err)
			}
			r, err := verify.Respond(context.Background(), v, tt.ask.head(), []byte(tt.ask.body))
			if verify.ReasonOf(err) != tt.err || (err == nil) != (tt.err == none) {
				t.Fatalf("error is %v, want the reason %q", err, tt.err)
			}
			if err != nil {
				for _, text := range []string{verifyToken, handshakeSecret, "<b>", "Testing"} {
					if strings.Contains(err.Error(), text) {
						t.Errorf("the error says %q: %v", text, err)
					}
				}
				return
			}
			if tt.text == "" {
				if r != nil {
					t.Errorf("it is taken for a handshake: %+v", r)
				}
				return
			}
			if r == nil {
				t.Fatal("it is not taken for a handshake")
			}
			if want := strings.TrimPrefix(tt.text, "-"); string(r.Body) != want || r.ContentType != tt.media {
				t.Errorf("response %q, %q, want %q, %q", r.Body, r.ContentType, want, tt.media)
			}
			if computed := strings.Contains(tt.by.Response, "hmac"); r.Computed != computed {
				t.Errorf("computed is %v, want %v", r.Computed, computed)
			}
			if want := map[bool]int{true: 204}[tt.name == "a ping that wants silence"]; r.Status != want {
				t.Errorf("status %d, want %d", r.Status, want)
			}
		})
	}

	t.Run("a verify token that is not configured opens nothing", func(t *testing.T) {
		v := scheme.Must(greeting(metaLike), handshakeSecret)
		for _, query := range []string{good, strings.Replace(good, token, "", 1)} {
			if r, err := verify.Respond(context.Background(), v, get(query).head(), nil); r != nil || verify.ReasonOf(err) != verify.ErrMethod {
				t.Errorf("%v, %v", r, err)
			}
		}
	})
}

// TestHandshakeKeys looks at which key computes something.
func TestHandshakeKeys(t *testing.T) {
	first, second := "the first secret of the endpoint", "the second secret of the endpoint"
	source := func(secrets ...string) verify.KeyFunc {
		list, err := verify.Secrets(secrets...).KeyList()
		return func(context.Context, *verify.Head) ([]verify.Key, error) { return list, err }
	}
	sign := func(secret, text string) string {
		m := hmac.New(sha256.New, []byte(secret))
		m.Write([]byte(text))
		return hex.EncodeToString(m.Sum(nil))
	}
	body := `{"payload":{"plainToken":"abc"},"event":"endpoint.url_validation"}`
	for _, tt := range []struct {
		name string
		keys verify.KeySource
		by   string // who signs
		want string // who computes
		err  verify.Reason
	}{
		{"a list, by the key that signed", verify.Secrets(first, second), second, second, 0},
		{"a list, by its first key", verify.Secrets(first, second), first, first, 0},
		{"a source, by the key that signed", source(first, second), second, second, 0},
		{"a GET, by the first key of a list", verify.Secrets(first, second), "", first, 0},
		{"a GET, by the first key of a source", source(second, first), "", second, 0},
		{"a GET without a key", source(), "", "", verify.ErrNoKey},
		{"a GET whose source says that there is none", verify.KeyFunc(func(context.Context, *verify.Head) ([]verify.Key, error) { return nil, verify.ErrNoKey }), "", "", verify.ErrNoKey},
		{"a GET whose source failed", verify.KeyFunc(func(context.Context, *verify.Head) ([]verify.Key, error) { return nil, errors.New("down") }), "", "", verify.ErrUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			crc := crcLike
			crc.Response = `{"is":"$hmac_hex"}`
			zoom := zoomLike
			zoom.Response = `{"is":"$hmac_hex"}`
			v, err := scheme.New(greeting(crc, zoom), tt.keys, nil)
			if err != nil {
				t.Fatal(err)
			}
			h, text := inquiry{method: "GET", query: "crc_token=abc"}.head(), ""
			if tt.by != "" {
				h, text = inquiry{method: "POST", unsigned: true}.head(), body
				h.Header.Set("Signature", sign(tt.by, body))
			}
			r, err := verify.Respond(context.Background(), v, h, []byte(text))
			if verify.ReasonOf(err) != tt.err {
				t.Fatalf("error is %v, want the reason %q", err, tt.err)
			}
			if want := `{"is":"` + sign(tt.want, "abc") + `"}`; err == nil && string(r.Body) != want {
				t.Errorf("response %q, want %q", r.Body, want)
			}
		})
	}
}

// TestHandshakeOracle has a handshake sign whatever it will, and finds no delivery among
// that.
func TestHandshakeOracle(t *testing.T) {
	v := scheme.Must(greeting(crcLike), handshakeSecret)
	for _, event := range []string{
		`{"id":"evt_1"}`, `{}`, ` {}`, `[]`, `"text"`, `17`, `true`, `null`, "", "a", strings.Repeat("a", 128),
	} {
		r, err := verify.Respond(context.Background(), v, inquiry{method: "GET", query: "crc_token=" + url.QueryEscape(event)}.head(), nil)
		if err != nil {
			continue
		}
		_, made, _ := strings.Cut(string(r.Body), "sha256=")
		mac, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(made, `"}`))
		if err != nil {
			t.Fatal(err)
		}
		h := inquiry{method: "POST", unsigned: true}.head()
		h.Header.Set("Signature", hex.EncodeToString(mac))
		if d, err := verify.Verify(context.Background(), v, h, []byte(event)); err == nil {
			t.Errorf("the handshake has signed the delivery %q", d.Body)
		}
	}
}

func TestHandshakeDefinition(t *testing.T) {
	change := func(h scheme.Handshake, f func(*scheme.Handshake)) scheme.Handshake {
		f(&h)
		return h
	}
	for _, tt := range []struct {
		name       string
		definition scheme.Definition
		says       string // "": good
	}{
		{"all kinds", greeting(metaLike, echoLike, headerLike, crcLike, headLike, graphLike, slackLike), ""},
		{"nine", greeting(headLike, headLike, headLike, headLike, headLike, headLike, headLike, headLike, headLike), "more than 8"},
		{"no kind", greeting(change(echoLike, func(h *scheme.Handshake) { h.Kind = 0 })), "has no Kind"},
		{"two places", greeting(change(echoLike, func(h *scheme.Handshake) { h.Header = "X-C" })), "more than one"},
		{"no place", greeting(change(echoLike, func(h *scheme.Handshake) { h.Parameter = "" })), "with a challenge echoes it"},
		{"no echo", greeting(change(echoLike, func(h *scheme.Handshake) { h.Response = "" })), "with a challenge echoes it"},
		{"a GET without a challenge", greeting(scheme.Handshake{Kind: scheme.GetHandshake, Response: `{}`}), "has its challenge"},
		{"a GET with a member", greeting(change(echoLike, func(h *scheme.Handshake) { h.Parameter, h.Member = "", "a" })), "has its challenge"},
		{"a HEAD with more", greeting(change(headLike, func(h *scheme.Handshake) { h.Token = "t" })), "nothing but its Kind"},
		{"a POST without a token", greeting(change(graphLike, func(h *scheme.Handshake) { h.Token = "" })), "needs a Token"},
		{"a POST with a header", greeting(change(graphLike, func(h *scheme.Handshake) { h.Parameter, h.Header = "", "A" })), "needs a Token"},
		{"a POST that computes", greeting(change(graphLike, func(h *scheme.Handshake) { h.Response = `{"a":"$hmac_hex"}` })), "does not compute"},
		{"a POST that is told from nothing", greeting(change(mondayLike, func(h *scheme.Handshake) { h.Without = "" })), "needs Without"},
		{"a GET that is told by a header", greeting(change(echoLike, func(h *scheme.Handshake) { h.Without = "A" })), "Without is for"},
		{"a delivery with a token", greeting(change(slackLike, func(h *scheme.Handshake) { h.Token = "t" })), "no Token"},
		{"a delivery with a parameter", greeting(change(slackLike, func(h *scheme.Handshake) { h.Member, h.Parameter = "", "t" })), "no Token"},
		{"a delivery without a condition", greeting(change(slackLike, func(h *scheme.Handshake) { h.If = nil })), "needs an If"},
		{"a condition without a value", greeting(change(slackLike, func(h *scheme.Handshake) { h.If = []scheme.Condition{{Name: "type"}} })), "without a Name or a Value"},
		{"a further character of HTML", greeting(change(echoLike, func(h *scheme.Handshake) { h.Extra = "<" })), "HTML or JSON"},
		{"a further character of JSON", greeting(change(echoLike, func(h *scheme.Handshake) { h.Extra = `"` })), "HTML or JSON"},
		{"a further line break", greeting(change(echoLike, func(h *scheme.Handshake) { h.Extra = "\n" })), "HTML or JSON"},
		{"a challenge without end", greeting(change(echoLike, func(h *scheme.Handshake) { h.MaxChallenge = 1025 })), "MaxChallenge"},
		{"a page", greeting(change(echoLike, func(h *scheme.Handshake) { h.Response = "<p>$challenge" })), "Handshake.Response must be"},
		{"a response that is no JSON", greeting(change(echoLike, func(h *scheme.Handshake) { h.Response = `{"a":$challenge}` })), "Handshake.Response must be"},
		{"an unknown placeholder", greeting(change(echoLike, func(h *scheme.Handshake) { h.Response = `{"a":"$secret"}` })), "Handshake.Response must be"},
		{"something computed that could be a delivery", func() scheme.Definition {
			d := greeting(crcLike)
			d.BodyPrefix = ""
			return d
		}(), "could be the signature of a delivery"},
		{"something computed that could be one that starts so", func() scheme.Definition {
			d := greeting(crcLike)
			d.BodyPrefix = "payload="
			return d
		}(), "could be the signature of a delivery"},
		{"something computed beside a literal that no challenge has", func() scheme.Definition {
			d := greeting(crcLike)
			d.BodyPrefix, d.Message = "", []scheme.Part{scheme.Literal("v0:"), scheme.Body()}
			return d
		}(), ""},
		{"something computed beside a literal that a challenge may have", func() scheme.Definition {
			d := greeting(change(crcLike, func(h *scheme.Handshake) { h.Extra = ":" }))
			d.BodyPrefix, d.Message = "", []scheme.Part{scheme.Literal("v0:"), scheme.Body()}
			return d
		}(), "could be the signature of a delivery"},
		{"something computed with another algorithm", func() scheme.Definition {
			d := greeting(crcLike)
			d.Signatures[0].Algorithm = scheme.InsecureHMACSHA1
			return d
		}(), "the first Signature is none"},
		{"an unknown compression", func() scheme.Definition {
			d := greeting()
			d.Compression = 3
			return d
		}(), "Compression"},
		{"a prefix of what is compressed", func() scheme.Definition {
			d := greeting()
			d.Compression = verify.GzipSigned
			return d
		}(), "no BodyPrefix"},
		{"a prefix of what is unpacked", func() scheme.Definition {
			d := greeting()
			d.Compression = verify.GzipUnpacked
			return d
		}(), ""},
		{"a rejection that is none", func() scheme.Definition {
			d := greeting()
			d.Rejection.Status = 200
			return d
		}(), "Rejection.Status"},
		{"a rejection that somebody made up", func() scheme.Definition {
			d := greeting()
			d.Rejection.Status = 498
			return d
		}(), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := scheme.New(tt.definition, verify.Secrets(handshakeSecret), nil)
			switch {
			case tt.says == "" && err != nil:
				t.Errorf("it is refused: %v", err)
			case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
				t.Errorf("error is %v, want it to say %q", err, tt.says)
			}
		})
	}
}

func TestVerifyToken(t *testing.T) {
	for _, tt := range []struct {
		name, token string
		by          scheme.Handshake
		short       bool
		says        string // "": good
	}{
		{"a good one", verifyToken, metaLike, false, ""},
		{"none", "", metaLike, false, ""},
		{"a short one", "fifteen letters", metaLike, false, "want 16 to 256"},
		{"a short one that is allowed", "fifteen letters", metaLike, true, ""},
		{"a long one", strings.Repeat("ab", 129), metaLike, false, "want 16 to 256"},
		{"the name of a variable", "META_VERIFY_TOKEN", metaLike, false, "VerifyToken"},
		{"the signing secret", handshakeSecret, metaLike, false, "signing secret"},
		{"one where no handshake has any", verifyToken, echoLike, false, "must be empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := scheme.New(greeting(tt.by), verify.Secrets(handshakeSecret), &scheme.Options{VerifyToken: tt.token, InsecureAllowShortSecret: tt.short})
			switch {
			case tt.says == "" && err != nil:
				t.Errorf("it is refused: %v", err)
			case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
				t.Errorf("error is %v, want it to say %q", err, tt.says)
			case err != nil && strings.Contains(err.Error(), tt.token):
				t.Errorf("the error holds the token: %v", err)
			case err == nil && tt.token != "" && strings.Contains(fmt.Sprintf("%v %+v %#v", v, v, v), tt.token):
				t.Error("the verifier prints its token")
			}
		})
	}
}

func TestResponder(t *testing.T) {
	if _, err := scheme.NewResponder([]scheme.Handshake{crcLike}, ""); err == nil {
		t.Error("a responder without a key computes something")
	}
	if _, err := scheme.NewResponder([]scheme.Handshake{{}}, ""); err == nil {
		t.Error("a handshake without a kind is accepted")
	}
	r, err := scheme.NewResponder([]scheme.Handshake{metaLike}, verifyToken)
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.Challenge(inquiry{method: "GET", query: "hub.mode=subscribe&hub.challenge=1&hub.verify_token=" + url.QueryEscape(verifyToken)}.head())
	if err != nil || c == nil {
		t.Fatalf("%v, %v", c, err)
	}
	if got, err := c.Finish(context.Background(), nil); err != nil || string(got.Body) != "1" {
		t.Errorf("%v, %v", got, err)
	}
	if text := fmt.Sprintf("%v %+v %#v", r, r, r); strings.Contains(text, verifyToken) {
		t.Errorf("it prints %s", text)
	}
}

// TestCompression looks at what is signed of a compressed body, and where its id is.
func TestCompression(t *testing.T) {
	event := `{"specversion":"1.0","id":"evt_17"}`
	pack := func(text string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write([]byte(text))
		w.Close()
		return b.String()
	}
	d := greeting()
	d.BodyPrefix, d.Compression, d.ID = "", verify.GzipSigned, scheme.ID{Member: "id"}
	for _, tt := range []struct {
		name, body, id string
	}{
		{"plain", event, "evt_17"},
		{"compressed", pack(event), "evt_17"},
		{"compressed, with its id far behind", pack(`{"pad":"` + strings.Repeat("0123456789abcdefghij", 3000) + `","id":"evt_17"}`), ""}, // a ratio over 100
		{"compressed and cut behind the id", pack(event + strings.Repeat(" ", 100))[:60], "evt_17"},
		{"what only starts as gzip", "\x1f\x8b" + event, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := scheme.Must(d, handshakeSecret)
			got, err := verify.Verify(context.Background(), v, inquiry{method: "POST", body: tt.body}.head(), []byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if got.ID != tt.id || string(got.Body) != tt.body {
				t.Errorf("id %q, want %q; %d bytes", got.ID, tt.id, len(got.Body))
			}
		})
	}
}

// FuzzHandshake sends anything to endpoints with handshakes: what comes back is plain text
// without a character of HTML, or JSON, whatever was sent.
func FuzzHandshake(f *testing.F) {
	all := []scheme.Handshake{metaLike, echoLike, headerLike, crcLike, headLike, graphLike, mondayLike, slackLike, zoomLike, pingLike, hushLike}
	var verifiers []*scheme.Verifier
	for i, h := range all {
		o := &scheme.Options{}
		if h.Token != "" {
			o.VerifyToken = verifyToken
		}
		v, err := scheme.New(greeting(h), verify.Secrets(handshakeSecret), o)
		if err != nil {
			f.Fatal(err)
		}
		verifiers = append(verifiers, v)
		token := "&token=" + url.QueryEscape(verifyToken) + "&hub.mode=subscribe&hub.verify_token=" + url.QueryEscape(verifyToken)
		f.Add(uint8(i), uint8(0), "challenge=abc&hub.challenge=abc&crc_token=abc"+token, "abc", "")
		f.Add(uint8(i), uint8(1), "validationToken=abc"+token, "", `{"challenge":"abc"}`)
		f.Add(uint8(i), uint8(2), "", "", `{"type":"url_verification","challenge":"abc"}`)
		f.Add(uint8(i), uint8(2), "", "", `{"event":"endpoint.url_validation","payload":{"plainToken":"abc"}}`)
		f.Add(uint8(i), uint8(2), "", "", `{"type":1}`)
		f.Add(uint8(i), uint8(3), "", "<b>", "")
	}
	f.Fuzz(func(t *testing.T, which, how uint8, query, header, body string) {
		ask := inquiry{method: []string{"GET", "POST", "POST", "HEAD"}[how%4], query: query, body: body, unsigned: how%4 == 1}
		if header != "" {
			ask.header = http.Header{"X-Verification-Challenge": {header}}
		}
		r, err := verify.Respond(context.Background(), verifiers[int(which)%len(all)], ask.head(), []byte(body))
		if r == nil || err != nil {
			return
		}
		switch text := string(r.Body); {
		case r.ContentType == verify.ApplicationJSON && text != "" && !json.Valid(r.Body):
			t.Errorf("response %q is no JSON", text)
		case r.ContentType != verify.ApplicationJSON && strings.ContainsAny(text, "<>&\"'`\\{}\r\n"):
			t.Errorf("response %q could be something else", text)
		case len(text) > verify.MaxResponse:
			t.Errorf("response of %d bytes", len(text))
		}
	})
}

// TestHandshakeDescribe: a definition that New refuses can be described all the same.
func TestHandshakeDescribe(t *testing.T) {
	d := bare()
	d.Handshakes = []scheme.Handshake{{Kind: scheme.SignedHandshake}}
	if got := d.Describe().Handshakes; !slices.Equal(got, []string{"a delivery"}) {
		t.Errorf("the handshakes are %q", got)
	}
	d.Handshakes[0].If = []scheme.Condition{{Name: "type", Value: "ping"}}
	if got := d.Describe().Handshakes; !slices.Equal(got, []string{"a delivery with type ping"}) {
		t.Errorf("the handshakes are %q", got)
	}
}
