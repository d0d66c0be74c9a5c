package config

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a value that was read from where a reference points. It prints as the reference.
// The zero Secret is no secret.
type Secret struct {
	from  string // "env:NAME", "file:PATH" or "credential:NAME"
	value []byte
}

// NewSecret returns a secret with the reference that it prints as.
func NewSecret(from string, value []byte) Secret { return Secret{from, value} }

// From returns the reference, or "".
func (s Secret) From() string { return s.from }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.from == "" }

// Value returns the secret itself. The caller must not change it.
func (s Secret) Value() []byte { return s.value }

// Format writes the reference, whatever the verb.
func (s Secret) Format(w fmt.State, _ rune) { io.WriteString(w, s.from) }

// String returns the reference.
func (s Secret) String() string { return s.from }

// LogValue returns the reference.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.from) }

// MarshalText returns the reference.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.from), nil }
