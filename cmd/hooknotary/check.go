package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/server"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/stores"
	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/spf13/cobra"
)

// connectTimeout bounds each connection that check tries.
const connectTimeout = 5 * time.Second

type checkFlags struct {
	file          string
	json, connect bool
}

func (p *program) checkCommand() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check --config FILE [--json] [--connect]",
		Short: "Check the file of a gateway, and show what it means",
		Long: `Check reads the file of a gateway and all that it names, as hooknotary serve does, and
shows each route with its provider, its keys by their labels, its upstream and every bound
in force; how long a shutdown takes; and what deserves a second look.

If anything is wrong it says so, every mistake on a line of its own that begins with
FILE:LINE. No mistake repeats a value of the file, because a secret may stand where a name
belongs.

With --connect it also resolves the name of each upstream, connects to it, and asks the
store. It sends nothing to an upstream, and makes nothing in the store.

Exit codes: 0 if a gateway would serve all of the file; 1 if it would, and with --connect an
upstream or the store does not answer; 2 if something is wrong, also if only a tenant is,
which would be turned off alone. In the source, cmd/hooknotary/guides/reference.md lists the
fields of the file.

With --json it prints one object: file, listen, admin, public_url, store, recorder,
telemetry, assertion, bounds, shutdown, routes, tenants_off, warnings and, with --connect,
connections; or, if something is wrong, mistakes, a list of file, line, field and text.
Durations are in seconds, sizes in bytes.`,
		Example: `  hooknotary check --config /etc/hooknotary/hooknotary.yaml
  hooknotary check --config hooknotary.yaml --connect
  hooknotary check --config hooknotary.yaml --json`,
		DisableFlagsInUseLine: true,
		Args:                  noArguments("; --config names the file"),
		RunE:                  func(cmd *cobra.Command, _ []string) error { return p.check(cmd.Context(), &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.file, "config", "", "the gateway's `FILE`")
	flags.BoolVar(&f.json, "json", false, "print a JSON object")
	flags.BoolVar(&f.connect, "connect", false, "connect to each upstream and to the store")
	return cmd
}

func (p *program) check(ctx context.Context, f *checkFlags) error {
	if f.file == "" {
		return errors.New("--config is missing: name the gateway's file")
	}
	c, err := config.Load(f.file, config.Env{Lookup: p.lookup, Transport: p.transport}, p.now())
	if mistakes, ok := errors.AsType[config.Mistakes](err); ok && f.json {
		if err := p.printJSON(map[string]config.Mistakes{"mistakes": mistakes}); err != nil {
			return err
		}
		return errWrong
	}
	if err != nil {
		return err
	}
	v := view(f.file, c)
	answered := true
	if f.connect {
		v.Connections, answered = p.connect(ctx, c)
	}
	if f.json {
		err = p.printJSON(v)
	} else {
		err = v.write(&p.out)
	}
	switch {
	case err != nil:
		return err
	case len(c.Faulty) > 0:
		return errWrong
	case !answered:
		return errReject
	}
	return nil
}

