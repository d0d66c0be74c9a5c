package jwt

import (
	"strings"

	"github.com/hooknotary/hooknotary/verify"
)

// Describe returns what people and tools want to know of the sender: the definition's About,
// with what follows from the rest filled in.
func (d Definition) Describe() verify.About {
	a := d.About.Clone()
	names := make([]string, len(d.Algorithms))
	for i, algorithm := range d.Algorithms {
		names[i] = string(algorithm)
	}
	var signed []string
	if d.Time.Claim != "" {
		signed = append(signed, "time")
	}
	if d.ID != "" {
		signed = append(signed, "id")
	}
	for _, c := range d.Claims {
		if c.kind == isURL || c.kind == urlHash {
			signed = append(signed, "URL")
		}
	}
	switch {
	case d.Detached:
		signed = append(signed, "body")
	case d.Body.Claim != "":
		signed = append(signed, "hash of the body")
	default:
		signed = append(signed, "not the body")
	}
	kind := "JWT"
	if d.Detached {
		kind = "JWS"
	}
	a.Signed = strings.Join(signed, ", ") + ", " + kind + " " + strings.Join(names, " or ")
	a.EqualBodies = (d.Detached || d.Body.Claim != "") && d.Time.Claim == "" && d.ID == ""
	header := canonical(d.Header)
	use := "a token whose signature covers its claims"
	if d.Detached {
		use = "a token without claims, whose signature covers the body"
	} else if d.Body.Claim != "" {
		use += ", one of which is the hash of the body"
	}
	a.Headers = []verify.HeaderUse{{Name: header, Use: use, Secret: !d.Detached}}
	if len(a.Tell.Headers) == 0 {
		a.Tell.Headers = []string{header}
	}
	a.Tell.Before = verify.NotBeforeBody
	return a
}
