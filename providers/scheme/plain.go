package scheme

import (
	"crypto/sha1"
	"crypto/sha256"
)

// plain returns the facts of a hash over a message that contains the secret.
func (a Algorithm) plain() algorithm {
	facts := algorithm{name: "SHA-256", least: sha256.Size}
	hash := sha256.New
	if a == InsecureSHA1 {
		facts.name, facts.least, hash = "SHA-1", sha1.Size, sha1.New
	}
	facts.most, facts.strength = facts.least, facts.least
	facts.new = func(m material) (checker, error) {
		if m.secret == nil {
			m.secret = make([]byte, sha256.Size)
		}
		return newHashChecker(hash, m.secret)
	}
	return facts
}

// isPlain reports whether the secret is a part of the message.
func (a Algorithm) isPlain() bool { return a == InsecureSHA256 || a == InsecureSHA1 }
