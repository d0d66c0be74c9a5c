package config_test

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/middleware/record"
	"github.com/hooknotary/hooknotary/verify"
)

func TestLoad(t *testing.T) {
	f := newFolder(t, files(t))
	c := f.must()
	if c.Listen.Address != ":8443" || c.Listen.TLS == nil || c.Listen.TLS.Cert != filepath.Join(f.path, "tls.crt") || c.Admin.Address != "127.0.0.1:9090" {
		t.Errorf("the listeners are %+v and %+v", c.Listen, c.Admin)
	}
	if string(c.Store.Redis.Value()) != redisURL || c.Store.Prefix != "hooks" || c.Store.Memory {
		t.Errorf("the store is %+v", c.Store)
	}
	if c.Recorder.Kinds != record.Refused|record.Failed || c.Recorder.Folder != filepath.Join(f.path, "refused") {
		t.Errorf("the recorder is %+v", c.Recorder)
	}
	if !c.Telemetry.Metrics || string(c.Telemetry.OTLP.Value()) != "http://127.0.0.1:4318" {
		t.Errorf("the telemetry is %+v", c.Telemetry)
	}
	if c.Shutdown != (config.Shutdown{Drain: 5 * time.Second, Grace: 20 * time.Second}) || c.Limits != (config.Limits{
		Header: 32 << 10, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, Connections: 8192, BodyBudget: 128 << 20,
	}) {
		t.Errorf("the bounds are %+v and %+v", c.Shutdown, c.Limits)
	}
	if len(c.Routes) != 3 {
		t.Fatalf("there are %d routes", len(c.Routes))
	}

	billing := &c.Routes[0]
	for label, secret := range map[string]string{"new": stripeNew, "old": stripeOld} {
		if d, err := verdict(t, billing, "", secret); err != nil || d.KeyLabel != label || d.Scope != "default" {
			t.Errorf("a delivery under the %s secret: %v, %v", label, d, err)
		}
	}
	if end := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC); !billing.NextExpiry.Equal(end) || !c.NextExpiry.Equal(end) {
		t.Errorf("the next expiry is %v and %v", billing.NextExpiry, c.NextExpiry)
	}
	if !billing.Guard.Detach || billing.Upstream.Timeout != 15*time.Minute || billing.InFlight != 512 || billing.Upstream.Idle != time.Second {
		t.Errorf("billing is %+v, with the timeout %v", billing, billing.Upstream.Timeout)
	}
	if a := billing.Forward.Assert; a.Header != "Authorization" || a.Prefix != "Bearer " || a.Algorithm != "HS256" || a.KeyID != "billing" {
		t.Errorf("billing asserts %+v", a)
	}

	ci := &c.Routes[1]
	if d, err := verdict(t, ci, "acme", acmeKey); err != nil || d.KeyLabel != "2026" || d.Scope != "acme" {
		t.Errorf("a delivery of a tenant: %v, %v", d, err)
	}
	for name, tt := range map[string]struct{ tenant, secret string }{
		"the secret of another tenant": {"acme", otherKey}, "no such tenant": {"Acme", acmeKey}, "no tenant": {"", acmeKey}, "a hidden file": {".hidden", acmeKey},
	} {
		if d, err := verdict(t, ci, tt.tenant, tt.secret); err == nil || d != nil {
			t.Errorf("%s: the delivery verifies", name)
		}
	}
	if got := ci.Upstream.Header.Get("Token"); got != jenkins || ci.Upstream.TLS.RootCAs == nil || ci.Upstream.TLS.MinVersion != tls.VersionTLS12 {
		t.Errorf("the upstream gets the token %q", got)
	}
	if a := ci.Forward.Assert; a.Algorithm != "ES256" || a.KeyID != "2026-11" || a.Header != "Hooknotary-Assertion" || !ci.Forward.ClientAddress {
		t.Errorf("ci asserts %+v", a)
	}
	if shop := &c.Routes[2]; len(shop.Forward.Resign.Value()) != 32 || shop.Provider != "paypal" || shop.Guard.PublicURL != "https://hooks.example.com" {
		t.Errorf("shop is %+v", shop)
	}

	for _, name := range []string{"hooknotary.yaml", "tls.crt", "tls.key", "ca.pem", "assert.pem", "secrets/stripe", "secrets/n8n-jwt", "secrets/jenkins", "tenants", "credentials/shop"} {
		if !slices.Contains(c.Watch, filepath.Join(f.path, name)) {
			t.Errorf("%s is not watched: %q", name, c.Watch)
		}
	}
	if len(c.Faulty) > 0 {
		t.Errorf("tenants are turned off: %v", c.Faulty)
	}
}

