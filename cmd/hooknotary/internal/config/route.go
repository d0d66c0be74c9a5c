package config

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/middleware/forward"
	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/providers/scheme/schemejson"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	maxRoutes = 10_000

	defaultInFlight    = 512
	defaultTimeout     = 30 * time.Second
	defaultIdleTimeout = time.Second // of a connection to the receiver

	keysPath = "/.well-known/jwks.json"

	// What a guard has where an option is absent.
	guardBodyTimeout = 10 * time.Second
	guardLease       = 30 * time.Second
	guardMaxRun      = 15 * time.Minute
	guardRetention   = 7 * 24 * time.Hour
	untimedNeed      = 3 * 24 * time.Hour
)

// routes reads the routes.
func (l *loader) routes(x node) {
	if !x.required("a list of routes") {
		return
	}
	entries := x.list()
	switch {
	case x.n.Kind == yaml.SequenceNode && len(entries) == 0:
		x.wrong("the list is empty; want one route at least")
	case len(entries) > maxRoutes:
		x.wrong("there are more than %d routes", maxRoutes)
		return
	}
	names := make(map[string]int)
	var paths []pathOf
	for i, e := range entries {
		if e.n.Kind != yaml.MappingNode {
			e.wrong("want a mapping, {name: value}%s", e.emptiness())
			continue
		}
		e.mapping()
		r := &routeReader{loader: l, x: e}
		r.read()
		if r.out.Name != "" {
			if before, ok := names[r.out.Name]; ok {
				e.get("name").wrong("routes[%d] has this name, too", before)
			}
			names[r.out.Name] = i
		}
		if r.segments != nil {
			paths = append(paths, pathOf{e.get("path"), i, r.segments})
		}
		l.c.Routes = append(l.c.Routes, r.out)
	}
	overlaps(paths)
	if l.c.Assertion.Publish {
		for _, p := range paths {
			if overlap(p.segments, strings.Split(keysPath[1:], "/")) {
				p.at.wrong("it takes %s, where assertion.publish has the public keys", keysPath)
			}
		}
	}
}

// pathOf is the path of a route.
type pathOf struct {
	at       node
	route    int
	segments []string
}

// overlaps notes paths that take a request each.
func overlaps(paths []pathOf) {
	byLength := make(map[int][]pathOf)
	for _, p := range paths {
		for _, q := range byLength[len(p.segments)] {
			if overlap(p.segments, q.segments) {
				p.at.wrong("routes[%d].path takes some of the same requests", q.route)
				break
			}
		}
		byLength[len(p.segments)] = append(byLength[len(p.segments)], p)
	}
}

// overlap reports whether there is a path that both take.
func overlap(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		wild, text := a[i], b[i]
		if !isWildcard(wild) {
			wild, text = text, wild
		}
		switch {
		case !isWildcard(wild) && wild != text, isWildcard(wild) && !isWildcard(text) && !nameForm.MatchString(text):
			return false
		}
	}
	return true
}

func isWildcard(segment string) bool { return strings.HasPrefix(segment, "{") }

// routeReader reads one route.
type routeReader struct {
	*loader
	x        node
	out      Route
	sender   *sender.Sender
	settings sender.Settings
	segments []string
	public   string // public_url
	unsound  bool   // the settings have mistakes, which a verifier would only repeat
}

func (r *routeReader) read() {
	x := r.x
	r.begin(x)
	r.out.Line = x.n.Line
	if x.get("name").required("a name") {
		r.out.Name, _ = x.get("name").label()
	}
	if x.get("path").required("a path such as /hooks/stripe") {
		r.path(x.get("path"))
	}
	r.out.Hosts = x.get("hosts").hosts()
	if r.public = r.c.PublicURL; x.get("public_url").given() {
		r.public = x.get("public_url").publicURL()
	}
	r.findSender()
	r.guard()
	if r.sender != nil {
		before := len(r.mistakes)
		r.chosen()
		r.unsound = len(r.mistakes) > before
	}
	r.keys()
	r.upstream(x.get("upstream"))
	r.forward(x.get("forward"))
	r.answer()
	r.assert(x.get("assert"))
	r.resign(x.get("resign"))
	r.try()
	if r.sender != nil {
		r.remarks()
	}
	// What stands elsewhere and changes this route.
	r.note("public_url", []byte(r.public))
	if len(r.out.Hosts) == 0 {
		r.note("hosts", []byte(strings.Join(r.c.Listen.Hosts, " ")))
	}
	if x.get("assert").given() {
		r.note("assertion", r.asserts[:])
		r.note("issuer", []byte(r.c.Assertion.Issuer))
	}
	for _, k := range r.out.Keys {
		r.note("over", fmt.Append(nil, k.Over))
	}
	r.out.Digest = r.end()
}

var (
	literalSegment  = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)
	wildcardSegment = regexp.MustCompile(`^\{[A-Za-z_][A-Za-z0-9_]*\}$`)
)

