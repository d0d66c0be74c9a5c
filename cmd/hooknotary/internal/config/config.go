// Package config reads the file of a gateway.
//
//	c, err := config.Load("hooknotary.yaml", config.Env{Lookup: os.LookupEnv}, time.Now())
//
// Load reads the file and everything that it names: secrets, keys, certificates, the folders
// of tenants. It makes the verifier of each route, so a configuration that loads is one that
// can serve. A file that is wrong anywhere loads not at all, and the error lists every mistake
// with its line.
//
// No error and nothing that prints a Config holds a value of the file, because a secret may
// stand where a name belongs. Secrets stand in the verifiers and in values of type Secret,
// which print as the reference that they were read from.
package config

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/verify"
)

// Env is what Load needs from outside of the file.
type Env struct {
	// Lookup finds an environment variable, as os.LookupEnv does. Nil: there is none.
	Lookup func(name string) (string, bool)

	// Transport fetches the certificates and public keys of senders, and Roots are trusted for
	// PayPal's beside the system's. Both are for tests; nil is the default.
	Transport http.RoundTripper
	Roots     []*x509.Certificate
}

// Config is a configuration that can serve. It is read-only: a reload makes another one.
type Config struct {
	// File is the file's absolute name, or "" where flags described the one route.
	File string

	Listen         Listen
	Admin          Admin
	PublicURL      string // "https://hooks.example.com", or ""
	TrustedProxies []netip.Prefix
	Store          Store
	Assertion      Assertion
	Recorder       *Recorder // nil: nothing is recorded
	Telemetry      Telemetry
	Shutdown       Shutdown
	Limits         Limits
	Routes         []Route

	// Watch lists every file and folder that was read, as absolute names.
	Watch []string

	// Faulty says which tenants are turned off, as "route/tenant", and why, by name.
	Faulty map[string]error

	// NextExpiry is when the first of all keys ends, or zero. The configuration has to be
	// loaded anew then.
	NextExpiry time.Time

	// Warnings are what is allowed and deserves a second look, a sentence each. They hold no
	// value of the file but names of routes.
	Warnings []string

	// Restart holds a digest of each part that a running gateway cannot change: "listen",
	// "admin", "trusted_proxies", "store", "recorder", "telemetry", "shutdown" and "limits".
	// A process never sees another value of an environment variable, so there is none of them.
	Restart map[string][32]byte
}

// Listen is the public listener.
type Listen struct {
	Address string   // "host:port", ":port" or "unix:/path"
	Hosts   []string // the names that the gateway serves, in lower case; none: every one
	TLS     *TLS     // nil: none
	ACME    *ACME    // nil: none; never beside a certificate of TLS
}

// Loopback reports whether only this machine reaches the address.
func (l Listen) Loopback() bool { return isLoopback(l.Address) }

// TLS names the files of a certificate. ClientCA may stand beside ACME, too.
type TLS struct {
	Cert, Key string // PEM; both or none
	ClientCA  string // PEM; "": clients are asked for no certificate
}

// ACME says how certificates are had from an authority.
type ACME struct {
	Hosts     []string
	Email     string
	Cache     string // a folder
	Directory string // URL of the authority; "" is Let's Encrypt
	CA        string // PEM file with the roots of the directory's own certificate; "": the system's
}

// Admin is the listener for operators.
type Admin struct {
	Address string // "": none
	Remote  bool   // the address may be one that others reach
}

// Store says where events are remembered. Exactly one of the first four is set.
type Store struct {
	Memory            bool
	SQLite            string // a file, made where it is missing
	Redis, PostgreSQL Secret
	Prefix            string // Redis; "" is the default
	Table             string // SQLite, PostgreSQL; "" is the default
}

// Assertion says who signs for the gateway.
type Assertion struct {
	Issuer  string
	Publish bool            // the public keys stand on the public listener, too
	Keys    []assertion.Key // all are published; a route signs with the first, or names one
}