func (p *program) printJSON(v any) error {
	e := json.NewEncoder(&p.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// gatewayView is what check shows of a configuration. It holds no secret.
type gatewayView struct {
	File           string           `json:"file"`
	Listen         listenView       `json:"listen"`
	Admin          string           `json:"admin"`
	PublicURL      string           `json:"public_url"`
	TrustedProxies []netip.Prefix   `json:"trusted_proxies"`
	Store          string           `json:"store"`
	Recorder       string           `json:"recorder"`
	Telemetry      []string         `json:"telemetry"`
	Assertion      assertionView    `json:"assertion"`
	Bounds         boundsView       `json:"bounds"`
	Shutdown       shutdownView     `json:"shutdown"`
	Routes         []routeView      `json:"routes"`
	TenantsOff     []tenantOffView  `json:"tenants_off"`
	Warnings       []string         `json:"warnings"`
	Connections    []connectionView `json:"connections,omitempty"`
}

type listenView struct {
	Address string   `json:"address"`
	Hosts   []string `json:"hosts"`
	TLS     string   `json:"tls"` // "none", "files" or "acme"
	Clients bool     `json:"client_certificates"`
}

type assertionView struct {
	Issuer  string   `json:"issuer"`
	Keys    []string `json:"keys"` // "id algorithm"
	Publish bool     `json:"publish"`
}

type boundsView struct {
	Header      int     `json:"header_bytes"`
	Fields      int     `json:"header_fields"`
	Line        int     `json:"header_line_bytes"`
	ReadHeader  float64 `json:"read_header_seconds"`
	Idle        float64 `json:"idle_seconds"`
	Connections int     `json:"connections"`
	OneAddress  int     `json:"connections_of_one_address"`
	BodyBudget  int64   `json:"body_budget_bytes"`
}

type shutdownView struct {
	Drain float64 `json:"drain_seconds"`
	Grace float64 `json:"grace_seconds"`
	Sum   float64 `json:"sum_seconds"`
}

type routeView struct {
	Name     string       `json:"name"`
	Line     int          `json:"line"`
	Path     string       `json:"path"`
	Hosts    []string     `json:"hosts"`
	Provider string       `json:"provider"`
	Retries  string       `json:"retries"`
	Keys     []keyView    `json:"keys"`
	Tenants  []tenantView `json:"tenants"`
	Upstream string       `json:"upstream"`
	Headers  []string     `json:"upstream_headers"` // names
	Forward  []string     `json:"forward"`
	Answer   string       `json:"answer"`
	Assert   string       `json:"assert"`
	Resign   string       `json:"resign"`
	Insecure []string     `json:"insecure"`
	Detach   bool         `json:"detach"`

	Bounds routeBounds `json:"bounds"`
}

type keyView struct {
	Label    string `json:"label"`
	From     string `json:"from"`
	NotAfter string `json:"not_after"` // "" is never
	Over     bool   `json:"over"`
}

type tenantView struct {
	Name string   `json:"name"`
	Keys []string `json:"keys"` // labels
	Off  bool     `json:"off"`
}

type tenantOffView struct {
	Tenant string `json:"tenant"` // route/tenant
	Error  string `json:"error"`
}

type routeBounds struct {
	MaxBody         int64   `json:"max_body_bytes"`
	Body            float64 `json:"body_seconds"`
	Past            float64 `json:"signed_time_past_seconds"` // 0 and 0: no time is signed
	Future          float64 `json:"signed_time_future_seconds"`
	Lease           float64 `json:"lease_seconds"`
	MaxRun          float64 `json:"max_run_seconds"`
	Retention       float64 `json:"retention_seconds"`
	InFlight        int     `json:"in_flight"`
	UpstreamTimeout float64 `json:"upstream_timeout_seconds"`
	UpstreamIdle    float64 `json:"upstream_idle_seconds"` // 0: a connection for each request
	Response        int64   `json:"upstream_response_bytes"`
}

type connectionView struct {
	To        string   `json:"to"` // "store", or routes
	Target    string   `json:"target"`
	Addresses []string `json:"addresses"`
	Error     string   `json:"error"` // "" if it answers
}

// view makes what is shown of c.
func view(file string, c *config.Config) *gatewayView {
	v := &gatewayView{
		File: file, Listen: listenView{Address: c.Listen.Address, Hosts: list(c.Listen.Hosts), TLS: "none"},
		Admin: c.Admin.Address, PublicURL: c.PublicURL, TrustedProxies: list(c.TrustedProxies),
		Store: storeWords(&c.Store), Telemetry: []string{},
		Assertion: assertionView{Keys: []string{}, Issuer: c.Assertion.Issuer, Publish: c.Assertion.Publish},
		Bounds: boundsView{
			Header: c.Limits.Header, Fields: server.MaxFields, Line: server.MaxLine, ReadHeader: c.Limits.ReadHeaderTimeout.Seconds(), Idle: c.Limits.IdleTimeout.Seconds(),
			Connections: c.Limits.Connections, OneAddress: c.Limits.Connections / 8, BodyBudget: c.Limits.BodyBudget,
		},
		Shutdown:   shutdownView{c.Shutdown.Drain.Seconds(), c.Shutdown.Grace.Seconds(), (c.Shutdown.Drain + c.Shutdown.Grace).Seconds()},
		Routes:     []routeView{},
		TenantsOff: []tenantOffView{},
		Warnings:   append(listenWarnings(c), c.Warnings...),
	}
	switch {
	case c.Listen.ACME != nil:
		v.Listen.TLS = "acme"
	case c.Listen.TLS != nil:
		v.Listen.TLS = "files"
	}
	v.Listen.Clients = c.Listen.TLS != nil && c.Listen.TLS.ClientCA != ""
	if r := c.Recorder; r != nil {
		var kinds []string
		for _, k := range []struct {
			kind record.Kinds
			name string
		}{{record.Refused, "refused"}, {record.Failed, "failed"}, {record.Handled, "handled"}} {
			if r.Kinds&k.kind != 0 {
				kinds = append(kinds, k.name)
			}
		}
		v.Recorder = strings.Join(kinds, ", ") + " in " + r.Folder
	}
	if c.Telemetry.Metrics {
		v.Telemetry = append(v.Telemetry, "metrics")
	}
	if !c.Telemetry.OTLP.IsZero() {
		v.Telemetry = append(v.Telemetry, "otlp "+c.Telemetry.OTLP.From())
	}
	for _, k := range c.Assertion.Keys {
		v.Assertion.Keys = append(v.Assertion.Keys, k.ID()+" "+k.Algorithm())
	}
	for i := range c.Routes {
		v.Routes = append(v.Routes, viewRoute(&c.Routes[i], c))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Faulty)) {
		v.TenantsOff = append(v.TenantsOff, tenantOffView{name, c.Faulty[name].Error()})
	}
	return v
}

func storeWords(s *config.Store) string {
	switch {
	case s.SQLite != "":
		return "SQLite, " + s.SQLite
	case !s.Redis.IsZero():
		return "Redis, " + s.Redis.From()
	case !s.PostgreSQL.IsZero():
		return "PostgreSQL, " + s.PostgreSQL.From()
	}
	return "memory"
}

// listenWarnings returns what deserves a look about the listeners. The server says the same
// when it starts.
func listenWarnings(c *config.Config) []string {
	warnings := []string{}
	if c.Listen.TLS == nil && c.Listen.ACME == nil && len(c.TrustedProxies) == 0 && !c.Listen.Loopback() {
		warnings = append(warnings, "listen: there is no TLS, and other machines reach the address: anybody on the way reads and changes what is sent; want tls or acme, or trusted_proxies if a proxy in front has TLS")
	}
	if c.Admin.Remote {
		warnings = append(warnings, "admin: other machines may reach the listener for operators; keep it off public networks")
	}
	return warnings
}

func viewRoute(r *config.Route, c *config.Config) routeView {
	p := r.Verifier.Profile()
	v := routeView{
		Name: r.Name, Line: r.Line, Path: r.Path, Hosts: list(r.Hosts), Provider: r.Provider, Retries: retries(p),
		Keys: []keyView{}, Tenants: []tenantView{}, Upstream: r.Upstream.URL, Headers: []string{},
		Forward: list(slices.Clone(r.Forward.Headers)), Answer: "status", Resign: r.Forward.Resign.From(), Insecure: []string{}, Detach: r.Guard.Detach,
		Bounds: routeBounds{
			MaxBody: r.Guard.MaxBody, Body: r.Guard.BodyTimeout.Seconds(), Past: p.Window.Past.Seconds(), Future: p.Window.Future.Seconds(),
			Lease: r.Guard.Lease.Seconds(), MaxRun: r.Guard.MaxRun.Seconds(), Retention: r.Guard.Retention.Seconds(),
			InFlight: r.InFlight, UpstreamTimeout: r.Upstream.Timeout.Seconds(), UpstreamIdle: r.Upstream.Idle.Seconds(),
		},
	}
	if len(v.Hosts) == 0 {
		v.Hosts = list(c.Listen.Hosts)
	}
	if p.Retry == verify.RetryNever {
		v.Bounds.UpstreamIdle = 0
	}
	for _, k := range r.Keys {
		key := keyView{Label: k.Label, From: k.From, Over: k.Over}
		if !k.NotAfter.IsZero() {
			key.NotAfter = rfc3339(k.NotAfter)
		}
		v.Keys = append(v.Keys, key)
	}
	for _, t := range r.Tenants {
		labels := []string{}
		for _, k := range t.Keys {
			labels = append(labels, k.Label)
		}
		v.Tenants = append(v.Tenants, tenantView{t.Name, labels, t.Off})
	}
	for name := range maps.Keys(r.Upstream.Header) {
		v.Headers = append(v.Headers, name)
	}
	slices.Sort(v.Headers)
	if r.Forward.Query {
		v.Forward = append(v.Forward, "query")
	}
	if r.Forward.ClientAddress {
		v.Forward = append(v.Forward, "client address")
	}
	if r.Forward.AnswerBody {
		v.Answer, v.Bounds.Response = "body", 1<<20
	}
	for _, status := range r.Forward.Success {
		v.Answer += fmt.Sprintf(", %d as 200", status)
	}
	if a := r.Forward.Assert; a != nil {
		v.Assert = fmt.Sprintf("%s, key %s, for %s, in %s", a.Algorithm, a.KeyID, a.Audience, a.Header)
		if a.Prefix != "" {
			v.Assert += ": " + strings.TrimSpace(a.Prefix)
		}
	}
	if r.Guard.InsecureReportOnly {
		v.Insecure = append(v.Insecure, "REPORT ONLY")
	}
	if r.Guard.InsecureFailOpen {
		v.Insecure = append(v.Insecure, "insecure_fail_open")
	}
	v.Insecure = append(v.Insecure, r.Insecure...)
	switch r.Guard.Duplicates {
	case middleware.AcknowledgeDuplicates:
		v.Answer += ", a repeat of a finished event 200"
	case middleware.RefuseDuplicates:
		v.Answer += ", a repeat of a finished event 409"
	}
	return v
}

// seconds writes a number of seconds for people.
func seconds(s float64) string {
	if days := s / (24 * 60 * 60); days >= 2 && days == float64(int(days)) {
		return fmt.Sprintf("%d days", int(days))
	}
	return span(time.Duration(s * float64(time.Second)))
}

// list returns s, or an empty list where there is none, which JSON tells from null.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func orElse(s, none string) string {
	if s == "" {
		return none
	}
	return s
}