// path reads the path.
func (r *routeReader) path(x node) {
	s, ok := x.text()
	if !ok {
		return
	}
	rest, ok := strings.CutPrefix(s, "/")
	if !ok || len(s) > 1024 {
		x.wrong("want a path that begins with a slash, of at most 1024 bytes")
		return
	}
	segments := strings.Split(rest, "/")
	seen := make(map[string]bool)
	for i, segment := range segments {
		switch {
		case wildcardSegment.MatchString(segment):
			if seen[segment] {
				x.wrong("segment %d has the name of another one", i+1)
				return
			}
			seen[segment] = true
		case segment == "" && len(segments) == 1: // "/"
		case segment == "" && i == len(segments)-1:
			x.wrong("it ends with a slash, so that a request without it finds nothing; leave the slash away")
			return
		case segment == "." || segment == ".." || !literalSegment.MatchString(segment):
			x.wrong("segment %d is neither letters, digits and ._~- nor one {name}", i+1)
			return
		}
	}
	r.out.Path, r.segments = s, segments
}

// wildcards returns the names in the path.
func (r *routeReader) wildcards() []string {
	var names []string
	for _, s := range r.segments {
		if isWildcard(s) {
			names = append(names, s[1:len(s)-1])
		}
	}
	return names
}

// findSender reads provider or definition.
func (r *routeReader) findSender() {
	p, d := r.x.get("provider"), r.x.get("definition")
	switch {
	case p.given() == d.given():
		p.wrong("want either provider or definition")
	case p.given():
		name, ok := p.text()
		if !ok {
			return
		}
		s, err := sender.Find(name)
		if err != nil {
			p.wrong("%v", err)
			return
		}
		r.sender = s
	default:
		_, content, ok := d.file(schemejson.MaxSize)
		if !ok {
			return
		}
		def, err := schemejson.Unmarshal(content)
		if err == nil {
			r.sender, err = sender.FromDefinition(def)
		}
		if err != nil {
			// The error quotes the file, and that might be one of a secret.
			d.wrong("the file is no definition; hooknotary explain --definition FILE says why")
		}
	}
	if r.sender != nil {
		r.out.Provider = r.sender.Name
	}
}

// title returns the sender's name for people. A definition's own is anything.
func (r *routeReader) title() string {
	if r.x.get("definition").given() {
		return "the sender"
	}
	return r.sender.About.Title
}

// setting is a field that only some senders know.
type setting struct {
	name string
	read func(o *sender.Settings, x node)
}

var settings = []setting{
	{"tolerance", nil}, // see narrow
	{"max_age", nil},
	{"form", func(o *sender.Settings, x node) { o.Form = x.bool(false) }},
	{"json_body", func(o *sender.Settings, x node) { o.JSONBody = x.bool(false) }},
	{"any_query", func(o *sender.Settings, x node) { o.AnyQuery = x.bool(false) }},
	{"sha256", func(o *sender.Settings, x node) { o.SHA256 = x.bool(false) }},
	{"sha512", func(o *sender.Settings, x node) { o.SHA512 = x.bool(false) }},
	{"body_alone", func(o *sender.Settings, x node) { o.BodyAlone = x.bool(false) }},
	{"query_alone", func(o *sender.Settings, x node) { o.QueryAlone = x.bool(false) }},
	{"main_account", func(o *sender.Settings, x node) { o.MainAccount = x.bool(false) }},
	{"sandbox", func(o *sender.Settings, x node) { o.Sandbox = x.bool(false) }},
	{"public_key", func(o *sender.Settings, x node) { o.PublicKey, _ = x.text() }},
	{"media_type", func(o *sender.Settings, x node) { o.MediaType = x.choice("", "text/plain", "application/json") }},
	{"cert_file", func(o *sender.Settings, x node) { o.CertFile, _ = x.name() }},
	{"insecure_allow_sha1", func(o *sender.Settings, x node) { o.InsecureAllowSHA1 = x.bool(false) }},
	{"insecure_sha1", func(o *sender.Settings, x node) { o.InsecureSHA1 = x.bool(false) }},
	{"insecure_allow_short_secret", func(o *sender.Settings, x node) { o.InsecureAllowShortSecret = x.bool(false) }},
	{"insecure_body_not_covered", func(o *sender.Settings, x node) { o.InsecureBodyNotCovered = x.bool(false) }},
	{"insecure_distinct_by_delivery_id", func(o *sender.Settings, x node) { o.InsecureDistinctByDeliveryID = x.bool(false) }},
	{"insecure_accept_simulator", func(o *sender.Settings, x node) { o.InsecureAcceptSimulator = x.bool(false) }},
	{"verify_token", func(o *sender.Settings, x node) {
		s, _ := x.reference()
		o.VerifyToken = string(s.Value())
	}},
	{"claims", func(o *sender.Settings, x node) {
		o.Claims = make(map[string]string)
		for _, p := range x.pairs() {
			o.Claims[p.name], _ = p.value.text()
		}
	}},
}

// knows reports whether the sender knows a field.
func (r *routeReader) knows(field string) bool {
	return slices.Contains(r.sender.Words, strings.ReplaceAll(field, "_", "-"))
}

