package config

import "time"

// Flags describe a gateway with one route, without a file. Provider, SecretEnv, Path and
// Upstream are required.
type Flags struct {
	Provider  string
	SecretEnv []string // names of environment variables; for PayPal, with the webhook id
	Path      string
	Upstream  string
	Listen    string // "": 127.0.0.1:8080
	Admin     string // "": none
	Store     string // "": memory; or "memory", "sqlite:FILE"
	StoreEnv  string // the name of an environment variable with the URL of Redis or PostgreSQL
}

// FromFlags makes a configuration of flags. The error is of type Mistakes, whose fields are the
// names of the flags. The route is called "default".
func FromFlags(f Flags, env Env, now time.Time) (*Config, error) {
	return nil, Mistakes{{Text: "flags are not read yet"}}
}