// write writes v for people.
func (v *gatewayView) write(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(what, format string, args ...any) {
		fmt.Fprintf(out, "%s\t%s\n", what, printable(fmt.Sprintf(format, args...)))
	}
	plural := "s"
	if len(v.Routes) == 1 {
		plural = ""
	}
	fmt.Fprintf(out, "%s: %d route%s\n\n", printable(v.File), len(v.Routes), plural)
	row("listen", "%s, %s", v.Listen.Address, map[string]string{"none": "no TLS", "files": "TLS by files", "acme": "TLS by ACME"}[v.Listen.TLS])
	if v.Listen.Clients {
		row("  clients", "need a certificate")
	}
	if len(v.Listen.Hosts) > 0 {
		row("  hosts", "%s", strings.Join(v.Listen.Hosts, ", "))
	}
	row("admin", "%s", orElse(v.Admin, "none"))
	row("public_url", "%s", orElse(v.PublicURL, "none"))
	if len(v.TrustedProxies) > 0 {
		row("trusted_proxies", "%v", v.TrustedProxies)
	}
	row("store", "%s", v.Store)
	row("recorder", "%s", orElse(v.Recorder, "none"))
	row("telemetry", "%s", orElse(strings.Join(v.Telemetry, ", "), "none"))
	if len(v.Assertion.Keys) > 0 {
		row("assertion", "issuer %s; keys %s; published: %v", v.Assertion.Issuer, strings.Join(v.Assertion.Keys, ", "), v.Assertion.Publish)
	}
	row("head of a request", "%s in %d fields of up to %s, within %s", sizeWords(int64(v.Bounds.Header)), v.Bounds.Fields, sizeWords(int64(v.Bounds.Line)), seconds(v.Bounds.ReadHeader))
	row("idle connections", "%s", seconds(v.Bounds.Idle))
	row("connections", "%d, of one address %d", v.Bounds.Connections, v.Bounds.OneAddress)
	row("bodies in flight", "%s", sizeWords(v.Bounds.BodyBudget))
	row("shutdown", "%s drain + %s grace = %s; the process needs more than that before it is killed", seconds(v.Shutdown.Drain), seconds(v.Shutdown.Grace), seconds(v.Shutdown.Sum))
	if err := out.Flush(); err != nil {
		return err
	}
	for i := range v.Routes {
		if err := v.Routes[i].write(w); err != nil {
			return err
		}
	}
	for _, c := range v.Connections {
		state := "answers"
		if c.Error != "" {
			state = "DOES NOT ANSWER: " + c.Error
		}
		at := ""
		if len(c.Addresses) > 0 {
			at = " at " + strings.Join(c.Addresses, ", ")
		}
		fmt.Fprintf(w, "\nconnect: %s", printable(c.To+": "+c.Target+at+": "+state))
	}
	if len(v.Connections) > 0 {
		fmt.Fprintln(w)
	}
	for i, t := range v.TenantsOff {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "TENANT OFF: %s\n", printable(t.Tenant+": "+t.Error))
	}
	for i, text := range v.Warnings {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "warning: %s\n", printable(text))
	}
	return nil
}

