package config

import (
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"hash"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/stores"
	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// The defaults of what all routes share. Those of a route stand where it is read.
const (
	DefaultAddress = "127.0.0.1:8080"

	defaultDrain       = 5 * time.Second
	defaultGrace       = 20 * time.Second
	defaultHeader      = 32 << 10
	defaultReadHeader  = 5 * time.Second
	defaultIdle        = 60 * time.Second
	defaultConnections = 8192
	defaultBudget      = 128 << 20
)

// loader reads one configuration.
type loader struct {
	file   string // as it was named
	folder string // that names in it are relative to
	env    Env
	now    time.Time
	rename map[string]string // what mistakes call a field instead; see FromFlags

	c        *Config
	mistakes Mistakes
	watched  map[string]bool
	hash     hash.Hash           // of the part that is read, or nil
	trial    replay.Store        // for guards that are made to see whether they can be
	asserts  [32]byte            // digest of the part "assertion"
	secrets  map[[32]byte]string // which route holds a secret, by its hash
}

// Load reads the file of a gateway and all that it names. The error is of type Mistakes. Keys
// whose time is over at now are left out.
func Load(file string, env Env, now time.Time) (*Config, error) {
	name, err := filepath.Abs(file)
	if err != nil {
		return nil, Mistakes{{File: file, Text: "the file has no absolute name"}}
	}
	l := newLoader(env, now)
	l.file, l.folder, l.c.File = file, filepath.Dir(name), name
	text, err := l.read(name, maxFile)
	if err != nil {
		return nil, Mistakes{{File: file, Text: "the file cannot be read: " + err.Error()}}
	}
	return l.load(l.parse(text))
}

func newLoader(env Env, now time.Time) *loader {
	return &loader{
		env: env, now: now, watched: make(map[string]bool), trial: replay.NewMemory(&replay.MemoryOptions{MaxBytes: 1}), secrets: make(map[[32]byte]string),
		c: &Config{Faulty: make(map[string]error), Restart: make(map[string][32]byte)},
	}
}

// wrong notes a mistake.
func (l *loader) wrong(line int, field, text string) {
	for prefix, name := range l.rename {
		if rest, ok := strings.CutPrefix(field, prefix); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			field = name
			break
		}
	}
	l.mistakes = append(l.mistakes, Mistake{File: l.file, Line: line, Field: field, Text: text})
}

// warn notes what deserves a look.
func (l *loader) warn(format string, args ...any) {
	l.c.Warnings = append(l.c.Warnings, fmt.Sprintf(format, args...))
}

// load reads a document.
func (l *loader) load(root node) (*Config, error) {
	if root.mapping() {
		l.listen(root.get("listen"))
		l.c.Admin = l.admin(root.get("admin"))
		l.c.PublicURL = root.get("public_url").publicURL()
		l.c.TrustedProxies = l.proxies(root.get("trusted_proxies"))
		l.c.Store = l.store(root.get("store"))
		l.c.Assertion = l.assertion(root.get("assertion"))
		l.c.Recorder = l.recorder(root.get("recorder"))
		l.c.Telemetry = l.telemetry(root.get("telemetry"))
		l.c.Shutdown = l.shutdown(root.get("shutdown"))
		l.c.Limits = l.limits(root.get("limits"))
		l.routes(root.get("routes"))
		l.across(root)
	}
	if len(l.mistakes) > 0 {
		slices.SortStableFunc(l.mistakes, func(a, b Mistake) int { return cmp.Compare(a.Line, b.Line) })
		return nil, l.mistakes
	}
	l.c.Watch = slices.Sorted(maps.Keys(l.watched))
	return l.c, nil
}

// begin starts a digest with a part of the file.
func (l *loader) begin(x node, without ...string) {
	l.hash = sha256.New()
	dump(l.hash, x.n, without...)
}

// end returns the digest since begin.
func (l *loader) end() (sum [32]byte) {
	l.hash.Sum(sum[:0])
	l.hash = nil
	return sum
}

