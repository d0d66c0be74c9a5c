package config

import (
	"os"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
)

// Flags describe a gateway with one route, without a file. Provider, SecretEnv, Path and
// Upstream are required.
type Flags struct {
	Provider  string
	SecretEnv []string // names of environment variables; for PayPal, with the webhook id
	Path      string
	Upstream  string
	Listen    string // "": 127.0.0.1:8080
	Admin     string // "": none
	Store     string // "" or "memory", or "sqlite:FILE"
	StoreEnv  string // the name of an environment variable with the URL of Redis or PostgreSQL
}

// FromFlags makes a configuration of flags, as a file would say the same. The error is of type
// Mistakes, whose fields are the names of the flags. The route is called "default", and the
// labels of several secrets are "1", "2" and so on.
func FromFlags(f Flags, env Env, now time.Time) (*Config, error) {
	l := newLoader(env, now)
	l.folder, _ = os.Getwd()
	l.rename = map[string]string{
		"listen": "--listen", "admin": "--admin", "store": "--store", "routes[0].provider": "--provider",
		"routes[0].secret": "--secret-env", "routes[0].secrets": "--secret-env", "routes[0].path": "--path", "routes[0].upstream": "--upstream",
	}
	route := mapping("name", text("default"))
	for _, m := range []struct{ flag, name, value string }{{"--provider", "provider", f.Provider}, {"--path", "path", f.Path}} {
		if m.value == "" {
			l.wrong(0, m.flag, "it is missing")
			continue
		}
		add(route, m.name, text(m.value))
	}
	if f.Upstream == "" {
		l.wrong(0, "--upstream", "it is missing")
	} else {
		add(route, "upstream", mapping("url", text(f.Upstream)))
	}
	l.secretFlags(route, f)
	root := mapping("routes", &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{route}})
	for _, m := range []struct{ name, value string }{{"listen", f.Listen}, {"admin", f.Admin}} {
		if m.value != "" {
			add(root, m.name, mapping("address", text(m.value)))
		}
	}
	l.storeFlags(root, f)
	if len(l.mistakes) > 0 {
		return nil, l.mistakes
	}
	return l.load(node{l: l, n: root})
}

// secretFlags adds the secrets to a route.
func (l *loader) secretFlags(route *yaml.Node, f Flags) {
	field := "secret"
	if s, err := sender.Find(f.Provider); err == nil && !s.KeySourced() {
		field = identifiers[s.About.Identifier]
		l.rename["routes[0]."+field] = "--secret-env"
	}
	switch len(f.SecretEnv) {
	case 0:
		l.wrong(0, "--secret-env", "it is missing: want the name of the environment variable that holds the secret")
	case 1:
		add(route, field, text("env:"+f.SecretEnv[0]))
	default:
		list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for i, name := range f.SecretEnv {
			s := mapping("label", text(strconv.Itoa(i+1)))
			add(s, "from", text("env:"+name))
			list.Content = append(list.Content, s)
		}
		add(route, "secrets", list)
	}
}

// storeFlags adds the store to a document.
func (l *loader) storeFlags(root *yaml.Node, f Flags) {
	switch file, sqlite := strings.CutPrefix(f.Store, "sqlite:"); {
	case f.Store != "" && f.StoreEnv != "":
		l.wrong(0, "--store-env", "--store says where the store is, too; want one of them")
	case f.StoreEnv != "":
		l.rename["store"] = "--store-env"
		name := "redis"
		if l.env.Lookup != nil {
			if url, _ := l.env.Lookup(f.StoreEnv); !strings.HasPrefix(url, "redis://") && !strings.HasPrefix(url, "rediss://") {
				name = "postgres"
			}
		}
		add(root, "store", mapping(name, text("env:"+f.StoreEnv)))
	case sqlite && file != "":
		add(root, "store", mapping("sqlite", text(file)))
	case f.Store != "" && f.Store != "memory":
		l.wrong(0, "--store", "want memory or sqlite:FILE; the URL of a server, which may hold a password, comes with --store-env")
	}
}

func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

func mapping(name string, value *yaml.Node) *yaml.Node {
	return add(&yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}, name, value)
}

func add(to *yaml.Node, name string, value *yaml.Node) *yaml.Node {
	to.Content = append(to.Content, text(name), value)
	return to
}
