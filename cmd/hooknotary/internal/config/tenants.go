package config

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
	"github.com/hooknotary/hooknotary/verify"
)

const (
	maxTenants    = 100_000 // of a route
	maxTenantFile = verify.MaxKeys * (sender.MaxSecret + 128)
)

// tenants reads a folder of tenants, and makes the verifier that finds the keys of one by the
// path. A request opens no file.
func (r *routeReader) tenants(x node) {
	if !x.mapping() || !x.get("folder").required("a folder") {
		return
	}
	if r.segments != nil && !slices.Contains(r.wildcards(), "tenant") {
		r.x.get("path").wrong("the route has tenants, and the path no {tenant}")
	}
	at := x.get("folder")
	folder, ok := at.name()
	if !ok {
		return
	}
	r.watch(folder)
	if r.sender == nil || r.unsound {
		return
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		at.wrong("the folder cannot be read: %v", cause(err))
		return
	}
	if len(entries) > maxTenants {
		at.wrong("the folder has more than %d names", maxTenants)
		return
	}
	keys := make(map[string][]verify.Key)
	faulty := make(map[string]error)
	folded := make(map[string]string)
	owner := make(map[[32]byte]string) // of a secret
	for _, e := range entries {        // by name
		name := e.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		if sender.HasSecretForm(name) {
			at.wrong("the folder has a file whose name looks like a secret; want the tenant's name, and the secret in the file")
			continue
		}
		if !nameForm.MatchString(name) {
			at.wrong("the folder has a name that is no tenant's: %.80q; want %s", name, nameWords)
			continue
		}
		if other, ok := folded[strings.ToLower(name)]; ok {
			at.wrong("the folder has %s and %s, which some take for one name", other, name)
			continue
		}
		folded[strings.ToLower(name)] = name
		t := Tenant{Name: name}
		secrets, err := r.tenantFile(folder, name)
		if err == nil {
			t.Keys, keys[name], err = r.tenantKeys(name, secrets)
		}
		if err != nil {
			faulty[name] = err
		}
		for _, s := range secrets {
			sum := sha256.Sum256(r.sender.Material(s.Text))
			if other, ok := owner[sum]; ok && other != name {
				for a, b := range map[string]string{name: other, other: name} {
					faulty[a] = fmt.Errorf("tenant %s has the same secret; each needs one of its own", b)
				}
			}
			owner[sum] = name
		}
		r.out.Tenants = append(r.out.Tenants, t)
	}
	for i := range r.out.Tenants {
		t := &r.out.Tenants[i]
		if err := faulty[t.Name]; err != nil {
			t.Off, t.Keys = true, nil
			delete(keys, t.Name)
			r.c.Faulty[r.out.Name+"/"+t.Name] = err
		}
	}
	if len(r.out.Tenants) == 0 {
		r.warn("route %s: the folder has no tenant; each delivery is refused", r.out.Name)
	}
	r.make(r.x, verify.KeyFunc(func(ctx context.Context, _ *verify.Head) ([]verify.Key, error) {
		return keys[tenantOf(ctx)], nil
	}))
}

// tenantFile reads the lines of a tenant.
func (r *routeReader) tenantFile(folder, name string) ([]sender.Secret, error) {
	content, err := r.readOnly(filepath.Join(folder, name), maxTenantFile)
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %w", err)
	}
	r.note("tenant", []byte(name))
	r.note("file", content)
	text := strings.TrimSuffix(string(content), "\n")
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("the file is empty; want a line: label secret")
	}
	lines := strings.Split(text, "\n")
	if len(lines) > verify.MaxKeys {
		return nil, fmt.Errorf("the file has %d lines; want at most %d", len(lines), verify.MaxKeys)
	}
	var all []sender.Secret
	for i, line := range lines {
		label, secret, ok := strings.Cut(strings.TrimSuffix(line, "\r"), " ")
		switch {
		case !ok || secret == "":
			return all, fmt.Errorf("line %d is not: label secret", i+1)
		case !nameForm.MatchString(label) || sender.HasSecretForm(label):
			return all, fmt.Errorf("line %d begins with no label; want %s", i+1, nameWords)
		case slices.ContainsFunc(all, func(s sender.Secret) bool { return s.Label == label }):
			return all, fmt.Errorf("line %d has the label of another line", i+1)
		}
		all = append(all, sender.Secret{Label: label, Text: secret})
	}
	return all, nil
}

// tenantKeys makes the keys of a tenant, if they are those of the sender.
func (r *routeReader) tenantKeys(name string, secrets []sender.Secret) (shown []Key, keys []verify.Key, err error) {
	for i, s := range secrets {
		k, err := r.sender.Key(name, s.Label, s.Text)
		if err != nil {
			return nil, nil, r.tenantError(i, secrets)
		}
		if _, err := r.sender.Verifier(&r.settings, verify.KeyList{k}); err != nil {
			return nil, nil, r.tenantError(i, secrets)
		}
		keys = append(keys, k)
		shown = append(shown, Key{Scope: name, Label: s.Label, From: "tenant's file"})
	}
	if _, err := r.sender.Verifier(&r.settings, verify.KeyList(keys)); err != nil {
		return nil, nil, errors.New("two lines have the same secret")
	}
	return shown, keys, nil
}

// tenantError says what is wrong with the secret of a line, which is called by its number.
func (r *routeReader) tenantError(i int, secrets []sender.Secret) error {
	k, err := r.sender.Key("tenant", fmt.Sprintf("line %d", i+1), secrets[i].Text)
	if err == nil {
		_, err = r.sender.Verifier(&r.settings, verify.KeyList{k})
	}
	if err == nil {
		return fmt.Errorf("line %d is refused", i+1)
	}
	return errors.New(r.discreet(err, secrets[i].Text, secrets[i].Label))
}