// chosen reads what the endpoint may choose of its sender.
func (r *routeReader) chosen() {
	r.settings.Transport, r.settings.Roots = r.env.Transport, r.env.Roots
	for _, s := range settings {
		switch x := r.x.get(s.name); {
		case !x.given():
		case !r.knows(s.name):
			x.wrong("it is not for %s", r.title())
		case s.read == nil:
			r.narrow(s.name, x)
		default:
			s.read(&r.settings, x)
			if strings.HasPrefix(s.name, "insecure_") && x.n.Value == "true" {
				r.out.Insecure = append(r.out.Insecure, s.name)
			}
		}
	}
	if r.sender.OnlySHA1 && !r.settings.InsecureSHA1 {
		r.x.get("insecure_sha1").wrong("it is missing: %s signs with SHA-1 and nothing else; if you know that, say insecure_sha1: true", r.title())
	}
	if r.sender.Profile.Binding == verify.BindingNone && !r.settings.InsecureBodyNotCovered {
		r.x.get("insecure_body_not_covered").wrong("it is missing: what %s sends does not cover the body, so whoever sees one delivery can send any other; if you know that, say insecure_body_not_covered: true", r.title())
	}
	r.url(r.x.get("url"))
}

// narrow reads how far the signed time may lie from now, which is no further than the sender
// asks for.
func (r *routeReader) narrow(name string, x node) {
	w := r.sender.Profile.Window
	if name == "max_age" {
		r.settings.MaxAge = x.duration(0, time.Second, w.Past)
		return
	}
	r.settings.Tolerance = x.duration(0, time.Second, min(w.Past, w.Future))
}

// url reads the URL of the endpoint, for senders that sign it.
func (r *routeReader) url(x node) {
	switch {
	case !r.knows("url"):
		if x.given() {
			x.wrong("it is not for %s, which does not sign the URL", r.title())
		}
		return
	case x.given():
		s, ok := x.text()
		if !ok {
			return
		}
		if u, err := url.Parse(s); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.Fragment != "" {
			x.wrong("want a URL such as https://hooks.example.com/hooks/twilio, without user and fragment")
			return
		}
		r.settings.URL = s
	case !r.sender.SignsURL && r.settings.VerifyToken == "":
	case r.public == "":
		x.wrong("it is missing: %s signs the URL of the endpoint; want url, or public_url", r.title())
	case len(r.wildcards()) > 0:
		x.wrong("it is missing: %s signs the URL, which is another one for each {name} of the path; want a route for each", r.title())
	default:
		r.settings.URL = r.public + r.out.Path
	}
	if r.settings.URL != "" && len(r.wildcards()) > 0 && r.sender.SignsURL {
		x.wrong("%s signs one URL, and the path has a {name}; want a route for each", r.title())
	}
}

// identifiers are the fields of senders that an identifier configures, by what it is.
var identifiers = map[string]string{"webhook id": "webhook_id", "bundle id": "bundle_id", "topic ARN": "topic_arn"}

// keys reads the secrets, and makes the verifier.
func (r *routeReader) keys() {
	x := r.x
	for what, field := range identifiers {
		if f := x.get(field); f.given() && r.sender != nil && r.sender.About.Identifier != what {
			f.wrong("it is not for %s", r.title())
		}
	}
	secret, secrets, tenants := x.get("secret"), x.get("secrets"), x.get("tenants")
	if r.sender != nil && !r.sender.KeySourced() {
		field := x.get(identifiers[r.sender.About.Identifier])
		for _, f := range []node{secret, secrets, tenants} {
			if f.given() {
				f.wrong("%s has no secret; want its %s", r.title(), r.sender.About.Identifier)
			}
		}
		if field.required("the " + r.sender.About.Identifier) {
			r.identified(field)
		}
		return
	}
	if slices.Contains(r.wildcards(), "tenant") && !tenants.given() {
		x.get("path").wrong("it has {tenant}, and the route has no tenants; give the segment another name, or say tenants")
	}
	given := 0
	for _, f := range []node{secret, secrets, tenants} {
		if f.given() {
			given++
		}
	}
	switch {
	case given == 0 && r.sender == nil:
	case given == 0:
		x.wrong("there is no secret; want secret, secrets or tenants")
	case given > 1:
		x.wrong("there are %d of secret, secrets and tenants; want either secret, secrets or tenants", given)
	case secret.given():
		if s, ok := secret.reference(); ok {
			r.listed([]labelled{{secret, Key{Scope: sender.Scope, Label: "default", From: s.From()}, s}})
		}
	case secrets.given():
		r.several(secrets)
	default:
		r.tenants(tenants)
	}
}

// identified makes the verifier of a sender that an identifier configures.
func (r *routeReader) identified(x node) {
	entries := []node{x}
	if x.n.Kind == yaml.SequenceNode && x.schema == "routes[].topic_arn" {
		if entries = x.list(); len(entries) == 0 {
			x.wrong("the list is empty")
		}
	}
	var ids []string
	for _, e := range entries {
		s, ok := e.either()
		if !ok {
			return
		}
		ids = append(ids, string(s.Value()))
		r.out.Keys = append(r.out.Keys, Key{Label: r.sender.About.Identifier, From: s.From()})
	}
	if r.unsound {
		return
	}
	v, err := r.sender.Identified(&r.settings, ids...)
	if err != nil {
		x.wrong("%s", r.discreet(err, ids...))
		return
	}
	r.out.Verifier = v
}

