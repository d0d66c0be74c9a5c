package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
)

// marker stands where a secret might have been put by mistake.
const marker = "zq7marker0secret"

// TestMistakes changes one thing in a file that loads, and wants that one mistake.
func TestMistakes(t *testing.T) {
	all := files(t)
	all["hooknotary.yaml"] += "  - { name: calls, path: /plain, provider: twilio, secret: file:secrets/jenkins, upstream: { url: \"http://x/\" } }\n"
	newFolder(t, all).must() // the twin of all of them
	for _, tt := range []struct {
		name, old, new string
		field, says    string
	}{
		{"an unknown field", "admin:", "admn:", "", "unknown field; is it admin?"},
		{"an unknown field of a route", "    detach: true", "    " + marker + ": true", "routes[0]", "unknown field"},
		{"a field of the right name in the wrong place", "    detach: true", "    grace: 20s", "routes[0]", "unknown field"},
		{"a field with a hyphen", "    webhook_id:", "    webhook-id:", "routes[2]", "is it webhook_id?"},
		{"a repeated field", "    detach: true", "    detach: true\n    detach: true", "routes[0].detach", "twice"},
		{"a mapping in the place of a list", "routes:\n", "routes: {a: b}\nx:\n", "routes", "want a list"},
		{"a text in the place of a mapping", "shutdown: { drain: 5s, grace: 20s }", "shutdown: " + marker, "shutdown", "want a mapping"},
		{"a text in the place of true", "detach: true", "detach: yes", "routes[0].detach", "want true or false"},
		{"nothing behind a colon", "detach: true", "detach:", "routes[0].detach", "nothing behind the colon"},
		{"a number in the place of a duration", "drain: 5s", "drain: 5", "shutdown.drain", "want a duration"},
		{"a duration that is too long", "drain: 5s", "drain: 11m", "shutdown.drain", "want a duration from 0s to 10m"},
		{"a duration that is none", "drain: 5s", "drain: " + marker, "shutdown.drain", "want a duration"},
		{"a negative duration", "drain: 5s", "drain: -5s", "shutdown.drain", "want a duration"},

		{"an address that is none", `":8443"`, marker, "listen.address", "want host:port"},
		{"a port that is too large", `":8443"`, `":65536"`, "listen.address", "at most 65535"},
		{"two listeners on a port", `"127.0.0.1:9090"`, `"127.0.0.1:8443"`, "admin.address", "that of the public listener"},
		{"an address with a user", `":8443"`, "a@b:80", "listen.address", "want host:port"},
		{"a socket with a relative path", `":8443"`, "unix:gateway.sock", "listen.address", "absolute path"},
		{"a host with a port", "listen: {", "listen: { hosts: [\"a.example:80\"],", "listen.hosts[0]", "without a port"},
		{"a certificate without a key", ", key: tls.key", "", "listen.tls", "belong together"},
		{"a certificate and ACME", "tls: {", "acme: { hosts: [hooks.example.com], cache: acme }, tls: {", "listen.tls", "want cert and key, or acme"},
		{"ACME without names", "tls: { cert: tls.crt, key: tls.key }", "acme: { cache: acme }", "listen.acme.hosts", "it is missing"},
		{"ACME for an address", "tls: { cert: tls.crt, key: tls.key }", "acme: { hosts: [10.0.0.1], cache: acme }", "listen.acme.hosts", "no name on the internet"},
		{"a certificate of another key", "key: tls.key", "key: assert2.pem", "listen.tls", "do not go together"},
		{"a certificate that is not there", "cert: tls.crt", "cert: " + marker, "listen.tls.cert", "cannot be read"},
		{"issuers that are none", "key: tls.key", "key: tls.key, client_ca: secrets/stripe", "listen.tls.client_ca", "no certificate"},
		{"an admin listener that others reach", `"127.0.0.1:9090"`, `"0.0.0.0:9090"`, "admin.address", "admin.remote: true"},
		{"an admin listener on all addresses", `"127.0.0.1:9090"`, `":9090"`, "admin.address", "admin.remote: true"},
		{"an admin listener without an address", `admin: { address: "127.0.0.1:9090" }`, "admin: {}", "admin.address", "it is missing"},
		{"a public URL without a scheme", "public_url: https://hooks.example.com", "public_url: hooks.example.com", "public_url", "want a scheme and a host"},
		{"a public URL with a password", "public_url: https://hooks.example.com", "public_url: https://a:" + marker + "@hooks.example.com", "public_url", "no user"},
		{"a public URL with a slash", "public_url: https://hooks.example.com", "public_url: https://hooks.example.com/", "public_url", "without a slash"},
		{"a proxy that is none", "10.0.0.0/8", marker, "trusted_proxies[0]", "want an address or a prefix"},
		{"a proxy with bits behind its length", "10.0.0.0/8", "10.0.0.1/8", "trusted_proxies[0]", "bits behind"},
		{"every address as a proxy", "10.0.0.0/8", "0.0.0.0/0", "trusted_proxies[0]", "every address"},

		{"two stores", "prefix: hooks", "memory: {}", "store", "there are 2 stores"},
		{"no store", "redis: env:REDIS_URL, prefix: hooks", "", "store", "there are 0 stores"},
		{"a URL in the place of a reference", "env:REDIS_URL", `"redis://:` + marker + `@h:1"`, "store.redis", "want env:NAME"},
		{"a reference to no URL of Redis", "env:REDIS_URL", "env:STRIPE_OLD", "store.redis", "the address of Redis does not parse"},
		{"a URL in the place of an SQLite file", "redis: env:REDIS_URL, prefix: hooks", `sqlite: "postgres://u:` + marker + `@h/db"`, "store.sqlite", "no URL"},
		{"a reference in the place of an SQLite file", "redis: env:REDIS_URL, prefix: hooks", "sqlite: env:" + marker, "store.sqlite", "it is no reference"},
		{"a secret in the place of a folder", "folder: refused, ", "folder: " + stripeNew + ", ", "recorder.folder", "want the name itself"},
		{"a prefix for another store", "redis: env:REDIS_URL,", "sqlite: store.db,", "store.prefix", "for redis alone"},
		{"a table for Redis", "prefix: hooks", "table: hooks", "store.table", "for sqlite and postgres alone"},
		{"a table that is none", "redis: env:REDIS_URL, prefix: hooks", "sqlite: store.db, table: \"x; drop\"", "store.table", "want a name"},

		{"a key of assertions that is none", "file: assert.pem", "file: secrets/stripe", "assertion.keys[0].file", "no private key"},
		{"a key of assertions without an id", `id: "2026-11", `, "", "assertion.keys[0].id", "it is missing"},
		{"an id that YAML takes for a number", `"2026-11"`, "2026", "assertion.keys[0].id", "quotes"},
		{"two keys with an id", "keys: [ {", `keys: [ { id: "2026-11", file: tls.key }, {`, "assertion.keys[1].id", "another key"},
		{"public keys that are none", "issuer: https://hooks.example.com\n  keys: [ { id: \"2026-11\", file: assert.pem } ]", "publish: true", "assertion", "no keys to publish"},
		{"a kind that is none", "[refused, failed]", "[" + marker + "]", "recorder.kinds[0]", "want refused, failed, handled"},
		{"a recorder without a folder", "folder: refused, ", "", "recorder.folder", "it is missing"},
		{"a collector that is none", "env:OTEL_EXPORTER_OTLP_ENDPOINT", "env:STRIPE_OLD", "telemetry.otlp", "no URL"},

		{"a route without a name", "  - name: billing\n    path", "  - path", "routes[0].name", "it is missing"},
		{"a name with a space", "name: billing", "name: bill ing", "routes[0].name", "want 1 to 64 letters"},
		{"a secret in the place of a name", "name: billing", "name: " + stripeNew, "routes[0].name", "looks like a secret"},
		{"a name twice", "name: ci", "name: billing", "routes[1].name", "routes[0] has this name"},
		{"a path twice", "path: /hooks/paypal", "path: /hooks/stripe", "routes[2].path", "routes[0].path takes"},
		{"a path inside of a {name}", "path: /hooks/paypal", "path: /hooks/github/acme", "routes[2].path", "routes[1].path takes"},
		{"a {name} around a path", "path: /hooks/paypal", "path: /{any}/stripe", "routes[2].path", "routes[0].path takes"},
		{"a path without a slash", "path: /hooks/paypal", "path: hooks", "routes[2].path", "begins with a slash"},
		{"a path with a slash at its end", "path: /hooks/paypal", "path: /hooks/paypal/", "routes[2].path", "ends with a slash"},
		{"a path with two slashes", "path: /hooks/paypal", "path: /hooks//paypal", "routes[2].path", "segment 2"},
		{"a path with dots", "path: /hooks/paypal", "path: /hooks/../paypal", "routes[2].path", "segment 2"},
		{"a path with an escape", "path: /hooks/paypal", "path: /hooks/pay%70al", "routes[2].path", "segment 2"},
		{"a path with half a {name}", "path: /hooks/paypal", `path: "/hooks/x{a}"`, "routes[2].path", "segment 2"},
		{"a path with a {name} twice", "path: /hooks/paypal", `path: "/{a}/{a}"`, "routes[2].path", "name of another one"},

		{"an unknown provider", "provider: stripe", "provider: " + marker, "routes[0].provider", "unknown provider"},
		{"a provider whose keys are fetched", "provider: stripe", "provider: pubsub", "routes[0].provider", "fetched from its host"},
		{"a provider and a definition", "provider: stripe", "provider: stripe\n    definition: x.json", "routes[0].provider", "want either provider or definition"},
		{"no provider", "    provider: stripe\n", "", "routes[0].provider", "want either provider or definition"},
		{"a definition that is a secret", "provider: stripe", "definition: secrets/stripe", "routes[0].definition", "no definition"},
		{"a secret, and secrets", "    detach: true", "    secret: env:STRIPE_OLD", "routes[0]", "want either secret, secrets or tenants"},
		{"no secret", "    tenants: { folder: tenants } ", "    # ", "routes[1]", "there is no secret; want secret,"},
		{"an entry that is a reference", "{ label: new, from: file:secrets/stripe }", "file:secrets/stripe", "routes[0].secrets[0]", "{label: NAME, from: REFERENCE}"},
		{"an entry without a label", "{ label: new, from", "{ from", "routes[0].secrets[0].label", "it is missing"},
		{"a label twice", "label: old", "label: new", "routes[0].secrets[1].label", "another secret"},
		{"a label that is a secret", "label: old", "label: " + stripeNew, "routes[0].secrets[1].label", "looks like a secret"},
		{"a secret twice", "env:STRIPE_OLD", "file:secrets/stripe", "routes[0]", ""},
		{"no secrets", "[ { label: new, from: file:secrets/stripe }, { label: old, from: env:STRIPE_OLD, not_after: 2026-12-01T00:00:00Z } ]", "[]", "routes[0].secrets", "there are 0 secrets"},
		{"a time that is none", "2026-12-01T00:00:00Z", "tomorrow", "routes[0].secrets[1].not_after", "want a time such as"},
		{"a day in the place of a time", "2026-12-01T00:00:00Z", "2026-12-01", "routes[0].secrets[1].not_after", "want a time such as"},
		{"a literal secret", "webhook_id: env:PAYPAL_WEBHOOK_ID", "secret: " + marker, "routes[2].secret", "has no secret"},
		{"an API key in the place of a secret", "from: env:STRIPE_OLD", "from: env:API_KEY", "routes[0].secrets[1].from", ""},
		{"a webhook id for another provider", "    detach: true", "    webhook_id: env:PAYPAL_WEBHOOK_ID", "routes[0].webhook_id", "not for Stripe"},
		{"no webhook id", "    webhook_id: env:PAYPAL_WEBHOOK_ID\n", "", "routes[2].webhook_id", "it is missing"},
		{"tenants without {tenant}", "/hooks/github/{tenant}", "/hooks/github/{repository}", "routes[1].path", "no {tenant}"},
		{"{tenant} without tenants", "/hooks/stripe", "/hooks/stripe/{tenant}", "routes[0].path", "no tenants"},
		{"a folder of tenants that is not there", "{ folder: tenants }", "{ folder: " + marker + " }", "routes[1].tenants.folder", "cannot be read"},
		{"a setting of another provider", "    detach: true", "    sandbox: true", "routes[0].sandbox", "it is not for Stripe"},
		{"a tolerance that is too long", "    detach: true", "    tolerance: 6m", "routes[0].tolerance", "want a duration from 1s to 5m"},
		{"settings that exclude each other", "provider: stripe\n    secrets:", "provider: twilio\n    any_query: true\n    json_body: true\n    secrets:", "routes[0]", "for forms"},
		{"a signed URL without a public one", "public_url: https://hooks.example.com             # for schemes that sign the URL", "# ", "routes[3].url", "want url, or public_url"},
		{"a signed URL with a {name}", "path: /plain", `path: "/plain/{x}"`, "routes[3].url", "want a route for each"},
		{"a URL that is not signed", "    detach: true", "    url: https://hooks.example.com/hooks/stripe", "routes[0].url", "does not sign the URL"},

		{"a lease that is too short", "    detach: true", "    lease: 1ms", "routes[0].lease", "want a duration from 1s"},
		{"a retention under the window", "    detach: true", "    retention: 10m", "routes[0].retention", "want a duration from 11m"},
		{"a body that is too large", "    detach: true", "    max_body: 2GiB", "routes[0].max_body", "to 1GiB"},
		{"a size without a unit", "    detach: true", "    max_body: 1000", "routes[0].max_body", "want a size"},
		{"no delivery in flight", "    detach: true", "    in_flight: 0", "routes[0].in_flight", "from 1 to 100000"},
		{"a word that is none", "    detach: true", "    duplicates: " + marker, "routes[0].duplicates", "by_provider, acknowledge, refuse"},
		{"a detached route with a short time-out", `webhook/stripe" }`, `webhook/stripe", timeout: 30s }`, "routes[0].upstream.timeout", "want no shorter time"},
		{"a time-out over max_run", `url: "http://shop:8080/paypal" }`, `url: "http://shop:8080/paypal", timeout: 16m }`, "routes[2].upstream.timeout", "longer than max_run"},
		{"a budget under twice the largest body", "shutdown:", "limits: { body_budget: 2MiB }\nshutdown:", "limits.body_budget", "less than twice"},

		{"no upstream", `    upstream: { url: "http://shop:8080/paypal" }` + "\n", "", "routes[2].upstream", "it is missing"},
		{"an upstream as a text", `{ url: "http://shop:8080/paypal" }`, `"http://shop:8080/paypal"`, "routes[2].upstream", "want a mapping"},
		{"an upstream with a user", "http://shop:8080", "http://a:" + marker + "@shop:8080", "routes[2].upstream.url", "want no user"},
		{"an upstream with a query", "8080/paypal", "8080/paypal?token=" + marker, "routes[2].upstream.url", "no query"},
		{"an upstream with a fragment", "8080/paypal", "8080/paypal#x", "routes[2].upstream.url", "no fragment"},
		{"an upstream with another scheme", "http://shop", "ftp://shop", "routes[2].upstream.url", "want http://host"},
		{"an upstream without a scheme", "http://shop:8080/paypal", "shop:8080/paypal", "routes[2].upstream.url", "want http://host"},
		{"an upstream with dots", "8080/paypal", "8080/../paypal", "routes[2].upstream.url", "no segment . or .."},
		{"an upstream with a {name} that the path has not", "8080/paypal", "8080/{tenant}", "routes[2].upstream.url", "has not"},
		{"an upstream with a {name} in its host", "http://shop:8080", "http://{tenant}:8080", "routes[2].upstream.url", "one {name} at most"},
		{"an upstream with half a {name}", "8080/paypal", "8080/x{tenant}", "routes[2].upstream.url", "one {name} at most"},
		{"a socket without a path to it", `"http://shop:8080/paypal"`, `"unix:shop.sock:/paypal"`, "routes[2].upstream.url", "want http://host"},
		{"roots for http", `"http://shop:8080/paypal"`, `"http://shop:8080/paypal", ca: ca.pem`, "routes[2].upstream", "for an upstream with https"},
		{"roots that are none", "ca: ca.pem", "ca: secrets/stripe", "routes[1].upstream.ca", "no certificate"},
		{"a client certificate without its key", "ca: ca.pem", "ca: ca.pem, cert: tls.crt", "routes[1].upstream", "belong together"},
		{"a literal token", "file:secrets/jenkins", marker, "routes[1].upstream.headers[0]", "want env:NAME"},
		{"a header that the gateway sets", "token: file", "Hooknotary_Scope: file", "routes[1].upstream.headers[0]", "sets this header itself"},
		{"a header of the message's form", "token: file", "Content-Length: file", "routes[1].upstream.headers[0]", "sets this header itself"},
		{"a header whose name is none", "token: file", `"a b": file`, "routes[1].upstream.headers[0]", "none that a header has"},
		{"a header that would make a client try again", "token: file", "Idempotency-Key: file", "routes[1].upstream.headers[0]", "sets this header itself"},
		{"a header in two spellings", "token: file:secrets/jenkins", "X-Token: file:secrets/jenkins, x_token: file:secrets/jenkins", "routes[1].upstream.headers[1]", "twice"},
		{"a header in which the sender signs", "token: file", "x-hub-signature_256: file", "routes[1].upstream.headers[0]", "the sender signs in this header"},
		{"a header of the receiver's that the sender may set", "token: file", "x_github_event: file", "routes[1].forward.headers[0]", "upstream.headers sets this header"},
		{"an assertion in a header that the sender may set", "assert: { audience: jenkins }", "assert: { audience: jenkins, as: X-Github_Event }", "routes[1].assert.as", "forward.headers has this header"},
		{"an assertion in a header of the receiver's", "assert: { audience: jenkins }", "assert: { audience: jenkins, as: Token }", "routes[1].assert.as", "upstream.headers sets this header"},
		{"a header with a line end", "token: file:secrets/jenkins", "token: env:LINES", "routes[1].upstream.headers[0]", "control characters"},

		{"a cookie that is forwarded", "X-GitHub-Event", "Cookie", "routes[1].forward.headers[0]", "never forwarded"},
		{"an address that is forwarded", "X-GitHub-Event", "X_Forwarded_For", "routes[1].forward.headers[0]", "never forwarded"},
		{"an identity that is forwarded", "X-GitHub-Event", "Hooknotary-Scope", "routes[1].forward.headers[0]", "never forwarded"},
		{"a header twice", "X-GitHub-Event", "X-Github_Delivery", "routes[1].forward.headers[1]", "twice"},
		{"a header whose name is none", "X-GitHub-Event", marker + "\u00e9", "routes[1].forward.headers[0]", "none that a header has"},
		{"a status that is a success anyway", "    detach: true", "    success: [200]", "routes[0].success[0]", "from 300 to 599"},
		{"an answer that is none", "    detach: true", "    answer: " + marker, "routes[0].answer", "want status, body"},

		{"an assertion without an audience", ", audience: n8n", "", "routes[0].assert.audience", "it is missing"},
		{"an assertion with an unknown algorithm", "algorithm: HS256", "algorithm: none", "routes[0].assert.algorithm", "want ES256, EdDSA, HS256"},
		{"an assertion without a secret", ", secret: file:secrets/n8n-jwt", "", "routes[0].assert.secret", "it is missing"},
		{"an assertion with a short secret", "secret: file:secrets/n8n-jwt", "secret: env:STRIPE_OLD", "routes[0].assert.secret", "less than 32 bytes"},
		{"an assertion with a key and a secret", "assert: { audience: jenkins }", "assert: { audience: jenkins, algorithm: ES256, secret: file:secrets/n8n-jwt }", "routes[1].assert.secret", "for HS256 alone"},
		{"an assertion of an unknown key", "assert: { audience: jenkins }", "assert: { audience: jenkins, key: " + marker + " }", "routes[1].assert.key", "no key of assertion.keys"},
		{"an assertion of another algorithm", "assert: { audience: jenkins }", "assert: { audience: jenkins, algorithm: EdDSA }", "routes[1].assert.algorithm", "the key signs ES256"},
		{"an assertion where the token stands", "assert: { audience: jenkins }", "assert: { audience: jenkins, as: Token }", "routes[1].assert.as", "upstream.headers sets this header"},
		{"an assertion as a cookie", "assert: { audience: jenkins }", "assert: { audience: jenkins, as: Cookie }", "routes[1].assert.as", "another use"},
		{"an assertion in the place of identity", "assert: { audience: jenkins }", "assert: { audience: jenkins, as: Hooknotary-Scope }", "routes[1].assert.as", "another use"},
		{"an assertion behind two words", "assert: { audience: jenkins }", `assert: { audience: jenkins, as: "Authorization: Bearer x" }`, "routes[1].assert.as", "want the name of a header"},
		{"an assertion where the sender signs", "assert: { audience: jenkins }", `assert: { audience: jenkins, as: X-Hub-Signature-256 }`, "routes[1]", ""},
		{"a secret of Standard Webhooks that is none", "credential:shop", "env:STRIPE_OLD", "routes[2].resign.standard_webhooks", "no secret of Standard Webhooks"},
		{"re-signing without a secret", "resign: { standard_webhooks: credential:shop }", "resign: {}", "routes[2].resign.standard_webhooks", "it is missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFolder(t, all)
			_, another := certificate(t)
			f.write("assert2.pem", another)
			f.env["API_KEY"] = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
			f.env["LINES"] = "a\r\nb: c"
			f.edit(tt.old, tt.new)
			m := f.mistakes()
			if len(m) == 0 {
				t.Fatal("it loads")
			}
			text := m.Error()
			if !slices.ContainsFunc(m, func(m config.Mistake) bool { return m.Field == tt.field && strings.Contains(m.Text, tt.says) }) {
				t.Errorf("got\n%s\nwant %s: … %s", text, tt.field, tt.says)
			}
			if len(m) > 2 {
				t.Errorf("one thing is wrong, and these are the mistakes:\n%s", text)
			}
			for _, m := range m {
				if m.Line < 1 {
					t.Errorf("no line: %s", m)
				}
			}
			for _, secret := range []string{marker, stripeNew, stripeOld, f.env["API_KEY"], jwtSecret, jenkins, "k4tzenklo"} {
				if strings.Contains(strings.ReplaceAll(text, f.path, ""), secret) {
					t.Errorf("a mistake holds %q:\n%s", secret, text)
				}
			}
		})
	}
}

