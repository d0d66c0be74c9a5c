package config

import "time"

// Load reads the file of a gateway and all that it names. The error is of type Mistakes. Keys
// whose time is over at now are left out.
func Load(file string, env Env, now time.Time) (*Config, error) {
	return nil, Mistakes{{File: file, Text: "configuration files are not read yet"}}
}