// labelled is a secret of the file.
type labelled struct {
	at     node
	key    Key
	secret Secret
}

// several reads secrets.
func (r *routeReader) several(x node) {
	entries := x.list()
	if x.n.Kind != yaml.SequenceNode {
		return
	}
	if len(entries) == 0 || len(entries) > verify.MaxKeys {
		x.wrong("there are %d secrets; want 1 to %d", len(entries), verify.MaxKeys)
		return
	}
	var all []labelled
	labels := make(map[string]bool)
	whole := true
	for _, e := range entries {
		if !e.mapping() {
			if e.n.Kind == yaml.ScalarNode {
				e.wrong("an entry is {label: NAME, from: REFERENCE}")
			}
			whole = false
			continue
		}
		label, from := e.get("label"), e.get("from")
		if !label.required("what logs call the secret") || !from.required("where the secret is") {
			whole = false
			continue
		}
		name, ok1 := label.label()
		s, ok2 := from.reference()
		end := e.get("not_after").time()
		switch {
		case !ok1 || !ok2 || e.get("not_after").given() && end.IsZero():
			whole = false
			continue
		case labels[name]:
			label.wrong("another secret has this label")
			whole = false
		}
		labels[name] = true
		k := Key{Scope: sender.Scope, Label: name, From: s.From(), NotAfter: end}
		k.Over = !end.IsZero() && !r.now.Before(end)
		all = append(all, labelled{from, k, s})
	}
	if whole {
		r.listed(all)
	}
}

// listed makes the verifier of secrets.
func (r *routeReader) listed(all []labelled) {
	if r.sender == nil {
		return
	}
	var live []labelled
	for _, s := range all {
		r.out.Keys = append(r.out.Keys, s.key)
		if !r.sender.SignsURL { // else a delivery says for which route it is
			r.sameSecret(r.sender.Material(string(s.secret.Value())), r.out.Provider, r.out.Name)
		}
		if s.key.Over {
			continue
		}
		live = append(live, s)
		if e := s.key.NotAfter; !e.IsZero() && (r.out.NextExpiry.IsZero() || e.Before(r.out.NextExpiry)) {
			r.out.NextExpiry = e
		}
	}
	if len(live) == 0 {
		r.warn("route %s: every secret is over (not_after); each delivery is refused", r.out.Name)
		r.make(r.x, verify.KeyFunc(func(context.Context, *verify.Head) ([]verify.Key, error) { return nil, nil }))
		return
	}
	if r.unsound {
		return
	}
	v, err := r.list(live, false)
	if err == nil {
		r.out.Verifier = v
		return
	}
	if _, again := r.sender.VerifierOf(&r.settings, r.sender.Probe(&r.settings)); again != nil && again.Error() == err.Error() {
		r.x.wrong("%s", r.refusal(live, err)) // it is about the settings, whatever the secret
		return
	}
	// Each alone, so that a mistake names the one.
	named := false
	for _, s := range live {
		if _, err := r.list([]labelled{s}, false); err != nil {
			named = true
			s.at.wrong("%s", r.refusal([]labelled{s}, err))
		}
	}
	if !named {
		r.x.wrong("%s", r.refusal(live, err))
	}
}

// list makes a verifier of secrets. With numbers, it calls them by these and not by their
// labels.
func (r *routeReader) list(secrets []labelled, numbers bool) (verify.Verifier, error) {
	var keys verify.KeyList
	for i, s := range secrets {
		label := s.key.Label
		if numbers {
			label = fmt.Sprintf("secret %d", i+1)
		}
		k, err := r.sender.Key(s.key.Scope, label, string(s.secret.Value()))
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return r.sender.Verifier(&r.settings, keys)
}

// refusal says why there is no verifier. The library calls secrets by their labels, which are
// values of the file, so it is asked once more with others.
func (r *routeReader) refusal(secrets []labelled, err error) string {
	if !r.settings.InsecureBodyNotCovered && r.knows("insecure_body_not_covered") {
		know := *r
		know.settings.InsecureBodyNotCovered = true
		if _, again := know.list(secrets, true); again == nil {
			return fmt.Sprintf("what %s signs does not cover all of the body; if you know that, say insecure_body_not_covered: true", r.title())
		}
	}
	if _, again := r.list(secrets, true); again != nil {
		err = again
	}
	var texts []string
	for _, s := range secrets {
		texts = append(texts, string(s.secret.Value()))
		if s.key.Label != "default" {
			texts = append(texts, s.key.Label)
		}
	}
	return r.discreet(err, texts...)
}

// make makes the verifier of a source of keys.
func (r *routeReader) make(at node, keys verify.KeySource) {
	if r.unsound {
		return
	}
	v, err := r.sender.Verifier(&r.settings, keys)
	if err != nil {
		at.wrong("%s", r.discreet(err))
		return
	}
	r.out.Verifier = v
}

// keyName is what the library calls a key: its scope, which may be a word of the route, and
// the label that it has in mistakes.
var keyName = regexp.MustCompile(`verify\.Key\([^()/]*/([^()]*)\)|verify: key [^/ ]*/([^:]*)`)

// discreet returns the text of the library's error. It gives other words where the text holds
// one of those texts or a value of the route, which no error of the library should.
func (r *routeReader) discreet(err error, texts ...string) string {
	text := keyName.ReplaceAllString(err.Error(), "$1$2")
	lower := strings.ToLower(text) // the library writes names of headers in a form of its own
	for _, s := range append(texts, values(r.x.n)...) {
		if len(s) >= 4 && s != r.out.Provider && strings.Contains(lower, strings.ToLower(s)) {
			return "the library refuses this; hooknotary verify with the same provider and secret says why"
		}
	}
	for _, o := range []struct{ option, field string }{
		{"InsecureAllowShortSecret", "insecure_allow_short_secret"}, {"Options.URL", "url"}, {"option VerifyToken", "verify_token"},
		{"Options.Claims", "claims"}, {"option Claims", "claims"},
	} {
		text = strings.ReplaceAll(text, o.option, o.field)
	}
	return text
}

// values returns the scalars of a subtree.
func values(n *yaml.Node) []string {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	var all []string
	for i, c := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 1 {
			all = append(all, values(c)...)
		}
	}
	return all
}