func TestEveryMistakeInOnePass(t *testing.T) {
	f := newFolder(t, map[string]string{"hooknotary.yaml": `listen: { address: nowhere }
shutdown: { drain: 5 }
routes:
  - name: a b
    path: hooks
    provider: strpe
    secret: literal
    upstream: { url: "ftp://x" }
  - name: two
    path: /two
    provider: paypal
    upstream: { url: "http://x/?a" }
`})
	var got []string
	for _, m := range f.mistakes() {
		got = append(got, fmt.Sprintf("%d %s", m.Line, m.Field))
	}
	want := []string{
		"1 listen.address", "2 shutdown.drain", "4 routes[0].name", "5 routes[0].path", "6 routes[0].provider", "7 routes[0].secret", "8 routes[0].upstream.url",
		"9 routes[1].webhook_id", "12 routes[1].upstream.url",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if text := f.mistakes().Error(); !strings.HasPrefix(text, filepath.Join(f.path, "hooknotary.yaml")+":1: listen.address: want ") {
		t.Errorf("got %q", text)
	}
}

// TestYAML: what the file must not use of YAML, and what is none.
func TestYAML(t *testing.T) {
	const route = "routes:\n  - { name: a, path: /a, provider: stripe, secret: env:STRIPE_OLD, upstream: { url: \"http://x/\" } }\n"
	if m := newFolder(t, map[string]string{"hooknotary.yaml": route}).mistakes(); m != nil {
		t.Fatal(m)
	}
	for _, tt := range []struct {
		name, text string
		line       int
		says       string
	}{
		{"an empty file", "", 0, "empty"},
		{"a comment alone", "# nothing\n", 0, "empty"},
		{"a text", marker, 1, "want a mapping"},
		{"a second document", route + "---\n" + route, 3, "second document"},
		{"an anchor", "shutdown: &" + marker + " { drain: 1s }\n" + route, 1, "anchor"},
		{"an alias", "shutdown: &a { drain: 1s }\nlimits: *a\n" + route, 1, "anchor"},
		{"an alias of nothing", "shutdown: *" + marker + "\n" + route, 0, "alias"},
		{"a merge", "shutdown:\n  <<: { drain: 1s }\n" + route, 2, "merge"},
		{"a tag", "shutdown: !" + marker + " { drain: 1s }\n" + route, 1, "tag"},
		{"a tag of YAML's own", "public_url: !!str https://a.example\n" + route, 1, "tag"},
		{"a tab", "shutdown:\n\tdrain: 1s\n" + route, 2, "indent with spaces"},
		{"a quote that is not closed", "public_url: \"" + marker + "\n", 0, ""},
		{"a bracket that is not closed", "trusted_proxies: [" + marker + "\n" + route, 0, ""},
		{"a {name} without quotes", "routes:\n  - { path: /" + marker + "/{tenant}, provider: stripe }\n", 0, "into quotes"},
		{"two colons", "public_url: " + marker + ": " + marker + "\n" + route, 1, "second colon"},
		{"a value that begins with @", "public_url: @" + marker + "\n" + route, 1, "into quotes"},
		{"an escape that is none", "public_url: \"\\q" + marker + "\"\n" + route, 1, ""},
		{"a name that is a list", "? [" + marker + "]\n: x\n" + route, 1, "must be a word"},
		{"lists in lists", "public_url: " + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + "\n" + route, 1, "too deep"},
		{"another encoding", "public_url: \xff\xfe\n" + route, 0, "not UTF-8"},
		{"a NUL", "public_url: \x00\n" + route, 0, ""},
		{"more than 1 MiB", route + "#" + strings.Repeat("a", 1<<20), 0, "larger than 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newFolder(t, map[string]string{"hooknotary.yaml": tt.text}).mistakes()
			if m == nil {
				t.Fatal("it loads")
			}
			if !strings.Contains(m[0].Text, tt.says) || tt.line > 0 && m[0].Line != tt.line {
				t.Errorf("got %v, want line %d: %s", m, tt.line, tt.says)
			}
			if strings.Contains(m.Error(), marker) {
				t.Errorf("the mistake holds a piece of the file: %v", m)
			}
		})
	}
	t.Run("no file", func(t *testing.T) {
		if m := newFolder(t, nil).mistakes(); len(m) != 1 || !strings.Contains(m[0].Text, "no such file") {
			t.Errorf("got %v", m)
		}
	})
}