// TestPrinting: no verb, and no encoder that prints a Config, shows a secret.
func TestPrinting(t *testing.T) {
	c := newFolder(t, files(t)).must()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		for _, v := range []any{c, c.Store, c.Store.Redis, c.Routes, c.Routes[1].Upstream, &c.Routes[1].Upstream, c.Routes[0].Forward, c.Telemetry} {
			shown := fmt.Sprintf(verb, v)
			for _, secret := range []string{stripeNew, stripeOld, acmeKey, otherKey, jwtSecret, jenkins, redisURL, "k4tzenklo", fmt.Sprintf("%x", jenkins)} {
				if strings.Contains(shown, secret) {
					t.Errorf("%s of a %T shows %s", verb, v, secret)
				}
			}
		}
	}
}

func TestSecret(t *testing.T) {
	const route = "    provider: stripe\n    secret: %s\n"
	load := func(t *testing.T, reference, content string) error {
		t.Helper()
		f := newFolder(t, with(minimal(fmt.Sprintf(route, reference)), "secret", content, "credentials/hook", content))
		f.env["VARIABLE"] = content
		c, err := f.load()
		if err != nil {
			return err
		}
		_, err = verdict(t, &c.Routes[0], "", stripeNew)
		return err
	}
	for _, tt := range []struct {
		name, reference, content, says string
	}{
		{"a file as it is", "file:secret", stripeNew, ""},
		{"a file that ends with a line feed", "file:secret", stripeNew + "\n", ""},
		{"a file that ends as on Windows", "file:secret", stripeNew + "\r\n", ""},
		{"a file with a second line end", "file:secret", stripeNew + "\n\n", "secret"},
		{"a file with a lone carriage return", "file:secret", stripeNew + "\r", "secret"},
		{"a file that is empty", "file:secret", "", "is empty"},
		{"a file with a line end alone", "file:secret", "\n", "is empty"},
		{"a file of 64 KiB and a byte", "file:secret", strings.Repeat("a", 64<<10+1), "larger than 64KiB"},
		{"a file that is not there", "file:nowhere", stripeNew, "no such file"},
		{"a folder", "file:credentials", stripeNew, "it is a folder"},
		{"a credential", "credential:hook", stripeNew + "\n", ""},
		{"a credential outside of its folder", "credential:../secret", stripeNew, "want the name of a credential"},
		{"a variable", "env:VARIABLE", stripeNew, ""},
		{"a variable with a line end", "env:VARIABLE", stripeNew + "\n", "secret"},
		{"a variable that is not set", "env:NO_SUCH_VARIABLE", stripeNew, "is not set"},
		{"a variable that is empty", "env:VARIABLE", "", "is empty"},
		{"the secret itself", stripeNew, "", "want env:NAME, file:PATH or credential:NAME"},
		{"the secret itself behind env:", "env:" + stripeNew, "", "want env:NAME, file:PATH or credential:NAME"},
		{"a number", "4711", "", "want env:NAME, file:PATH or credential:NAME"},
		{"no text", "true", "", "want a reference"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := load(t, tt.reference, tt.content)
			if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
			if err != nil && strings.Contains(err.Error(), stripeNew) {
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
	t.Run("a credential without systemd", func(t *testing.T) {
		f := newFolder(t, with(minimal(fmt.Sprintf(route, "credential:hook")), "credentials/hook", stripeNew))
		delete(f.env, "CREDENTIALS_DIRECTORY")
		if m := f.mistakes(); m == nil || !strings.Contains(m.Error(), "CREDENTIALS_DIRECTORY is not set") {
			t.Errorf("got %v", m)
		}
	})
}

func TestNotAfter(t *testing.T) {
	load := func(t *testing.T, newEnd, oldEnd string) *config.Config {
		t.Helper()
		f := newFolder(t, minimal(fmt.Sprintf("    provider: stripe\n    secrets:\n      - { label: new, from: file:secret%s }\n      - { label: old, from: env:STRIPE_OLD%s }\n", newEnd, oldEnd)))
		return f.must()
	}
	const past, future = ", not_after: 2026-11-20T12:00:00Z", `, not_after: "2026-11-20T13:00:01+01:00"`
	for _, tt := range []struct {
		name, newEnd, oldEnd string
		works                []string
		next                 time.Time
	}{
		{"no end", "", "", []string{stripeNew, stripeOld}, time.Time{}},
		{"an end in a second", "", future, []string{stripeNew, stripeOld}, now.Add(time.Second)},
		{"an end at this moment", "", past, []string{stripeNew}, time.Time{}},
		{"every end is past", past, past, nil, time.Time{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := load(t, tt.newEnd, tt.oldEnd)
			for _, secret := range []string{stripeNew, stripeOld} {
				_, err := verdict(t, &c.Routes[0], "", secret)
				if want := slices.Contains(tt.works, secret); (err == nil) != want {
					t.Errorf("a delivery verifies: %v, want %v", err, want)
				}
				if err != nil && verify.ReasonOf(err) != verify.ErrMismatch && verify.ReasonOf(err) != verify.ErrNoKey {
					t.Errorf("it is refused with %v", err)
				}
			}
			if !c.NextExpiry.Equal(tt.next) || len(c.Routes[0].Keys) != 2 {
				t.Errorf("the next expiry is %v, of %d keys", c.NextExpiry, len(c.Routes[0].Keys))
			}
			warned := strings.Contains(strings.Join(c.Warnings, "\n"), "every secret is over")
			if want := tt.works == nil; warned != want {
				t.Errorf("the warnings are %q", c.Warnings)
			}
		})
	}
}

func TestTenants(t *testing.T) {
	const route = "routes:\n  - name: ci\n    path: /ci/{tenant}\n    provider: github\n    upstream: { url: \"http://127.0.0.1:1/{tenant}\" }\n    tenants: { folder: tenants }\n"
	base := map[string]string{"hooknotary.yaml": route, "tenants/acme": "b " + acmeKey + "\na " + otherKey + "2\n", "tenants/other": "x " + otherKey}
	works := func(t *testing.T, c *config.Config, tenant, secret string) bool {
		t.Helper()
		_, err := verdict(t, &c.Routes[0], tenant, secret)
		if err != nil && verify.ReasonOf(err) != verify.ErrMismatch && verify.ReasonOf(err) != verify.ErrNoKey {
			t.Errorf("refused with %v", err)
		}
		return err == nil
	}
	t.Run("two secrets of one tenant", func(t *testing.T) {
		c := newFolder(t, base).must()
		if !works(t, c, "acme", acmeKey) || !works(t, c, "acme", otherKey+"2") || works(t, c, "acme", otherKey) {
			t.Error("the secrets are not those of the tenant")
		}
	})
	for _, tt := range []struct {
		name, file, text string
		off              []string
		says             string
	}{
		{"an empty file", "tenants/bad", "", []string{"ci/bad"}, "is empty"},
		{"a line without a label", "tenants/bad", "Yk3vQ8wLr2TzB6nMabcd", []string{"ci/bad"}, "line 1 is not: label secret"},
		{"a secret in the place of a label", "tenants/bad", "ghp_16C7e42F292c6912E7710c838347Ae178B4a x", []string{"ci/bad"}, "no label"},
		{"five lines", "tenants/bad", strings.Repeat("a bbbbbbbbbbbbbbbbbbbbbb\n", 5), []string{"ci/bad"}, "5 lines"},
		{"a label twice", "tenants/bad", "a " + stripeNew[6:] + "\na " + stripeOld[6:], []string{"ci/bad"}, "label of another line"},
		{"a secret twice in one file", "tenants/bad", "a " + stripeNew[6:] + "\nb " + stripeNew[6:], []string{"ci/bad"}, "same secret"},
		{"a short secret", "tenants/bad", "a tooshort", []string{"ci/bad"}, "16"},
		{"a padded secret", "tenants/bad", "a  Yk3vQ8wLr2TzB6nMabcd", []string{"ci/bad"}, "line 1"},
		{"the secret of another tenant", "tenants/bad", "a " + otherKey, []string{"ci/bad", "ci/other"}, "same secret"},
		{"a folder in the place of a file", "tenants/bad/x", "a b", []string{"ci/bad"}, "it is a folder"},
	} {
		t.Run(tt.name+" turns off that tenant alone", func(t *testing.T) {
			c := newFolder(t, with(base, tt.file, tt.text)).must()
			var off []string
			for name, err := range c.Faulty {
				off = append(off, name)
				if !strings.Contains(err.Error(), tt.says) {
					t.Errorf("the error of %s is %v, want %q", name, err, tt.says)
				}
				for _, line := range strings.Fields(tt.text) {
					if len(line) > 6 && strings.Contains(err.Error(), line) {
						t.Errorf("the error holds a piece of the file: %v", err)
					}
				}
			}
			slices.Sort(off)
			if !slices.Equal(off, tt.off) {
				t.Errorf("turned off are %q, want %q", off, tt.off)
			}
			if !works(t, c, "acme", acmeKey) || works(t, c, "other", otherKey) == slices.Contains(tt.off, "ci/other") || works(t, c, "bad", "Yk3vQ8wLr2TzB6nMabcd") {
				t.Error("the wrong tenants work")
			}
			for _, tenant := range c.Routes[0].Tenants {
				if tenant.Off != slices.Contains(tt.off, "ci/"+tenant.Name) {
					t.Errorf("tenant %s is off: %v", tenant.Name, tenant.Off)
				}
			}
		})
	}
	for _, tt := range []struct{ name, file, says string }{
		{"names that are one under case folding", "tenants/ACME", "one name"},
		{"a name with a space", "tenants/a b", "no tenant's"},
		{"a name that is a secret", "tenants/ghp_16C7e42F292c6912E7710c838347Ae178B4a", "looks like a secret"},
		{"a name that is too long", "tenants/" + strings.Repeat("a", 65), "no tenant's"},
		{"a name that begins with a hyphen", "tenants/-a", "no tenant's"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newFolder(t, with(base, tt.file, "a "+stripeNew[6:])).mistakes()
			if len(m) != 1 || m[0].Field != "routes[0].tenants.folder" || strings.Contains(m[0].Text, "ghp_") || !strings.Contains(m[0].Text, tt.says) {
				t.Errorf("got %v", m)
			}
		})
	}
	for _, tt := range []struct {
		provider, a, b, name string
		same                 bool
	}{
		{"svix", resign, strings.TrimPrefix(resign, "whsec_"), "a secret with its prefix, and without", true},
		{"svix", resign, stripeNew, "two secrets", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newFolder(t, map[string]string{
				"hooknotary.yaml": strings.Replace(route, "github", tt.provider, 1), "tenants/a": "x " + tt.a, "tenants/b": "x " + tt.b,
			}).must()
			if len(c.Faulty) == 2 != tt.same {
				t.Errorf("turned off are %v", c.Faulty)
			}
		})
	}
	t.Run("a folder as Kubernetes mounts it", func(t *testing.T) {
		f := newFolder(t, map[string]string{"hooknotary.yaml": route, "tenants/..2026_11/acme": "a " + acmeKey})
		for link, to := range map[string]string{"..data": "..2026_11", "acme": "..data/acme"} {
			if err := os.Symlink(to, filepath.Join(f.path, "tenants", link)); err != nil {
				t.Fatal(err)
			}
		}
		if c := f.must(); !works(t, c, "acme", acmeKey) || len(c.Routes[0].Tenants) != 1 {
			t.Errorf("the tenants are %+v", c.Routes[0].Tenants)
		}
	})
}

func TestDigest(t *testing.T) {
	same := files(t)
	base := newFolder(t, same)
	before := base.must()
	changed := func(t *testing.T, f *folder) (routes, restart []string) {
		t.Helper()
		c := f.must()
		for i := range c.Routes {
			if c.Routes[i].Digest != before.Routes[i].Digest {
				routes = append(routes, c.Routes[i].Name)
			}
		}
		for name, sum := range c.Restart {
			if sum != before.Restart[name] {
				restart = append(restart, name)
			}
		}
		slices.Sort(restart)
		return routes, restart
	}
	none := []string(nil)
	for _, tt := range []struct {
		name            string
		edit            func(f *folder)
		routes, restart []string
	}{
		{"nothing", func(*folder) {}, none, none},
		{"a comment", func(f *folder) { f.edit("# for schemes", "# also for schemes") }, none, none},
		{"a secret file", func(f *folder) { f.write("secrets/stripe", stripeNew+"2") }, []string{"billing"}, none},
		{"a line end of a secret file", func(f *folder) { f.write("secrets/stripe", stripeNew) }, none, none},
		{"a variable", func(f *folder) { f.env["STRIPE_OLD"] += "2" }, []string{"billing"}, none},
		{"a tenant's file", func(f *folder) { f.write("tenants/acme", "2027 "+acmeKey) }, []string{"ci"}, none},
		{"a new tenant", func(f *folder) { f.write("tenants/new", "a "+stripeNew) }, []string{"ci"}, none},
		{"the receiver's token", func(f *folder) { f.write("secrets/jenkins", "x") }, []string{"ci"}, none},
		{"the roots of a receiver", func(f *folder) { f.write("ca.pem", same["tls.crt"]+same["tls.crt"]) }, []string{"ci"}, none},
		{"the secret of an assertion", func(f *folder) { f.write("secrets/n8n-jwt", jwtSecret+"2") }, []string{"billing"}, none},
		{"the keys of assertions", func(f *folder) { f.edit(`"2026-11"`, `"2026-12"`) }, []string{"billing", "ci"}, none},
		{"an upstream", func(f *folder) { f.edit("shop:8080", "shop:8081") }, []string{"shop"}, none},
		{"a time-out", func(f *folder) { f.edit("detach: true", "max_run: 2m") }, []string{"billing"}, none},
		{"public_url", func(f *folder) {
			f.edit("public_url: https://hooks.example.com", "public_url: https://hooks.example.net")
		}, []string{"billing", "ci", "shop"}, none},
		{"the hosts of the listener", func(f *folder) { f.edit(`listen: {`, `listen: { hosts: [hooks.example.com],`) }, []string{"billing", "ci", "shop"}, none},
		{"the listener", func(f *folder) { f.edit(":8443", ":8444") }, none, []string{"listen"}},
		{"the public certificate", func(f *folder) {
			cert, key := certificate(t)
			f.write("tls.crt", cert)
			f.write("tls.key", key)
		}, none, none},
		{"the admin listener", func(f *folder) { f.edit("9090", "9091") }, none, []string{"admin"}},
		{"the proxies", func(f *folder) { f.edit("10.0.0.0/8", "10.0.0.0/9") }, none, []string{"trusted_proxies"}},
		{"the store", func(f *folder) { f.edit("prefix: hooks", "prefix: books") }, none, []string{"store"}},
		{"the address of the store", func(f *folder) { f.env["REDIS_URL"] = "redis://127.0.0.1:2" }, none, []string{"store"}},
		{"the recorder", func(f *folder) { f.edit("[refused, failed]", "[refused]") }, none, []string{"recorder"}},
		{"the telemetry", func(f *folder) { f.edit("metrics: true", "metrics: false") }, none, []string{"telemetry"}},
		{"the shutdown", func(f *folder) { f.edit("grace: 20s", "grace: 21s") }, none, []string{"shutdown"}},
		{"the limits", func(f *folder) { f.edit("shutdown:", "limits: { header: 16KiB }\nshutdown:") }, none, []string{"limits"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFolder(t, same)
			tt.edit(f)
			routes, restart := changed(t, f)
			if !slices.Equal(routes, tt.routes) || !slices.Equal(restart, tt.restart) {
				t.Errorf("changed are the routes %q and the parts %q, want %q and %q", routes, restart, tt.routes, tt.restart)
			}
		})
	}
	t.Run("the hosts of the listener change no route with hosts of its own", func(t *testing.T) {
		f := newFolder(t, same)
		f.edit("    path: /hooks/stripe", "    hosts: [pay.example.com]\n    path: /hooks/stripe")
		before := f.must()
		f.edit(`listen: {`, `listen: { hosts: [hooks.example.com],`)
		after := f.must()
		if after.Routes[0].Digest != before.Routes[0].Digest || after.Routes[1].Digest == before.Routes[1].Digest {
			t.Error("want the digest of the first route as it was, and that of the second another one")
		}
	})
	t.Run("a key that is over", func(t *testing.T) {
		f := newFolder(t, same)
		later := now.AddDate(0, 0, 30)
		if _, err := config.Load(filepath.Join(f.path, "hooknotary.yaml"), config.Env{Lookup: lookup(f.env)}, later); err == nil {
			t.Fatal("the certificate of the test has ended, too, and nothing was said")
		}
		f.edit(", tls: { cert: tls.crt, key: tls.key }", "")
		c, err := config.Load(filepath.Join(f.path, "hooknotary.yaml"), config.Env{Lookup: lookup(f.env)}, later)
		if err != nil {
			t.Fatal(err)
		}
		if c.Routes[0].Digest == before.Routes[0].Digest || c.Routes[1].Digest != before.Routes[1].Digest || !c.Routes[0].Keys[1].Over {
			t.Error("a key ended, and the digest of its route alone did not change")
		}
	})
}

func TestFromFlags(t *testing.T) {
	env := config.Env{Lookup: lookup(map[string]string{
		"SECRET": stripeNew, "OLD": stripeOld, "ID": webhookID, "REDIS": redisURL, "POSTGRES": "postgres://shop:hunter4711@127.0.0.1/shop", "SHORT": "x", "PADDED": " " + stripeNew, "PLACEHOLDER": "changeme",
	})}
	good := config.Flags{Provider: "stripe", SecretEnv: []string{"SECRET"}, Path: "/hooks/stripe", Upstream: "http://127.0.0.1:5678/webhook/stripe"}
	edited := func(edit func(*config.Flags)) config.Flags { f := good; edit(&f); return f }

	c, err := config.FromFlags(good, env, now)
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen.Address != "127.0.0.1:8080" || c.Admin.Address != "" || !c.Store.Memory || len(c.Routes) != 1 || c.Routes[0].Name != "default" || c.File != "" {
		t.Errorf("the flags mean %+v", c)
	}
	if _, err := verdict(t, &c.Routes[0], "", stripeNew); err != nil {
		t.Error(err)
	}
	for _, tt := range []struct {
		name  string
		flags config.Flags
		check func(c *config.Config) bool
	}{
		{"two secrets", edited(func(f *config.Flags) { f.SecretEnv = []string{"SECRET", "OLD"} }), func(c *config.Config) bool {
			_, err := verdict(t, &c.Routes[0], "", stripeOld)
			return err == nil
		}},
		{"PayPal's webhook id", edited(func(f *config.Flags) { f.Provider, f.SecretEnv = "paypal", []string{"ID"} }), func(c *config.Config) bool { return c.Routes[0].Provider == "paypal" }},
		{"addresses", edited(func(f *config.Flags) { f.Listen, f.Admin = "127.0.0.1:1", "127.0.0.1:2" }), func(c *config.Config) bool {
			return c.Listen.Address == "127.0.0.1:1" && c.Admin.Address == "127.0.0.1:2" && c.Telemetry.Metrics
		}},
		{"the store of Redis", edited(func(f *config.Flags) { f.StoreEnv = "REDIS" }), func(c *config.Config) bool { return string(c.Store.Redis.Value()) == redisURL }},
		{"the store of PostgreSQL", edited(func(f *config.Flags) { f.StoreEnv = "POSTGRES" }), func(c *config.Config) bool { return !c.Store.PostgreSQL.IsZero() }},
		{"the store in a file", edited(func(f *config.Flags) { f.Store = "sqlite:store.db" }), func(c *config.Config) bool { return filepath.IsAbs(c.Store.SQLite) }},
		{"the store in memory", edited(func(f *config.Flags) { f.Store = "memory" }), func(c *config.Config) bool { return c.Store.Memory }},
	} {
		if c, err := config.FromFlags(tt.flags, env, now); err != nil || !tt.check(c) {
			t.Errorf("%s: %+v, %v", tt.name, c, err)
		}
	}
	for _, tt := range []struct {
		name  string
		flags config.Flags
		want  string
	}{
		{"no provider", edited(func(f *config.Flags) { f.Provider = "" }), "--provider: it is missing"},
		{"no path", edited(func(f *config.Flags) { f.Path = "" }), "--path: it is missing"},
		{"no upstream", edited(func(f *config.Flags) { f.Upstream = "" }), "--upstream: it is missing"},
		{"no secret", edited(func(f *config.Flags) { f.SecretEnv = nil }), "--secret-env: it is missing"},
		{"an unknown provider", edited(func(f *config.Flags) { f.Provider = "strpe" }), "--provider: unknown provider"},
		{"a path without a slash", edited(func(f *config.Flags) { f.Path = "hooks" }), "--path: want a path"},
		{"an upstream with a user", edited(func(f *config.Flags) { f.Upstream = "http://a:b@127.0.0.1/" }), "--upstream: want no user"},
		{"a variable that is not set", edited(func(f *config.Flags) { f.SecretEnv = []string{"NONE"} }), "--secret-env: the environment variable is not set"},
		{"a secret that is too short", edited(func(f *config.Flags) { f.SecretEnv = []string{"SHORT"} }), "--secret-env: stripe: secret 1 has 1 bytes, want at least 16"},
		{"a secret with a space around it", edited(func(f *config.Flags) { f.SecretEnv = []string{"PADDED"} }), "--secret-env: secret 1: the secret has white space around it"},
		{"a placeholder", edited(func(f *config.Flags) { f.SecretEnv = []string{"PLACEHOLDER"} }), "--secret-env: secret 1: the secret is a placeholder"},
		{"a webhook id that is not set", edited(func(f *config.Flags) { f.Provider, f.SecretEnv = "paypal", []string{"NONE"} }), "--secret-env: the environment variable is not set"},
		{"an address that is none", edited(func(f *config.Flags) { f.Listen = "nowhere" }), "--listen: want host:port"},
		{"an admin listener that others reach", edited(func(f *config.Flags) { f.Admin = ":9090" }), "--admin: other machines"},
		{"a store that is none", edited(func(f *config.Flags) { f.Store = redisURL }), "--store: want memory or sqlite:FILE"},
		{"two stores", edited(func(f *config.Flags) { f.Store, f.StoreEnv = "memory", "REDIS" }), "--store-env: --store says"},
		{"the address of a store that is none", edited(func(f *config.Flags) { f.StoreEnv = "SECRET" }), "--store-env: "},
	} {
		c, err := config.FromFlags(tt.flags, env, now)
		if c != nil || err == nil || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hunter4711") {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestFields: each field of the table is read, and a value of no kind is a mistake there.
func TestFields(t *testing.T) {
	fields := config.Fields()
	for _, field := range fields {
		t.Run(field.Path, func(t *testing.T) {
			text := "[[x]]"
			parts := strings.Split(field.Path, ".")
			for i := len(parts) - 1; i >= 0; i-- {
				name, isList := strings.CutSuffix(parts[i], "[]")
				if isList {
					text = "[" + text + "]"
				}
				text = "{" + name + ": " + text + "}"
			}
			// What another field decides on.
			for _, other := range [][2]string{
				{"{tls: {cert: ", "{tls: {key: x, cert: "}, {"{tls: {key: ", "{tls: {cert: x, key: "},
				{"{store: {prefix: ", "{store: {memory: {}, prefix: "}, {"{store: {table: ", "{store: {memory: {}, table: "},
				{"{id: ", "{file: x, id: "}, {"{file: ", "{id: x, file: "}, {"{label: ", "{from: x, label: "}, {"{from: ", "{label: x, from: "},
				{"{not_after: ", "{label: x, from: x, not_after: "},
				{"{upstream: {cert: ", "{upstream: {url: \"https://x/\", key: x, cert: "}, {"{upstream: {key: ", "{upstream: {url: \"https://x/\", cert: x, key: "},
				{"{upstream: {ca: ", "{upstream: {url: \"https://x/\", ca: "}, {"{admin: {remote: ", "{admin: {address: \"127.0.0.1:1\", remote: "},
				{"{assert: {secret: ", "{assert: {algorithm: HS256, secret: "},
				{"{assert: {key: ", "{assert: {algorithm: HS256, key: "},
				{"{webhook_id: ", "{provider: paypal, webhook_id: "}, {"{bundle_id: ", "{provider: apple, bundle_id: "}, {"{topic_arn: ", "{provider: sns, topic_arn: "},
				{"{url: [", "{provider: stripe, url: ["}, {"{routes: [{definition: ", "{routes: [{name: x, definition: "},
			} {
				if !strings.HasSuffix(field.Path, "upstream.url") || other[0] != "{url: [" {
					text = strings.Replace(text, other[0], other[1], 1)
				}
			}
			if rest, ok := strings.CutPrefix(text, "{routes: [{"); ok && !strings.Contains(text, "provider: ") && !strings.Contains(text, "definition: ") {
				text = "{routes: [{provider: stripe, " + rest
			}
			f := newFolder(t, map[string]string{"hooknotary.yaml": text})
			f.env["x"] = "x"
			want := strings.ReplaceAll(field.Path, "[]", "[0]")
			if !slices.ContainsFunc(f.mistakes(), func(m config.Mistake) bool { return m.Field == want || strings.HasPrefix(m.Field, want+"[") }) {
				t.Errorf("%s: nothing is said about %s:\n%v", text, want, f.mistakes())
			}
		})
	}
	if len(fields) < 100 {
		t.Errorf("there are only %d fields", len(fields))
	}
}