// guard reads the guard's options.
func (r *routeReader) guard() {
	x, g := r.x, &r.out.Guard
	profile := verify.Profile{MaxBody: 1 << 20}
	if r.sender != nil {
		profile = r.sender.Profile
	}
	need := untimedNeed
	if w := profile.Window; w != (verify.Window{}) {
		need = w.Past + w.Future + time.Minute
	}
	g.MaxBody = x.get("max_body").size(profile.MaxBody, 1, 1<<30)
	g.BodyTimeout = x.get("body_timeout").duration(guardBodyTimeout, 100*time.Millisecond, 10*time.Minute)
	retention := profile.Retention
	if retention == 0 {
		retention = max(guardRetention, need)
	}
	g.Retention = x.get("retention").duration(retention, need, 10*365*24*time.Hour)
	g.Lease = x.get("lease").duration(guardLease, time.Second, min(time.Hour, g.Retention))
	g.MaxRun = x.get("max_run").duration(guardMaxRun, time.Second, 24*time.Hour)
	g.Detach = x.get("detach").bool(false)
	switch x.get("duplicates").choice("by_provider", "by_provider", "acknowledge", "refuse") {
	case "acknowledge":
		g.Duplicates = middleware.AcknowledgeDuplicates
	case "refuse":
		g.Duplicates = middleware.RefuseDuplicates
	}
	g.InsecureReportOnly = x.get("report_only").bool(false)
	g.InsecureFailOpen = x.get("insecure_fail_open").bool(false)
	if u, err := url.Parse(r.public); err == nil && r.public != "" {
		g.PublicURL = u.Scheme + "://" + u.Host
	}
	r.out.InFlight = x.get("in_flight").number(defaultInFlight, 1, 100_000)
}

// upstream reads where the receiver is.
func (r *routeReader) upstream(x node) {
	u := &r.out.Upstream
	u.Timeout, u.Idle = defaultTimeout, defaultIdleTimeout
	if !x.required("{url: …}") || !x.mapping() {
		return
	}
	secure := false
	if x.get("url").required("a URL such as http://127.0.0.1:5678/webhook/stripe") {
		u.URL, secure = r.upstreamURL(x.get("url"))
	}
	u.TLS = r.upstreamTLS(x, secure)

	timeout, most := x.get("timeout"), r.out.Guard.MaxRun
	if r.out.Guard.Detach {
		if u.Timeout = timeout.duration(most, time.Millisecond, 24*time.Hour); u.Timeout < most {
			timeout.wrong("the route is detached, so a delivery runs up to max_run, %s; want no shorter time, or a shorter max_run", span(most))
		}
	} else if u.Timeout = timeout.duration(min(defaultTimeout, most), time.Millisecond, 24*time.Hour); u.Timeout > most {
		timeout.wrong("it is longer than max_run, %s, which ends the delivery", span(most))
	}
	u.Idle = x.get("idle").duration(defaultIdleTimeout, time.Millisecond, time.Hour)

	for _, p := range x.get("headers").pairs() {
		s, ok := p.value.reference()
		switch {
		case !headerName.MatchString(p.name):
			p.value.wrong("the name is none that a header has")
		case framing(p.name) || ours(p.name) || r.resigns(p.name):
			p.value.wrong("the gateway sets this header itself")
		case !ok:
		case strings.ContainsFunc(string(s.Value()), func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }):
			p.value.wrong("its value has control characters; is there a line end in it?")
		case r.signs(p.name):
			p.value.wrong("the sender signs in this header; want another one")
		case has(u.Header, p.name):
			p.value.wrong("the header stands here twice, perhaps in two spellings")
		default:
			if u.Header == nil {
				u.Header = make(http.Header)
			}
			u.Header.Set(p.name, string(s.Value()))
		}
	}
}

const wantUpstream = "want http://host:port/path, https://host/path or unix:/socket:/path"