// TestDiscretion puts a secret into every place of the file, in every form, and looks for it
// in the mistakes.
func TestDiscretion(t *testing.T) {
	all := files(t)
	f := newFolder(t, all)
	for _, name := range []string{"TestOne", marker} {
		f.env[name] = marker
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(all["hooknotary.yaml"]), &doc); err != nil {
		t.Fatal(err)
	}
	var scalars []*yaml.Node
	var find func(n *yaml.Node)
	find = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			scalars = append(scalars, n)
		}
		for _, c := range n.Content {
			find(c)
		}
	}
	find(&doc)
	lines := strings.SplitAfter(all["hooknotary.yaml"], "\n")
	tried, refused := 0, 0
	forms := []string{
		"%s", `"%s"`, "env:%s", "file:%s", "credential:%s", "whsec_%s", "https://%s:%[1]s@x.example/%[1]s", "{ %s: %[1]s }", "[ %s, %[1]s ]",
		"!%s x", "&%s x", "*%s", "@%s", `"%s`, "%s: %[1]s: %[1]s", "\"%s\\n\"", "/%s", "2026-%s", "{ %s", "%s\x01", "unix:/%s:/x", "%s\t@",
	}
	for i, n := range scalars {
		line := lines[n.Line-1]
		old := n.Value
		rest := line[n.Column-1:]
		if n.Style&yaml.DoubleQuotedStyle != 0 {
			old = `"` + old + `"`
		}
		if !strings.HasPrefix(rest, old) {
			t.Fatalf("line %d has no %q at %d", n.Line, old, n.Column)
		}
		for j, form := range forms {
			if j%3 != i%3 {
				continue // each form is tried at a third of the places, and each place with a third of the forms
			}
			changed := slices.Clone(lines)
			changed[n.Line-1] = line[:n.Column-1] + fmt.Sprintf(form, marker) + rest[len(old):]
			f.write("hooknotary.yaml", strings.Join(changed, ""))
			tried++
			m := f.mistakes()
			if m != nil {
				refused++
			}
			if strings.Contains(m.Error(), marker) {
				t.Errorf("line %d, %s in the place of %s:\n%v", n.Line, form, old, m)
			}
		}
	}
	if tried < 700 || refused < tried/2 {
		t.Errorf("of %d files %d were refused: does the test still look at anything?", tried, refused)
	}
}

