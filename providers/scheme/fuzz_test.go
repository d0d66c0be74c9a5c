package scheme_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

// seedBodies returns the bodies of the providers' vectors.
func seedBodies(f *testing.F) [][]byte {
	var bodies [][]byte
	for _, dir := range []string{"../stripe/testdata", "../github/testdata"} {
		for _, v := range vector.Load(f, dir) {
			bodies = append(bodies, v.Body)
		}
	}
	return bodies
}

// On valid JSON, the id is the value that encoding/json finds in the first
// top-level member of that name. It is missing only where that value is no plain
// string without escapes, or where a name before it has an escape.
func FuzzSignedID(f *testing.F) {
	for _, body := range seedBodies(f) {
		f.Add(string(body))
	}
	for _, body := range []string{
		`{"a":{"id":"b"},"id":"c"}`, `{"id":"a","id":"b"}`, `{"\u0069d":"a","id":"b"}`, `{"a":"\\\"","id":"b"}`, `[{"id":"a"}]`,
		`{"a":[],"b":{},"c":"}","d":-1e5,"id":"b"}`, "{\"id\":\"\xff\"}", `{"id":1,"id":"a"}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got := signedID(t, body)
		if !json.Valid([]byte(body)) {
			return
		}
		want, certain := firstID([]byte(body))
		if got != want && (certain || got != "") {
			t.Errorf("ID is %q, encoding/json finds %q in %q", got, want, body)
		}
	})
}

// firstID returns the first member "id" of a JSON object, if it is a string. It is
// certain that the verifier must find it if it is plain, and nothing before it has
// an escape.
func firstID(body []byte) (id string, certain bool) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return "", true
	}
	certain = true
	for decoder.More() {
		start := decoder.InputOffset()
		token, err := decoder.Token()
		if err != nil {
			return "", true
		}
		if bytes.IndexByte(body[start:decoder.InputOffset()], '\\') >= 0 {
			certain = false
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return "", true
		}
		if token != "id" {
			continue
		}
		if json.Unmarshal(value, &id) != nil || value[0] != '"' {
			return "", true
		}
		for _, c := range value[1 : len(value)-1] {
			certain = certain && c > ' ' && c <= '~' && c != '\\'
		}
		if id == "" || len(value) > 258 || !certain {
			// The verifier may call it no id; it may not find another one.
			return id, false
		}
		return id, true
	}
	return "", true
}

// A base64 signature that is accepted has one spelling only: it is, byte for byte,
// what the encoder writes.
func FuzzBase64Header(f *testing.F) {
	for _, body := range seedBodies(f) {
		f.Add(signShopify(received, nil, body, plainSecrets[0]).Get("X-Shopify-Hmac-Sha256"), body)
		f.Add(base64.RawStdEncoding.EncodeToString(macOf(sha256.New, plainSecrets[0], string(body))), body)
	}
	f.Fuzz(func(t *testing.T, value string, body []byte) {
		v := mustNew(t, shopify(), nil, plainSecrets[0])
		_, err := check(v, http.Header{"X-Shopify-Hmac-Sha256": {value}}, string(body))
		genuine := base64.StdEncoding.EncodeToString(macOf(sha256.New, plainSecrets[0], string(body)))
		if (value == genuine) != (err == nil) {
			t.Errorf("%q for %q: %v", value, genuine, err)
		}
	})
}

// A list that is accepted is written in one way only, and its id, time and
// signature are those that the signer would use.
func FuzzListHeaders(f *testing.F) {
	for _, body := range seedBodies(f) {
		h := signStandardWebhooks(received, nil, body, base64Secrets[:2]...)
		f.Add(h.Get("Webhook-Id"), h.Get("Webhook-Timestamp"), h.Get("Webhook-Signature"), body)
		f.Add(h.Get("Webhook-Id"), h.Get("Webhook-Timestamp"), "v1a,x "+h.Get("Webhook-Signature"), body)
	}
	v := mustNew(f, standardWebhooks("webhook"), nil, base64Secrets[0])
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(base64Secrets[0], "whsec_"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, id, timestamp, list string, body []byte) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {list}}
		d, err := verify.Verify(context.Background(), v, &verify.Head{Header: h, ReceivedAt: received}, body)
		if err != nil {
			return
		}
		mac := macOf(sha256.New, string(key), id+"."+timestamp+"."+string(body))
		genuine := "v1," + base64.StdEncoding.EncodeToString(mac)
		if !strings.Contains(" "+list+" ", " "+genuine+" ") {
			t.Errorf("accepted without %q in %q", genuine, list)
		}
		if d.ID != id || strings.ContainsAny(id, ". ") {
			t.Errorf("ID is %q of %q", d.ID, id)
		}
	})
}