func (l *loader) listen(x node) {
	l.begin(x, "hosts")
	defer func() { l.c.Restart["listen"] = l.end() }()
	l.c.Listen.Address = DefaultAddress
	if !x.mapping() {
		return
	}
	if a, ok := x.get("address").address(); ok {
		l.c.Listen.Address = a
	}
	l.c.Listen.Hosts = x.get("hosts").hosts()
	t, a := x.get("tls"), x.get("acme")
	if t.mapping() {
		l.c.Listen.TLS = l.tls(t, a.given())
	}
	if a.mapping() {
		l.c.Listen.ACME = l.acme(a)
	}
}

// tls reads the public certificate. Its content is no part of the digest, because it is read
// again at each reload.
func (l *loader) tls(x node, acme bool) *TLS {
	before := l.hash
	l.hash = nil
	defer func() { l.hash = before }()
	t := &TLS{}
	cert, key, ca := x.get("cert"), x.get("key"), x.get("client_ca")
	switch {
	case acme && (cert.given() || key.given()):
		x.wrong("there is acme, too; want cert and key, or acme")
	case !acme && !cert.given() && !key.given():
		x.wrong("want cert and key, or acme beside tls")
	default:
		t.Cert, t.Key, _ = x.pair(cert, key)
	}
	if ca.given() {
		name, content, ok := ca.file(maxPEM)
		if t.ClientCA = name; ok {
			ca.pool(content)
		}
	}
	return t
}

// pair reads a certificate and its key, which belong together.
func (x node) pair(cert, key node) (certFile, keyFile string, pair tls.Certificate) {
	if !cert.given() && !key.given() {
		return
	}
	if cert.given() != key.given() {
		x.wrong("cert and key belong together; one of them is missing")
		return
	}
	certFile, certText, ok1 := cert.file(maxPEM)
	keyFile, keyText, ok2 := key.file(maxPEM)
	if !ok1 || !ok2 {
		return
	}
	pair, err := tls.X509KeyPair(certText, keyText)
	if err != nil {
		x.wrong("cert and key do not go together, or are not PEM; want a certificate with its issuers in cert, and its private key in key")
		return
	}
	if end := pair.Leaf.NotAfter; x.l.now.After(end) {
		x.wrong("the certificate ended on %s", end.UTC().Format(time.DateOnly))
	}
	return certFile, keyFile, pair
}

// pool makes a pool of certificates.
func (x node) pool(text []byte) *x509.CertPool {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		x.wrong("the file holds no certificate in PEM")
	}
	return pool
}

func (l *loader) acme(x node) *ACME {
	a := &ACME{}
	if x.get("hosts").required("the names to have certificates for") {
		a.Hosts = x.get("hosts").hosts()
		if len(a.Hosts) == 0 {
			x.get("hosts").wrong("want one name at least")
		}
	}
	for i, h := range a.Hosts {
		if _, err := netip.ParseAddr(h); err == nil || !strings.Contains(h, ".") {
			x.get("hosts").wrong("entry %d is no name on the internet", i+1)
		}
	}
	if x.get("cache").required("a folder") {
		a.Cache, _ = x.get("cache").name()
	}
	a.Email, _ = x.get("email").matching(regexp.MustCompile(`^[^\s@]+@[^\s@]+$`), "an address of mail")
	if d, ok := x.get("directory").text(); ok {
		if u, err := url.Parse(d); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			x.get("directory").wrong("want a URL with https://")
		}
		a.Directory = d
	}
	if ca := x.get("ca"); ca.given() {
		name, content, ok := ca.file(maxPEM)
		if a.CA = name; ok {
			ca.pool(content)
		}
	}
	return a
}

