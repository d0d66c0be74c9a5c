package config

import (
	"strings"
	"sync"
)

// Field is what the file may say at one place. The table of all of them decides which names
// are known; the reference for users has a row for each.
type Field struct {
	Path    string // "routes[].upstream.url"; "[]" is each entry of a list
	Kind    Kind
	Default string // "required", or what counts where the field is absent; "" where that is nothing
	Text    string
}

// Kind says what a field takes.
type Kind string

// The kinds of fields.
const (
	Mapping   Kind = "mapping"
	List      Kind = "list"
	Text      Kind = "text"
	Bool      Kind = "true or false"
	Number    Kind = "number"
	Duration  Kind = "duration" // "10s", "500ms", "15m", "72h"
	Size      Kind = "size"     // "512B", "32KiB", "25MiB", "1GiB"
	Time      Kind = "time"     // RFC 3339
	File      Kind = "file"     // relative to the folder of the configuration file
	Folder    Kind = "folder"
	Reference Kind = "reference" // env:NAME, file:PATH, credential:NAME
	Either    Kind = "text or reference"
)

// Fields returns the table. The list is the caller's.
func Fields() []Field {
	list := make([]Field, 0, len(table))
	return append(list, table...)
}

// table lists the fields in the order in which the reference shows them.
var table = []Field{
	{"listen", Mapping, "", "The public listener."},
	{"listen.address", Text, "127.0.0.1:8080", "`host:port`, `:port` or `unix:/path`."},
	{"listen.hosts", List, "every host", "Names of hosts. A request for another one gets 421. A route may have its own."},
	{"listen.tls", Mapping, "no TLS", "A certificate of your own, read again at each reload."},
	{"listen.tls.cert", File, "", "The certificate and its issuers, PEM."},
	{"listen.tls.key", File, "", "Its private key, PEM."},
	{"listen.tls.client_ca", File, "clients need no certificate", "Issuers, PEM. A client must have a certificate of one of them. It may stand beside `acme`, too."},
	{"listen.acme", Mapping, "no ACME", "Certificates from an authority such as Let's Encrypt, by TLS-ALPN-01 alone: port 443 must reach this listener as TCP. For one instance, or for several that share `cache`."},
	{"listen.acme.hosts", List, "required", "Names to have certificates for."},
	{"listen.acme.cache", Folder, "required", "Where certificates and the account are kept."},
	{"listen.acme.email", Text, "none", "Whom the authority writes to."},
	{"listen.acme.directory", Text, "Let's Encrypt", "URL of another authority."},
	{"listen.acme.ca", File, "the system's", "Roots of that authority's own certificate, PEM."},

	{"admin", Mapping, "no listener", "The listener for operators: /livez, /readyz, /metrics, /.well-known/jwks.json."},
	{"admin.address", Text, "required", "`host:port`, `:port` or `unix:/path`."},
	{"admin.remote", Bool, "false", "The address may be one that other machines reach, as every Kubernetes pod needs it."},

	{"public_url", Text, "none", "Scheme and host under which senders know the gateway, and a prefix that a balancer strips: for schemes that sign the URL."},
	{"trusted_proxies", List, "none", "Prefixes such as 10.0.0.0/8. From them, X-Forwarded-For counts: for logs, and for `forward.client_address`."},

	{"store", Mapping, "memory", "Where events are remembered. One of the first four."},
	{"store.memory", Mapping, "", "`{}`: in the process. It is forgotten at a restart, and no other instance shares it."},
	{"store.sqlite", File, "", "A file on a local disk of this machine. It is made where it is missing."},
	{"store.redis", Reference, "", "A URL, redis:// or rediss://."},
	{"store.postgres", Reference, "", "A connection string."},
	{"store.prefix", Text, "hooknotary", "Redis: how keys begin."},
	{"store.table", Text, "hooknotary_event", "SQLite, PostgreSQL: the table of events."},

	{"assertion", Mapping, "none", "Who signs assertions for receivers."},
	{"assertion.issuer", Text, "public_url", "The claim `iss`."},
	{"assertion.publish", Bool, "false", "The public keys stand on the public listener, too."},
	{"assertion.keys", List, "none", "Private keys. The first one signs; all are published, so add the next one here before it comes first."},
	{"assertion.keys[].id", Text, "required", "The token's `kid`: letters, digits and ._-"},
	{"assertion.keys[].file", File, "required", "PEM: P-256 for ES256, or Ed25519 for EdDSA."},

	{"recorder", Mapping, "nothing is recorded", "Keeps deliveries as captures. They hold whole bodies."},
	{"recorder.folder", Folder, "required", "Where they are kept."},
	{"recorder.kinds", List, "[refused]", "`refused`, `failed`, `handled`."},

	{"telemetry", Mapping, "", "What is measured."},
	{"telemetry.metrics", Bool, "true with admin", "/metrics on the admin listener, for Prometheus."},
	{"telemetry.otlp", Reference, "none", "URL of an OpenTelemetry collector."},
	{"telemetry.scopes", List, "none", "Tenants whose names metrics may show."},

	{"shutdown", Mapping, "", "What happens after SIGTERM."},
	{"shutdown.drain", Duration, "5s", "How long new requests are still served while /readyz says 503."},
	{"shutdown.grace", Duration, "20s", "How long requests under way then have."},

	{"limits", Mapping, "", "Bounds of the whole process."},
	{"limits.header", Size, "32KiB", "The head of a request. At most 1MiB; beside it always 128 fields, and 8 KiB a field."},
	{"limits.read_header_timeout", Duration, "5s", "For the head to arrive. At most 5m."},
	{"limits.idle_timeout", Duration, "60s", "Between two requests on a connection. At most 1h."},
	{"limits.connections", Number, "8192", "Connections. One address may hold an eighth, unless it is a trusted proxy."},
	{"limits.body_budget", Size, "128MiB", "Memory of all bodies in flight; at least twice the largest `max_body`, and raised to it where it is not set."},

	{"routes", List, "required", "The paths."},
	{"routes[].name", Text, "required", "Letters, digits and ._-, up to 64. It is the route's namespace in the store: another name forgets what was handled."},
	{"routes[].path", Text, "required", "`/hooks/{tenant}/stripe`: segments of letters, digits and ._~-, or a `{name}`, which is 1 to 64 letters, digits and ._-"},
	{"routes[].hosts", List, "listen.hosts", "Names of hosts."},
	{"routes[].public_url", Text, "public_url", "As above, for this route."},
	{"routes[].provider", Text, "this or definition", "A name that `hooknotary providers` lists, or a sender with a JSON Web Token: fusionauth, livekit, messagebird, monday, netlify, qstash, vonage."},
	{"routes[].definition", File, "", "A sender of your own, as JSON; see `hooknotary providers --help`."},

	{"routes[].secret", Reference, "this, secrets or tenants", "The secret, or the public key of a sender that signs with a private one. Its label is `default`."},
	{"routes[].secrets", List, "", "Up to 4 secrets during a rotation, the likeliest first."},
	{"routes[].secrets[].label", Text, "required", "What logs and metrics call it: letters, digits and ._-, up to 64."},
	{"routes[].secrets[].from", Reference, "required", "The secret."},
	{"routes[].secrets[].not_after", Time, "never", "When the secret ends: `2026-12-01T00:00:00Z`."},
	{"routes[].tenants", Mapping, "", "Secrets by the `{tenant}` of the path."},
	{"routes[].tenants.folder", Folder, "required", "A file for each tenant, by its name, which is also the scope: up to 4 lines `label secret`, the newest first. Names that begin with a dot are passed over."},
	{"routes[].webhook_id", Either, "required for PayPal", "PayPal: the webhook id."},
	{"routes[].bundle_id", Either, "required for Apple", "Apple: the app's bundle id."},
	{"routes[].topic_arn", Either, "required for Amazon SNS", "Amazon SNS: the topic's ARN, or a list of them."},
	{"routes[].verify_token", Reference, "such handshakes are refused", "The token of a handshake that carries one, such as Meta's."},
	{"routes[].url", Text, "public_url and path", "The endpoint's URL as it is registered at a sender that signs it, byte for byte."},
	{"routes[].claims", Mapping, "none", "JSON Web Tokens: what claims must say, such as `{iss: APIxyz}` for LiveKit."},

	{"routes[].tolerance", Duration, "the sender's", "Narrows how far the signed time may lie from now."},
	{"routes[].max_age", Duration, "the sender's", "PayPal, Amazon SNS, Vonage SMS: the same, into the past."},
	{"routes[].form", Bool, "false", "GitHub, Mailgun: the sender sends forms, and no JSON."},
	{"routes[].json_body", Bool, "false", "Twilio: JSON, and no forms."},
	{"routes[].any_query", Bool, "false", "Twilio: each request has a query of its own."},
	{"routes[].sha256", Bool, "false", "Twilio: HMAC-SHA256."},
	{"routes[].sha512", Bool, "false", "Vonage SMS: HMAC-SHA512."},
	{"routes[].body_alone", Bool, "false", "Hook0, Coinbase CDP: the older signature."},
	{"routes[].query_alone", Bool, "false", "Bird: the older signature."},
	{"routes[].main_account", Bool, "false", "Plivo: the main account's signature."},
	{"routes[].sandbox", Bool, "false", "PayPal, Apple: the sandbox in place of live."},
	{"routes[].public_key", Text, "none", "Braintree: the public key of the API, which answers the check of the URL."},
	{"routes[].media_type", Text, "text/plain", "Amazon SNS: `application/json` where the subscription says so."},
	{"routes[].cert_file", File, "none", "PayPal, Amazon SNS: where trusted certificates are remembered over a restart."},
	{"routes[].insecure_allow_sha1", Bool, "false", "GitHub, Amazon SNS: also the older signature with SHA-1."},
	{"routes[].insecure_sha1", Bool, "false", "Vonage SMS: SHA-1. eBay: required, because eBay has nothing else."},
	{"routes[].insecure_allow_short_secret", Bool, "false", "Secrets under 16 bytes."},
	{"routes[].insecure_body_not_covered", Bool, "false", "Required for senders whose deliveries do not prove their body."},
	{"routes[].insecure_distinct_by_delivery_id", Bool, "false", "GitHub: an equal body under another delivery id, which is not signed, is another event."},
	{"routes[].insecure_accept_simulator", Bool, "false", "PayPal: events of the simulator, which anybody can have signed."},

	{"routes[].detach", Bool, "false", "Finish what was begun though the sender hung up: for receivers that take longer than senders wait."},
	{"routes[].max_body", Size, "the sender's", "The largest body."},
	{"routes[].body_timeout", Duration, "10s", "For a body to arrive. At most 10m."},
	{"routes[].lease", Duration, "30s", "How long a claim outlives a gateway that died; and how long it is kept where the receiver may still be at work."},
	{"routes[].max_run", Duration, "15m", "The longest that a delivery may be in flight. At most 24h."},
	{"routes[].retention", Duration, "the sender's, or 7 days", "How long a finished event is remembered."},
	{"routes[].duplicates", Text, "by_provider", "What a repeat of a finished event gets: `by_provider`, `acknowledge` (200) or `refuse` (409)."},
	{"routes[].in_flight", Number, "512", "Verified deliveries at once; beyond, 503 with Retry-After. At most 100000."},
	{"routes[].report_only", Bool, "false", "INSECURE: what is refused reaches the receiver all the same, without identity."},
	{"routes[].insecure_fail_open", Bool, "false", "Deliveries reach the receiver although the store failed; replays, too."},

	{"routes[].upstream", Mapping, "required", "The receiver."},
	{"routes[].upstream.url", Text, "required", "`http://host:port/path`, `https://host/path` or `unix:/socket:/path`, without user, query and fragment. One segment may be a `{name}` of the path."},
	{"routes[].upstream.ca", File, "the system's", "Roots of the receiver's certificate, PEM."},
	{"routes[].upstream.cert", File, "none", "A certificate for mutual TLS, PEM."},
	{"routes[].upstream.key", File, "none", "Its private key, PEM."},
	{"routes[].upstream.timeout", Duration, "30s; with detach, max_run", "Until the receiver's status line."},
	{"routes[].upstream.idle", Duration, "1s", "How long a connection is kept: less than the receiver keeps it. At most 1h."},
	{"routes[].upstream.headers", Mapping, "none", "Headers to add, each with a reference: the receiver's own token."},

	{"routes[].forward", Mapping, "", "What else of the sender's request reaches the receiver."},
	{"routes[].forward.headers", List, "none", "Names of headers, beside Content-Type and those of the signature."},
	{"routes[].forward.query", Bool, "false", "The query, without credentials in it."},
	{"routes[].forward.client_address", Bool, "false", "The sender's address, as X-Forwarded-For."},
	{"routes[].success", List, "none", "Statuses from 300 to 599 that are successes beside 2xx; they leave as 200."},
	{"routes[].answer", Text, "status", "`status`, or `body`: the sender also gets Content-Type and up to 1 MiB of the body of a success."},

	{"routes[].assert", Mapping, "none", "A JSON Web Token for the receiver, made for each attempt."},
	{"routes[].assert.audience", Text, "required", "The claim `aud`: the receiver's name."},
	{"routes[].assert.as", Text, "Hooknotary-Assertion", "The header, and what stands before the token: `Authorization: Bearer`."},
	{"routes[].assert.algorithm", Text, "the key's", "`ES256`, `EdDSA`, or `HS256` with a secret."},
	{"routes[].assert.key", Text, "the first", "An id of `assertion.keys`."},
	{"routes[].assert.secret", Reference, "", "HS256: a secret that the receiver has, too, at least 32 bytes; one for each receiver. Its `kid` is the route's name."},
	{"routes[].resign", Mapping, "none", "A signature for the receiver, made for each attempt."},
	{"routes[].resign.standard_webhooks", Reference, "required", "The secret, `whsec_` and base64 of 24 to 64 bytes."},
}

// known holds the names of the fields below each mapping: known()["routes[].upstream"]["url"].
var known = sync.OnceValue(func() map[string]map[string]Kind {
	m := make(map[string]map[string]Kind)
	for _, f := range table {
		parent, name := "", f.Path
		if i := strings.LastIndexByte(f.Path, '.'); i >= 0 {
			parent, name = f.Path[:i], f.Path[i+1:]
		}
		if m[parent] == nil {
			m[parent] = make(map[string]Kind)
		}
		m[parent][name] = f.Kind
	}
	return m
})