// upstreamURL reads the URL, and says whether it is https.
func (r *routeReader) upstreamURL(x node) (text string, secure bool) {
	s, ok := x.text()
	if !ok {
		return "", false
	}
	plain := s
	if socket, ok := strings.CutPrefix(s, "unix:"); ok {
		file, path, _ := strings.Cut(socket, ":")
		if !strings.HasPrefix(file, "/") || len(file) > 100 {
			x.wrong(wantUpstream)
			return "", false
		}
		plain = "http://localhost" + path
	}
	if strings.ContainsAny(plain, "?#") {
		x.wrong("want no query and no fragment in it")
		return "", false
	}
	// A {name} is one whole segment.
	_, afterScheme, _ := strings.Cut(plain, "://")
	segments := strings.Split(afterScheme, "/")
	wild := 0
	for i, segment := range segments {
		if !strings.ContainsAny(segment, "{}") {
			continue
		}
		wild++
		switch {
		case i == 0 || !wildcardSegment.MatchString(segment) || wild > 1:
			x.wrong("want one {name} at most, as a whole segment of the path")
			return "", false
		case r.segments != nil && !slices.Contains(r.segments, segment):
			x.wrong("it has a {name} that the route's path has not")
			return "", false
		}
		segments[i] = "x"
	}
	scheme, _, _ := strings.Cut(plain, "://")
	plain = scheme + "://" + strings.Join(segments, "/")
	u, err := url.Parse(plain)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
		x.wrong(wantUpstream)
		return "", false
	case u.User != nil:
		x.wrong("want no user in it; the receiver's own token belongs into upstream.headers")
		return "", false
	case strings.ContainsFunc(plain, func(c rune) bool { return c <= ' ' || c > '~' }):
		x.wrong("want ASCII; write other characters of the path as %%XX, and of the host as xn--…")
		return "", false
	}
	for _, segment := range strings.Split(u.Path, "/") {
		if segment == "." || segment == ".." {
			x.wrong("want no segment . or .. in it")
			return "", false
		}
	}
	if u.Scheme == "http" && !strings.HasPrefix(s, "unix:") && public(u.Hostname()) {
		r.warn("route %s: the upstream is http, at an address that is neither this machine nor a private one: others on the way read and change what is sent", r.out.Name)
	}
	return s, u.Scheme == "https"
}

// public reports whether a host may be anywhere. A name without a dot is one of the local
// network, as Compose and Kubernetes have them.
func public(host string) bool {
	if localHost(host) {
		return false
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return !a.Unmap().IsPrivate() && !a.IsLinkLocalUnicast()
	}
	for _, suffix := range []string{".internal", ".local", ".localhost", ".lan", ".svc"} {
		if strings.HasSuffix(host, suffix) {
			return false
		}
	}
	return strings.Contains(host, ".")
}