// address returns an address to listen on.
func (x node) address() (string, bool) {
	const want = "want host:port, :port or unix:/path"
	s, ok := x.text()
	if !ok {
		return "", false
	}
	if path, unix := strings.CutPrefix(s, "unix:"); unix {
		if !filepath.IsAbs(path) || len(path) > 100 {
			x.wrong("want unix: with an absolute path of at most 100 bytes")
			return "", false
		}
		return s, true
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil || !portNumber.MatchString(port) || strings.ContainsAny(host, "/@ ") {
		x.wrong(want)
		return "", false
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		x.wrong("want a port of at most 65535")
		return "", false
	}
	return s, true
}

var portNumber = regexp.MustCompile(`^[0-9]{1,5}$`)

// sameAddress reports whether only one process can listen on one of two addresses: whether
// they are equal, or have a port in common and one of them is every address of the machine.
func sameAddress(a, b string) bool {
	if strings.HasPrefix(a, "unix:") || strings.HasPrefix(b, "unix:") {
		return a == b
	}
	hostA, portA, _ := net.SplitHostPort(a)
	hostB, portB, _ := net.SplitHostPort(b)
	every := func(host string) bool {
		ip, err := netip.ParseAddr(host)
		return host == "" || err == nil && ip.IsUnspecified()
	}
	numberA, _ := strconv.Atoi(portA)
	numberB, _ := strconv.Atoi(portB)
	return numberA == numberB && numberA != 0 && (hostA == hostB || every(hostA) || every(hostB))
}

// isLoopback reports whether only this machine reaches an address.
func isLoopback(address string) bool {
	if strings.HasPrefix(address, "unix:") {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	return localHost(host)
}

// localHost reports whether a host is this machine.
func localHost(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

var hostName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*$`)

// hosts returns names of hosts.
func (x node) hosts() []string {
	var all []string
	for _, e := range x.list() {
		s, ok := e.text()
		if !ok {
			continue
		}
		s = strings.ToLower(s)
		if _, err := netip.ParseAddr(s); err != nil && (!hostName.MatchString(s) || len(s) > 253) {
			e.wrong("want the name of a host or an IP address, without a port")
			continue
		}
		if slices.Contains(all, s) {
			e.wrong("the host stands here twice")
			continue
		}
		all = append(all, s)
	}
	if x.given() && len(x.list()) == 0 {
		x.wrong("the list is empty; leave it away to serve every host")
	}
	return all
}

func (l *loader) admin(x node) (a Admin) {
	l.begin(x)
	defer func() { l.c.Restart["admin"] = l.end() }()
	if !x.mapping() {
		return a
	}
	address := x.get("address")
	if !address.required("an address such as 127.0.0.1:9090") {
		return a
	}
	a.Remote = x.get("remote").bool(false)
	var ok bool
	if a.Address, ok = address.address(); ok && !isLoopback(a.Address) && !a.Remote {
		address.wrong("other machines may reach this address; want an address of 127.0.0.1, or admin.remote: true")
	}
	if ok && sameAddress(a.Address, l.c.Listen.Address) {
		address.wrong("it is that of the public listener; want another port")
	}
	return a
}

// publicURL returns a scheme, a host and perhaps a prefix.
func (x node) publicURL() string {
	s, ok := x.text()
	if !ok {
		return ""
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.Opaque != "":
		x.wrong("want a scheme and a host, such as https://hooks.example.com")
		return ""
	case u.User != nil || strings.ContainsAny(s, "?#"):
		x.wrong("want no user, query or fragment in it")
		return ""
	case strings.HasSuffix(u.Path, "/") || u.EscapedPath() != "" && !literalPath.MatchString(u.EscapedPath()):
		x.wrong("want a prefix such as /hooks behind the host, without a slash at its end, or nothing")
		return ""
	}
	return s
}

var literalPath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)

func (l *loader) proxies(x node) []netip.Prefix {
	l.begin(x)
	defer func() { l.c.Restart["trusted_proxies"] = l.end() }()
	var all []netip.Prefix
	for _, e := range x.list() {
		s, ok := e.text()
		if !ok {
			continue
		}
		p, err := netip.ParsePrefix(s)
		if a, aerr := netip.ParseAddr(s); aerr == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		switch {
		case err != nil:
			e.wrong("want an address or a prefix, such as 10.0.0.0/8")
		case p != p.Masked():
			e.wrong("the prefix has bits behind its length; want the first address of it, such as 10.0.0.0/8")
		case p.Bits() == 0:
			e.wrong("the prefix is every address; anybody could then write the address of the sender")
		default:
			all = append(all, p)
		}
	}
	return all
}

var (
	prefixForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	tableForm  = regexp.MustCompile(`^([a-z_][a-z0-9_]{0,47}\.)?[a-z_][a-z0-9_]{0,47}$`)
)

func (l *loader) store(x node) (s Store) {
	l.begin(x)
	defer func() { l.c.Restart["store"] = l.end() }()
	if !x.mapping() {
		s.Memory = true
		return s
	}
	given := 0
	for _, name := range []string{"memory", "sqlite", "redis", "postgres"} {
		if x.get(name).given() {
			given++
		}
	}
	if given != 1 {
		x.wrong("there are %d stores; want one of memory, sqlite, redis and postgres", given)
		return s
	}
	if m := x.get("memory"); m.given() {
		s.Memory = true
		if m.isMapping() && len(m.n.Content) > 0 {
			m.wrong("want {}, with nothing in it")
		}
	}
	if f := x.get("sqlite"); f.given() {
		s.SQLite, _ = f.name()
	}
	if r := x.get("redis"); r.given() {
		var ok bool
		if s.Redis, ok = r.reference(); ok {
			if err := stores.Address(stores.Options{Redis: string(s.Redis.Value())}); err != nil {
				r.wrong("%v", err)
			}
		}
	}
	if p := x.get("postgres"); p.given() {
		var ok bool
		if s.PostgreSQL, ok = p.reference(); ok {
			if err := stores.Address(stores.Options{PostgreSQL: string(s.PostgreSQL.Value())}); err != nil {
				p.wrong("%v", err)
			}
		}
	}
	if p := x.get("prefix"); p.given() {
		if s.Prefix, _ = p.matching(prefixForm, "1 to 64 letters, digits and ._-"); !x.get("redis").given() {
			p.wrong("it is for redis alone")
		}
	}
	if t := x.get("table"); t.given() {
		if s.Table, _ = t.matching(tableForm, "a name of small letters, digits and _, perhaps behind a schema's and a dot"); !x.get("sqlite").given() && !x.get("postgres").given() {
			t.wrong("it is for sqlite and postgres alone")
		}
	}
	return s
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

const nameWords = "1 to 64 letters, digits and ._-, a letter or a digit first"

// label returns a name that is shown.
func (x node) label() (string, bool) {
	s, ok := x.matching(nameForm, nameWords)
	if ok && sender.HasSecretForm(s) {
		x.wrong("it looks like a secret, and is shown in logs; change the secret, and write a name here")
		return "", false
	}
	return s, ok
}

func (l *loader) assertion(x node) (a Assertion) {
	l.begin(x)
	defer func() { l.asserts = l.end() }()
	a.Issuer = l.c.PublicURL
	if !x.mapping() {
		return a
	}
	if s, ok := x.get("issuer").text(); ok {
		if a.Issuer = s; len(s) > 512 {
			x.get("issuer").wrong("want at most 512 bytes")
		}
	}
	a.Publish = x.get("publish").bool(false)
	keys := x.get("keys")
	ids := make(map[string]bool)
	for _, k := range keys.list() {
		if !k.mapping() {
			continue
		}
		id, file := k.get("id"), k.get("file")
		if !id.required("a name, the kid of tokens") || !file.required("a file with a private key") {
			continue
		}
		name, ok1 := id.label()
		_, content, ok2 := file.file(sender.MaxSecret)
		if !ok1 || !ok2 {
			continue
		}
		if ids[name] {
			id.wrong("another key has this id")
			continue
		}
		ids[name] = true
		key, err := assertion.ParseKey(name, content)
		if err != nil {
			file.wrong("the file is no private key that can sign; want PEM of P-256 or Ed25519, not encrypted: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256")
			continue
		}
		a.Keys = append(a.Keys, key)
	}
	if a.Publish && len(keys.list()) == 0 {
		x.wrong("publish is true, and there are no keys to publish")
	}
	return a
}

var recorderKinds = map[string]record.Kinds{"refused": record.Refused, "failed": record.Failed, "handled": record.Handled}

func (l *loader) recorder(x node) *Recorder {
	l.begin(x)
	defer func() { l.c.Restart["recorder"] = l.end() }()
	if !x.mapping() {
		return nil
	}
	r := &Recorder{Kinds: record.Refused}
	if x.get("folder").required("a folder") {
		r.Folder, _ = x.get("folder").name()
	}
	if kinds := x.get("kinds"); kinds.given() {
		r.Kinds = 0
		for _, k := range kinds.list() {
			r.Kinds |= recorderKinds[k.choice("refused", "refused", "failed", "handled")]
		}
		if r.Kinds == 0 {
			kinds.wrong("want refused, failed or handled")
		}
	}
	return r
}

func (l *loader) telemetry(x node) (t Telemetry) {
	l.begin(x)
	defer func() { l.c.Restart["telemetry"] = l.end() }()
	t.Metrics = l.c.Admin.Address != ""
	if !x.mapping() {
		return t
	}
	metrics := x.get("metrics")
	if t.Metrics = metrics.bool(t.Metrics); metrics.given() && t.Metrics && l.c.Admin.Address == "" {
		metrics.wrong("metrics stand on the admin listener; want admin.address, too")
	}
	if o := x.get("otlp"); o.given() {
		var ok bool
		if t.OTLP, ok = o.reference(); ok {
			u, err := url.Parse(string(t.OTLP.Value()))
			if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.ContainsAny(string(t.OTLP.Value()), "?#") {
				o.wrong("it points to no URL of a collector; want http://host:4318 or https://…, without query and fragment")
			}
		}
	}
	for _, s := range x.get("scopes").list() {
		if name, ok := s.label(); ok {
			t.Scopes = append(t.Scopes, name)
		}
	}
	return t
}

func (l *loader) shutdown(x node) Shutdown {
	l.begin(x)
	defer func() { l.c.Restart["shutdown"] = l.end() }()
	s := Shutdown{Drain: defaultDrain, Grace: defaultGrace}
	if x.mapping() {
		s.Drain = x.get("drain").duration(s.Drain, 0, 10*time.Minute)
		s.Grace = x.get("grace").duration(s.Grace, 0, time.Hour)
	}
	return s
}

func (l *loader) limits(x node) Limits {
	l.begin(x)
	defer func() { l.c.Restart["limits"] = l.end() }()
	m := Limits{
		Header: defaultHeader, ReadHeaderTimeout: defaultReadHeader, IdleTimeout: defaultIdle,
		Connections: defaultConnections, BodyBudget: defaultBudget,
	}
	if x.mapping() {
		m.Header = int(x.get("header").size(defaultHeader, 4<<10, 1<<20))
		m.ReadHeaderTimeout = x.get("read_header_timeout").duration(defaultReadHeader, 100*time.Millisecond, 5*time.Minute)
		m.IdleTimeout = x.get("idle_timeout").duration(defaultIdle, 100*time.Millisecond, time.Hour)
		m.Connections = x.get("connections").number(defaultConnections, 8, 1_000_000)
		m.BodyBudget = x.get("body_budget").size(defaultBudget, 1<<20, 1<<40)
	}
	return m
}

// across checks what several parts say together.
func (l *loader) across(root node) {
	c := l.c
	var most int64
	for i := range c.Routes {
		most = max(most, c.Routes[i].Guard.MaxBody)
	}
	if budget := root.get("limits").get("body_budget"); c.Limits.BodyBudget < 2*most {
		if budget.given() {
			budget.wrong("it is less than twice the largest max_body, %s; want %s at least", sizeText(most), sizeText(2*most))
		} else {
			c.Limits.BodyBudget = 2 * most
		}
	}
	limits := c.Restart["limits"]
	c.Restart["limits"] = sha256.Sum256(fmt.Appendf(limits[:], "%d", c.Limits.BodyBudget))
	if c.Store.Memory {
		l.warn("the store is in memory: a restart forgets which events were handled, and no other instance shares it")
	}
	for i := range c.Routes {
		if e := c.Routes[i].NextExpiry; !e.IsZero() && (c.NextExpiry.IsZero() || e.Before(c.NextExpiry)) {
			c.NextExpiry = e
		}
	}
}