func FuzzLoad(f *testing.F) {
	text, err := os.ReadFile("testdata/hooknotary.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add("a: [" + marker)
	f.Add("routes:\n - {name: " + marker + ", path: /{tenant}, provider: github, secret: " + marker + ", upstream: {url: \"unix:/" + marker + ":/{tenant}\"}}")
	f.Add("? {? {" + marker + ": *a}: &a !x b}\n--- |\n x")
	f.Add("routes: [{provider: slack, claims: {" + marker + ": " + marker + "}, success: [" + marker + "], url: https://" + marker + "}]")
	dir := f.TempDir()
	file := filepath.Join(dir, "hooknotary.yaml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Skip()
		}
		c, err := config.Load(file, config.Env{Lookup: func(string) (string, bool) { return marker + marker, true }}, now)
		if (c == nil) == (err == nil) {
			t.Fatalf("got %v and %v", c, err)
		}
		if err != nil && strings.Contains(err.Error(), marker) {
			t.Errorf("%q: %v", text, err)
		}
		if c != nil && len(c.Routes) == 0 {
			t.Errorf("%q: no route", text)
		}
	})
}

// TestSenders makes a route for every sender, with what that one requires.
func TestSenders(t *testing.T) {
	known := make(map[string]bool)
	all := sender.All()
	for _, name := range []string{"livekit", "messagebird", "monday", "netlify", "qstash", "vonage"} {
		s, err := sender.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	for _, s := range all {
		t.Run(s.Name, func(t *testing.T) {
			known[s.Name] = true
			o := &sender.Settings{}
			route := "    provider: " + s.Name + "\n"
			switch {
			case s.KeySourced():
				route += "    secret: env:SECRET\n"
			default:
				route += "    " + map[string]string{"webhook id": "webhook_id", "bundle id": "bundle_id", "topic ARN": "topic_arn"}[s.About.Identifier] + ": env:SECRET\n"
			}
			if s.Name == "livekit" {
				route += "    claims: { iss: APIkey }\n"
			}
			f := newFolder(t, minimal(route))
			f.env["SECRET"] = s.Probe(o).Text
			if m := f.mistakes(); m != nil {
				// What is missing is named, and with it the route loads.
				for _, m := range m {
					for _, field := range []string{"insecure_body_not_covered", "insecure_sha1"} {
						if (strings.HasSuffix(m.Field, "."+field) || strings.Contains(m.Text, "say "+field+": true")) && !strings.Contains(route, field) {
							route += "    " + field + ": true\n"
						}
					}
					if strings.HasSuffix(m.Field, ".url") {
						route += "    url: https://hooks.example.com/one\n"
					}
				}
				f = newFolder(t, minimal(route))
				f.env["SECRET"] = s.Probe(o).Text
			}
			c := f.must()
			if got := c.Routes[0].Verifier.Profile().Provider; got != s.Name {
				t.Errorf("the verifier is of %s", got)
			}
		})
	}
	if len(known) < 150 {
		t.Errorf("only %d senders were seen", len(known))
	}
}