// upstreamTLS reads ca, cert and key.
func (r *routeReader) upstreamTLS(x node, secure bool) *tls.Config {
	ca, cert, key := x.get("ca"), x.get("cert"), x.get("key")
	if !ca.given() && !cert.given() && !key.given() {
		return nil
	}
	if !secure && x.get("url").given() {
		x.wrong("ca, cert and key are for an upstream with https://")
		return nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca.given() {
		if _, content, ok := ca.file(maxPEM); ok {
			c.RootCAs = ca.pool(content)
		}
	}
	if _, _, pair := x.pair(cert, key); pair.Certificate != nil {
		c.Certificates = []tls.Certificate{pair}
	}
	return c
}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$")

// fold makes the spellings of a header's name one, as CGI and its like do.
func fold(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// has reports whether there is a header of a name, in any spelling.
func has(h http.Header, name string) bool {
	for other := range h {
		if fold(other) == fold(name) {
			return true
		}
	}
	return false
}

// signs reports whether the sender signs in a header, and the receiver gets it as it came.
func (r *routeReader) signs(name string) bool {
	return r.sender != nil && !framing(name) && !believed(name) && !r.resigns(name) && slices.ContainsFunc(r.sender.About.Headers, func(u verify.HeaderUse) bool {
		return !u.Secret && fold(u.Name) == fold(name)
	})
}

// resigns reports whether a header is one in which the gateway signs.
func (r *routeReader) resigns(name string) bool {
	return r.x.get("resign").given() && slices.Contains([]string{"webhook-id", "webhook-timestamp", "webhook-signature"}, fold(name))
}

// framing reports whether a header belongs to the connection, or to the message's form.
func framing(name string) bool {
	switch fold(name) {
	case "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "keep-alive", "proxy-connection",
		"upgrade", "http2-settings", "te", "trailer", "expect", "accept-encoding",
		"idempotency-key", "x-idempotency-key":
		return true
	}
	return false
}

// ours reports whether a header is one of those that say who verified what.
func ours(name string) bool { return strings.HasPrefix(fold(name), "hooknotary") }

// believed reports whether receivers believe a header.
func believed(name string) bool {
	n := fold(name)
	switch n {
	case "authorization", "proxy-authorization", "cookie", "forwarded", "via", "x-real-ip", "true-client-ip", "cf-connecting-ip",
		"traceparent", "tracestate", "baggage", "x-http-method-override", "x-original-url", "x-rewrite-url":
		return true
	}
	return strings.HasPrefix(n, "x-forwarded")
}

// forward reads what else reaches the receiver.
func (r *routeReader) forward(x node) {
	if !x.mapping() {
		return
	}
	f := &r.out.Forward
	f.Query = x.get("query").bool(false)
	f.ClientAddress = x.get("client_address").bool(false)
	for _, e := range x.get("headers").list() {
		name, ok := e.text()
		if !ok {
			continue
		}
		secret := r.sender != nil && slices.ContainsFunc(r.sender.About.Headers, func(u verify.HeaderUse) bool {
			return u.Secret && fold(u.Name) == fold(name)
		})
		same := func(other string) bool { return fold(other) == fold(name) }
		switch {
		case !headerName.MatchString(name):
			e.wrong("the name is none that a header has")
		case secret:
			e.wrong("the header holds a credential of the sender, with which the receiver could make deliveries")
		case framing(name) || ours(name) || believed(name):
			e.wrong("the header is never forwarded: a receiver may believe it, and anyone can write it")
		case r.resigns(name):
			e.wrong("the gateway signs in this header, because of resign")
		case slices.ContainsFunc(f.Headers, same):
			e.wrong("the header stands here twice, perhaps in two spellings")
		case has(r.out.Upstream.Header, name):
			e.wrong("upstream.headers sets this header, and the sender must not")
		default:
			f.Headers = append(f.Headers, http.CanonicalHeaderKey(name))
		}
	}
}

// answer reads what the sender gets.
func (r *routeReader) answer() {
	for _, e := range r.x.get("success").list() {
		if status := e.number(0, 300, 599); status != 0 {
			r.out.Forward.Success = append(r.out.Forward.Success, status)
		}
	}
	r.out.Forward.AnswerBody = r.x.get("answer").choice("status", "status", "body") == "body"
}

var asForm = regexp.MustCompile("^([A-Za-z0-9!#$%&'*+.^_`|~-]{1,128})(: ?([!-~]{1,64}))?$")

// assert reads which assertion the receiver gets.
func (r *routeReader) assert(x node) {
	if !x.mapping() {
		return
	}
	a := &Assert{Header: assertion.Header}
	if as := x.get("as"); as.given() {
		s, ok := as.matching(asForm, `the name of a header, or "Authorization: Bearer"`)
		if ok {
			m := asForm.FindStringSubmatch(s)
			a.Header = http.CanonicalHeaderKey(m[1])
			if m[3] != "" {
				a.Prefix = m[3] + " "
			}
			switch {
			case framing(a.Header) || r.resigns(a.Header) || ours(a.Header) && a.Header != assertion.Header || believed(a.Header) && a.Header != "Authorization":
				as.wrong("the gateway, or the receiver, has another use for this header")
			case has(r.out.Upstream.Header, a.Header):
				as.wrong("upstream.headers sets this header, too")
			case slices.ContainsFunc(r.out.Forward.Headers, func(name string) bool { return fold(name) == fold(a.Header) }):
				as.wrong("forward.headers has this header, and the sender must not set it")
			case r.signs(a.Header):
				as.wrong("the sender signs in this header; want another one")
			}
		}
	}
	if x.get("audience").required("the receiver's name") {
		if a.Audience, _ = x.get("audience").text(); len(a.Audience) > 512 {
			x.get("audience").wrong("want at most 512 bytes")
		}
	}
	if r.c.Assertion.Issuer == "" {
		x.wrong("there is no issuer; want assertion.issuer, or public_url")
	}
	key, ok := r.assertKey(x)
	a.Algorithm, a.KeyID = key.Algorithm(), key.ID()
	if !ok || a.Audience == "" || r.c.Assertion.Issuer == "" {
		return
	}
	var err error
	if a.Signer, err = assertion.NewSigner(key, r.c.Assertion.Issuer, a.Audience, nil); err != nil {
		x.wrong("%s", r.discreet(err, r.c.Assertion.Issuer))
		return
	}
	r.out.Forward.Assert = a
}

// assertKey returns the key that signs assertions.
func (r *routeReader) assertKey(x node) (key assertion.Key, ok bool) {
	algorithm := x.get("algorithm").choice("", "ES256", "EdDSA", "HS256")
	secret, id := x.get("secret"), x.get("key")
	if algorithm == "HS256" || algorithm == "" && secret.given() {
		if id.given() {
			id.wrong("HS256 has a secret, and no key of assertion.keys")
		}
		if !secret.required("a reference to a secret that the receiver has, too") {
			return key, false
		}
		s, found := secret.reference()
		if !found || r.out.Name == "" {
			return key, false
		}
		if len(s.Value()) < 32 {
			secret.wrong("it has less than 32 bytes, which HS256 needs; make one with: openssl rand -hex 32")
			return key, false
		}
		key, err := assertion.NewSecretKey(r.out.Name, s.Value())
		if err != nil {
			secret.wrong("%s", r.discreet(err, string(s.Value())))
			return key, false
		}
		return key, true
	}
	if secret.given() {
		secret.wrong("it is for HS256 alone")
	}
	keys := r.c.Assertion.Keys
	if len(keys) == 0 {
		x.wrong("there is nothing to sign with; want assertion.keys, or algorithm: HS256 and a secret")
		return key, false
	}
	key = keys[0]
	if id.given() {
		name, found := id.text()
		i := slices.IndexFunc(keys, func(k assertion.Key) bool { return k.ID() == name })
		if found && i < 0 {
			id.wrong("no key of assertion.keys has this id")
		}
		if i < 0 {
			return key, false
		}
		key = keys[i]
	}
	if algorithm != "" && key.Algorithm() != algorithm {
		x.get("algorithm").wrong("the key signs %s", key.Algorithm())
		return key, false
	}
	return key, true
}

// resign reads the secret of Standard Webhooks.
func (r *routeReader) resign(x node) {
	if !x.mapping() || !x.get("standard_webhooks").required("a reference to a secret") {
		return
	}
	at := x.get("standard_webhooks")
	s, ok := at.reference()
	if !ok {
		return
	}
	text, prefixed := strings.CutPrefix(string(s.Value()), "whsec_")
	secret, err := base64.StdEncoding.DecodeString(text)
	if !prefixed || err != nil || len(secret) < 24 || len(secret) > 64 {
		at.wrong("it points to no secret of Standard Webhooks; want whsec_ and base64 of 24 to 64 bytes: echo whsec_$(openssl rand -base64 32)")
		return
	}
	r.out.Forward.Resign = NewSecret(s.From(), secret)
}

// ForwardOptions returns what the route says to forward.New. The caller adds what only a
// running gateway has: ClientAddress, where Forward.ClientAddress asks for it, and Observe.
func (r *Route) ForwardOptions() *forward.Options {
	o := &forward.Options{
		Timeout: r.Upstream.Timeout, IdleTimeout: r.Upstream.Idle, TLS: r.Upstream.TLS, Header: r.Upstream.Header,
		SenderHeaders: r.Forward.Headers, Query: r.Forward.Query,
		Success: r.Forward.Success, AnswerBody: r.Forward.AnswerBody, Resign: r.Forward.Resign.Value(),
	}
	if a := r.Forward.Assert; a != nil {
		o.Assertion, o.AssertionHeader, o.AssertionPrefix = a.Signer, a.Header, a.Prefix
	}
	return o
}

// try makes a guard and what stands behind it, so that a configuration that loads is one that
// can serve.
func (r *routeReader) try() {
	if r.out.Verifier == nil || r.out.Name == "" || r.out.Upstream.URL == "" {
		return
	}
	o := r.out.Guard
	o.BodyBudget = max(defaultBudget, 2*o.MaxBody)
	g, err := middleware.New(r.out.Name, r.out.Verifier, r.trial, &o)
	if err != nil {
		r.x.wrong("%s", r.discreet(err))
		return
	}
	f := r.out.ForwardOptions()
	if r.out.Forward.ClientAddress {
		f.ClientAddress = func(*http.Request) string { return "" }
	}
	h, err := forward.New(g, r.out.Upstream.URL, f)
	if err != nil {
		if inner := errors.Unwrap(err); inner != nil { // without the route's name
			err = inner
		}
		r.x.wrong("%s", r.discreet(err))
		return
	}
	h.Close()
}

// answering are the senders that read the body of the response.
var answering = []string{"slack", "discord", "twilio", "plivo", "dropboxsign", "adyen", "msteams", "telegram"}

// remarks notes what deserves a look.
func (r *routeReader) remarks() {
	name, p := r.out.Name, r.sender.Profile
	if r.out.Guard.InsecureReportOnly {
		r.warn("route %s: REPORT ONLY: WHAT IS FORGED, STALE OR REPLAYED REACHES THE UPSTREAM", name)
	}
	if r.out.Guard.InsecureFailOpen {
		r.warn("route %s: insecure_fail_open: while the store fails, replays reach the upstream", name)
	}
	if p.Retry == verify.RetryNever && (r.c.Recorder == nil || r.c.Recorder.Kinds&record.Failed == 0) {
		r.warn("route %s: %s never retries, so a delivery is lost when the upstream fails; let recorder keep failed, to send it again", name, r.title())
	}
	if slices.Contains(answering, r.out.Provider) && !r.out.Forward.AnswerBody {
		r.warn("route %s: %s reads the body of responses, and gets none; say answer: body if the upstream answers it", name, r.title())
	}
	if r.sender.Token != nil {
		r.warn("route %s: %s signs nothing and sends a token: whoever sees one delivery can send any other", name, r.title())
	}
	if r.settings.InsecureAcceptSimulator {
		r.warn("route %s: insecure_accept_simulator: anybody with an account of PayPal can have events signed for it", name)
	}
}

// sameSecret notes which routes hold the same secret.
func (l *loader) sameSecret(secret []byte, provider, route string) {
	sum := sha256.Sum256(append([]byte(provider+"\x00"), secret...))
	if other, ok := l.secrets[sum]; ok && other != route {
		l.warn("routes %s and %s hold the same secret: a delivery for the one verifies at the other", other, route)
		return
	}
	l.secrets[sum] = route
}
