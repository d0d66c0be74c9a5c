package providertest_test

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

func TestMarks(t *testing.T) {
	const secret = "marker of no endpoint"
	jwt := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256"}`)) + ".e30.c2ln"
	for _, tt := range []struct {
		name, header, query string // the values
		mistake             string // without the mark
	}{
		{"a signature", "sha256=0a0b", "", ""},
		{"the secret", secret, "", `header "X-Sign" holds`},
		{"a bearer token", "Bearer " + secret, "", `header "X-Sign" holds`},
		{"user and password", "Basic " + base64.StdEncoding.EncodeToString([]byte("hooks:"+secret)), "", `header "X-Sign" holds`},
		{"the secret in hex", "v=" + hex.EncodeToString([]byte(secret)), "", `header "X-Sign" holds`},
		{"the secret in URL base64", "t=1,v=" + base64.RawURLEncoding.EncodeToString([]byte(secret)), "", `header "X-Sign" holds`},
		{"a JWT", jwt, "", `header "X-Sign" holds`},
		{"a JWT as a bearer token", "Bearer " + jwt, "", `header "X-Sign" holds`},
		{"a detached JWS", strings.Replace(jwt, ".e30.", "..", 1), "", ""},
		{"the secret in the query", "", secret, `parameter "token" holds`},
		{"a JWT in the query", "", jwt, `parameter "token" holds`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			head := &verify.Head{Header: http.Header{"X-Sign": {tt.header}}, URL: &url.URL{RawQuery: url.Values{"token": {tt.query}}.Encode()}}
			vectors := []vector.Vector{{Expect: "accept", Secrets: []string{secret}, Head: head}}
			a := verify.About{Headers: []verify.HeaderUse{{Name: "X-Sign"}}}
			got := providertest.Marks(a, vectors, nil)
			if tt.mistake == "" && len(got) > 0 || tt.mistake != "" && (len(got) != 1 || !strings.Contains(got[0], tt.mistake)) {
				t.Errorf("without the mark it says %q, want %q", got, tt.mistake)
			}
			a.Headers[0].Secret = tt.header != ""
			if tt.query != "" {
				a.SecretQuery = []string{"token"}
			}
			if got := providertest.Marks(a, vectors, nil); (len(got) == 0) != (tt.mistake != "") {
				t.Errorf("with the mark it says %q", got)
			}
		})
	}
	t.Run("a verify token", func(t *testing.T) {
		handshakes := []scheme.Handshake{{Token: "verify"}}
		if got := providertest.Marks(verify.About{}, nil, handshakes); len(got) != 1 {
			t.Errorf("without the mark it says %q", got)
		}
		if got := providertest.Marks(verify.About{SecretQuery: []string{"verify"}}, nil, handshakes); len(got) != 0 {
			t.Errorf("with the mark it says %q", got)
		}
	})
}
