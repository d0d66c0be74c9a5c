package capture_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/verify/capture"
)

func TestRedact(t *testing.T) {
	t.Run("credentials are not written", func(t *testing.T) {
		const secret = "s3cret-value"
		for _, name := range []string{
			"Authorization", "Proxy-Authorization", "X-Forwarded-Authorization", "X-Original-Authorization", "X-Serverless-Authorization", "Authentication",
			"Cookie", "Set-Cookie",
			"X-Api-Key", "Api-Key", "Apikey", "X-Apikey", "X-Goog-Api-Key", "Dd-Api-Key", "X-Rapidapi-Key", "X-Rapidapi-Proxy-Secret", "X-Honeycomb-Team",
			"X-Auth-Token", "X-Access-Token", "X-Csrf-Token", "X-Xsrf-Token", "X-Csrftoken", "X-Session-Token", "Token", "X-Token", "X-Auth", "X-Auth-Key", "X-Secret", "X-Secret-Key", "X-Password",
			"X-Amz-Security-Token", "X-Amz-Firehose-Access-Key", "X-Amzn-Oidc-Accesstoken", "X-Amzn-Oidc-Data", "X-Amzn-Oidc-Identity", "X-Aws-Ec2-Metadata-Token",
			"X-Goog-Iap-Jwt-Assertion", "X-Pomerium-Jwt-Assertion", "Cf-Access-Jwt-Assertion", "Cf-Access-Client-Secret", "Cf-Access-Token", "X-Authentik-Jwt",
			"X-Ms-Token-Aad-Access-Token", "X-Ms-Token-Aad-Id-Token", "X-Ms-Token-Google-Expires-On", "X-Functions-Key", "Ocp-Apim-Subscription-Key", "X-Zumo-Auth", "Aeg-Sas-Key", "Aeg-Sas-Token",
			"X-Forwarded-Access-Token", "X-Auth-Request-Access-Token", "X-Forwarded-Client-Cert",
			"X-Vault-Token", "X-Consul-Token", "X-Nomad-Token", "Private-Token", "Job-Token", "Fastly-Key",
			"X-Vercel-Oidc-Token", "X-Vercel-Protection-Bypass", "X-Vercel-Sc-Headers", "X-Shopify-Access-Token", "X-Hasura-Admin-Secret",
			"X-Gitlab-Token", "X-Buildkite-Token", "X-Telegram-Bot-Api-Secret-Token", "X-Goog-Channel-Token", "X-Webhook-Secret", "X-Webhook-Token", "Cf-Webhook-Auth", "X-Hook-Secret", "X-Github-Encoded-Secret",
		} {
			if name != http.CanonicalHeaderKey(name) {
				t.Fatalf("%s is not canonical", name)
			}
			c := &capture.Capture{Header: http.Header{name: {secret, secret}, "X-Kept": {"1"}}, Body: []byte("{}")}
			text := string(mustAppend(t, c))
			if strings.Contains(text, secret) || !strings.HasPrefix(text, "# dropped: "+name+"\n\n") || !strings.Contains(text, "X-Kept: 1\r\n") {
				t.Errorf("%s: the file is %q", name, text)
			}
			if c.Header.Get(name) != secret {
				t.Errorf("%s: the capture itself was changed", name)
			}
		}
	})

	t.Run("signatures of providers are written", func(t *testing.T) {
		for _, header := range signing {
			name, value, _ := strings.Cut(header, ": ")
			kept(t, name, value)
		}
	})

	t.Run("signatures of published vectors are written", func(t *testing.T) {
		root := os.Getenv("HOOKNOTARY_VECTORS")
		if root == "" {
			t.Skip("HOOKNOTARY_VECTORS is not set")
		}
		files, err := filepath.Glob(filepath.Join(root, "*", "*", "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		more, err := filepath.Glob(filepath.Join(root, "extra", "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		headers := 0
		for _, file := range append(files, more...) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var v struct {
				Headers [][2]string
				Request struct{ Headers map[string]string }
			}
			if json.Unmarshal(text, &v) != nil {
				continue // another table
			}
			for _, h := range v.Headers {
				v.Request.Headers = map[string]string{h[0]: h[1]}
				headers += keptAll(t, v.Request.Headers)
			}
			headers += keptAll(t, v.Request.Headers)
		}
		if headers < 300 {
			t.Errorf("found %d header fields, want at least 300", headers)
		}
	})

	t.Run("authorization is kept only if each value is a signature", func(t *testing.T) {
		for value, want := range map[string]bool{
			"HMAC dGVzdA==":                 true,
			"HMAC":                          false,
			"HMACdGVzdA==":                  false,
			"Bearer HMAC a":                 false,
			"Basic dGVzdA==":                false,
			"eyJhbGciOiJIUzI1NiJ9.e30.c2ln": false,
			"":                              false,
		} {
			for _, values := range [][]string{{value}, {"HMAC a", value}} {
				c := &capture.Capture{Header: http.Header{"Authorization": values}}
				if got := strings.Contains(string(mustAppend(t, c)), "\r\nAuthorization:"); got != want {
					t.Errorf("%q is written: %v", values, got)
				}
			}
		}
		c := &capture.Capture{Header: http.Header{"Proxy-Authorization": {"HMAC a"}}}
		if strings.Contains(string(mustAppend(t, c)), "HMAC") {
			t.Error("the credential for a proxy is written")
		}
	})

	t.Run("user information of the URL is not written", func(t *testing.T) {
		c := &capture.Capture{URL: mustURL(t, "https://user:s3cret@h/a?token=kept")}
		text := string(mustAppend(t, c))
		if strings.Contains(text, "s3cret") || strings.Contains(text, "user") || !strings.Contains(text, "https://h/a?token=kept") {
			t.Errorf("the file is %q", text)
		}
		if c.URL.User == nil {
			t.Error("the capture itself was changed")
		}
	})
}

// signing are the headers of providers that a capture is worth nothing without: what
// signs, and what is signed with it.
var signing = []string{
	"Authorization: HMAC dGVzdA==", "Authorization: Application key:sig=", "Authorization: Signature keyId=1",
	"Stripe-Signature", "X-Hub-Signature", "X-Hub-Signature-256", "X-Github-Delivery", "X-Github-Event", "X-Github-Hook-Id",
	"Paypal-Transmission-Id", "Paypal-Transmission-Time", "Paypal-Transmission-Sig", "Paypal-Cert-Url", "Paypal-Auth-Algo", "Paypal-Auth-Version",
	"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "Svix-Id", "Svix-Timestamp", "Svix-Signature",
	"X-Shopify-Hmac-Sha256", "X-Slack-Signature", "X-Slack-Request-Timestamp", "X-Zm-Signature", "X-Zm-Request-Timestamp",
	"Twitch-Eventsub-Message-Id", "Twitch-Eventsub-Message-Signature", "X-Signature-Ed25519", "X-Signature-Timestamp",
	"X-Twilio-Signature", "I-Twilio-Idempotency-Token", "X-Twilio-Email-Event-Webhook-Signature", "Messagebird-Signature-Jwt", "X-Fusionauth-Signature-Jwt",
	"Plaid-Verification", "X-Pusher-Key", "X-Pusher-Signature", "X-Ably-Key", "X-Event-Key", "X-Plivo-Signature-V3-Nonce", "X-Qn-Nonce", "Upstash-Signature",
	"X-Hook-Signature", "X-Gitlab-Webhook-Uuid", "Idempotency-Key", "X-Docusign-Signature-1", "Signature", "Signature-Input", "Content-Digest", "Digest", "Date",
	"X-Trello-Webhook", "X-Airtable-Content-Mac", "Box-Signature-Primary", "Hmacsignature", "Protocol", "X-Cal-Signature-256", "Content-Type", "User-Agent",
}

func kept(t testing.TB, name, value string) {
	t.Helper()
	c := &capture.Capture{Header: http.Header{name: {value}}}
	if names := differences(c, mustParse(t, string(mustAppend(t, c)))); names != nil {
		t.Errorf("%s is not kept", name)
	}
}

func keptAll(t *testing.T, fields map[string]string) int {
	for name, value := range fields {
		if name = http.CanonicalHeaderKey(name); name != "Host" && strings.TrimSpace(value) == value {
			kept(t, name, value)
		}
	}
	return len(fields)
}