// Recorder says what is kept as captures.
type Recorder struct {
	Folder string
	Kinds  record.Kinds
}

// Telemetry says what is measured.
type Telemetry struct {
	Metrics bool     // on the admin listener, at /metrics
	OTLP    Secret   // URL; it may hold a credential
	Scopes  []string // tenants with numbers of their own
}

// Shutdown says how the gateway ends.
type Shutdown struct {
	Drain time.Duration // new requests are still served. Default 5 s
	Grace time.Duration // requests under way may end. Default 20 s
}

// Limits are the bounds that all routes share.
type Limits struct {
	Header            int           // bytes of a request's head. Default 32 KiB
	ReadHeaderTimeout time.Duration // Default 5 s
	IdleTimeout       time.Duration // of a connection between two requests. Default 60 s
	Connections       int           // Default 8192
	BodyBudget        int64         // bytes of all bodies in flight. Default 128 MiB
}

// Route is one path, with its sender and its receiver.
type Route struct {
	Name  string   // also the guard's endpoint name
	Path  string   // "/hooks/{tenant}/stripe": each {name} is one whole segment
	Hosts []string // in lower case; none: those of Listen
	Line  int      // of the file, or 0

	Provider string // as in verify.Profile
	Verifier verify.Verifier
	Keys     []Key // in the order in which they are tried; none where there are tenants
	Tenants  []Tenant

	// NextExpiry is when the first of the keys ends, or zero.
	NextExpiry time.Time

	// Insecure lists the fields of the file that weaken what the verifier checks.
	Insecure []string

	// Guard has everything but Budget, Observe, Now and Shutdown.
	Guard    middleware.Options
	InFlight int // verified deliveries at once. Default 512

	Upstream Upstream
	Forward  Forward

	// Digest covers all of the route and all that it was read from, secrets included: a route
	// with an equal digest is the same route, and keeps its verifier and what that has cached.
	// It is no secret-keeping hash: do not print it.
	Digest [32]byte
}

// Key names a key of a route.
type Key struct {
	Scope, Label string
	From         string // the reference
	NotAfter     time.Time
	Over         bool // NotAfter has passed, so the key is not used
}

// Tenant is a tenant of a route.
type Tenant struct {
	Name string // also the scope of its keys
	Keys []Key
	Off  bool // its file is faulty; see Config.Faulty
}

// Upstream is the receiver.
type Upstream struct {
	URL     string // as forward.New takes it
	TLS     *tls.Config
	Timeout time.Duration // Default 30 s; where the route is detached, MaxRun
	Idle    time.Duration // Default 1 s
	Header  http.Header   // the receiver's own token
}

// Format writes the URL, whatever the verb: the header holds a secret.
func (u Upstream) Format(w fmt.State, _ rune) { io.WriteString(w, u.URL) }

// LogValue returns the URL.
func (u Upstream) LogValue() slog.Value { return slog.StringValue(u.URL) }

// MarshalText returns the URL.
func (u Upstream) MarshalText() ([]byte, error) { return []byte(u.URL), nil }

// Forward says what the receiver gets and what becomes of its response.
type Forward struct {
	Headers       []string // of the sender, beside Content-Type and those of the signature
	Query         bool
	ClientAddress bool
	Success       []int // further statuses that are successes
	AnswerBody    bool
	Assert        *Assert // nil: no assertion
	Resign        Secret  // Standard Webhooks; Value is decoded, 24 to 64 bytes
}

// Assert says which assertion the receiver gets, and where.
type Assert struct {
	Signer *assertion.Signer
	Header string // "Hooknotary-Assertion", "Authorization"
	Prefix string // "", "Bearer "

	Algorithm, KeyID, Audience string // what Signer was made with, for people
}

type tenantKey struct{}

// WithTenant returns a context for the verifier of a route with tenants: name is the value of
// the path's {tenant}.
func WithTenant(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, tenantKey{}, name)
}

func tenantOf(ctx context.Context) string {
	name, _ := ctx.Value(tenantKey{}).(string)
	return name
}