func (r *routeView) write(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(what, format string, args ...any) {
		fmt.Fprintf(out, "  %s\t%s\n", what, printable(fmt.Sprintf(format, args...)))
	}
	fmt.Fprintf(out, "\nroute %s (line %d)\n", printable(r.Name), r.Line)
	row("path", "%s", r.Path)
	row("hosts", "%s", orElse(strings.Join(r.Hosts, ", "), "every one"))
	row("provider", "%s; retries: %s", r.Provider, r.Retries)
	for _, text := range r.Insecure {
		row("INSECURE", "%s", text)
	}
	for i, k := range r.Keys {
		end := ""
		switch {
		case k.Over:
			end = ", OVER since " + k.NotAfter
		case k.NotAfter != "":
			end = ", until " + k.NotAfter
		}
		row(fmt.Sprintf("key %d", i+1), "%s from %s%s", k.Label, k.From, end)
	}
	for _, t := range r.Tenants {
		if t.Off {
			row("tenant", "%s: OFF", t.Name)
			continue
		}
		row("tenant", "%s: %s", t.Name, strings.Join(t.Keys, ", "))
	}
	if r.Bounds.Past == 0 && r.Bounds.Future == 0 {
		row("signed time", "none")
	} else {
		row("signed time", "up to %s before and %s after now", seconds(r.Bounds.Past), seconds(r.Bounds.Future))
	}
	row("body", "up to %s within %s", sizeWords(r.Bounds.MaxBody), seconds(r.Bounds.Body))
	row("upstream", "%s", r.Upstream)
	idle := "kept for " + seconds(r.Bounds.UpstreamIdle)
	if r.Bounds.UpstreamIdle == 0 {
		idle = "one for each request"
	}
	row("  timeout", "%s; connections: %s", seconds(r.Bounds.UpstreamTimeout), idle)
	if len(r.Headers) > 0 {
		row("  headers", "%s", strings.Join(r.Headers, ", "))
	}
	if len(r.Forward) > 0 {
		row("forwards", "%s", strings.Join(r.Forward, ", "))
	}
	answer := r.Answer
	if r.Bounds.Response > 0 {
		answer += ", up to " + sizeWords(r.Bounds.Response)
	}
	row("answer", "%s", answer)
	row("in flight", "%d verified deliveries, each up to %s; detached: %v", r.Bounds.InFlight, seconds(r.Bounds.MaxRun), r.Detach)
	row("remembers", "%s; a claim lasts %s", seconds(r.Bounds.Retention), seconds(r.Bounds.Lease))
	if r.Assert != "" {
		row("assertion", "%s", r.Assert)
	}
	if r.Resign != "" {
		row("re-signs", "Standard Webhooks, secret from %s", r.Resign)
	}
	return out.Flush()
}

// sizeWords writes a size for people.
func sizeWords(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

// connect reaches each upstream, and the store. It reports whether all answer.
func (p *program) connect(ctx context.Context, c *config.Config) ([]connectionView, bool) {
	all := []connectionView{p.connectStore(ctx, &c.Store)}
	known := make(map[string]int)
	for i := range c.Routes {
		r := &c.Routes[i]
		target, host := dialTarget(r.Upstream.URL)
		if r.Upstream.TLS == nil {
			if at, ok := known[target]; ok {
				all[at].To += ", " + r.Name
				continue
			}
			known[target] = len(all)
		}
		v := p.connectUpstream(ctx, target, host, r.Upstream.TLS)
		v.To = "route " + r.Name
		all = append(all, v)
	}
	return all, !slices.ContainsFunc(all, func(v connectionView) bool { return v.Error != "" })
}

func (p *program) connectStore(ctx context.Context, s *config.Store) connectionView {
	v := connectionView{To: "store", Target: storeWords(s)}
	if s.SQLite != "" {
		if _, err := os.Stat(s.SQLite); errors.Is(err, os.ErrNotExist) {
			v.Target += " (serve makes it)"
			return v
		}
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	store, err := stores.Open(ctx, stores.Options{
		Memory: s.Memory, SQLite: s.SQLite, Redis: string(s.Redis.Value()), PostgreSQL: string(s.PostgreSQL.Value()),
		Prefix: s.Prefix, Table: s.Table, Timeout: connectTimeout, Once: true,
	})
	if err == nil {
		defer store.Close()
		err = store.Ping(ctx)
	}
	if err != nil {
		v.Error = err.Error()
		if strings.Contains(v.Error, "schema is missing") {
			v.Error, v.Target = "", v.Target+" (serve makes the tables)"
		}
	}
	return v
}

// dialTarget returns what is dialled for an upstream, and the host whose certificate counts,
// or "" without TLS.
func dialTarget(upstream string) (target, host string) {
	if rest, ok := strings.CutPrefix(upstream, "unix:"); ok {
		socket, _, _ := strings.Cut(rest, ":")
		return "unix:" + socket, ""
	}
	scheme, rest, _ := strings.Cut(upstream, "://")
	authority, _, _ := strings.Cut(rest, "/")
	u := &url.URL{Scheme: scheme, Host: authority}
	port := u.Port()
	if scheme == "https" {
		return net.JoinHostPort(u.Hostname(), orElse(port, "443")), u.Hostname()
	}
	return net.JoinHostPort(u.Hostname(), orElse(port, "80")), ""
}

func (p *program) connectUpstream(ctx context.Context, target, host string, conf *tls.Config) connectionView {
	v := connectionView{Target: target}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	dialer := &net.Dialer{Resolver: p.resolver}
	var conn net.Conn
	var err error
	if socket, ok := strings.CutPrefix(target, "unix:"); ok {
		conn, err = dialer.DialContext(ctx, "unix", socket)
	} else {
		name, _, _ := net.SplitHostPort(target)
		resolver := p.resolver
		if resolver == nil {
			resolver = net.DefaultResolver
		}
		if addresses, lookup := resolver.LookupNetIP(ctx, "ip", name); lookup == nil {
			for _, a := range addresses {
				v.Addresses = append(v.Addresses, a.Unmap().String())
			}
		}
		conn, err = dialer.DialContext(ctx, "tcp", target)
	}
	if err == nil {
		defer conn.Close()
		if host != "" {
			if conf == nil {
				conf = &tls.Config{MinVersion: tls.VersionTLS12}
			}
			conf = conf.Clone()
			conf.ServerName = host
			err = tls.Client(conn, conf).HandshakeContext(ctx)
		}
	}
	if err != nil {
		v.Error = err.Error()
	}
	return v
}
