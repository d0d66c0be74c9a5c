package convoy_test

import (
	"testing"

	"github.com/hooknotary/hooknotary/providers/convoy"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// TestForms: what a project can choose is a change of the definition.
func TestForms(t *testing.T) {
	simple := func(encoding scheme.Encoding, algorithm scheme.Algorithm) func(*scheme.Definition) {
		return func(d *scheme.Definition) {
			d.Signatures = []scheme.Signature{{Header: "X-Convoy-Signature", Encoding: encoding, Algorithm: algorithm}}
			d.Timestamp, d.Message = scheme.Timestamp{}, []scheme.Part{scheme.Body()}
		}
	}
	forms := map[string]func(*scheme.Definition){
		"convoy-advanced-sha256-hex-valid":  func(*scheme.Definition) {},
		"convoy-advanced-sha512-hex-valid":  func(d *scheme.Definition) { d.Signatures[0].Algorithm = scheme.HMACSHA512 },
		"convoy-simple-sha256-base64-valid": simple(scheme.Base64, scheme.HMACSHA256),
		"convoy-simple-sha512-base64-valid": simple(scheme.Base64, scheme.HMACSHA512),
		"convoy-simple-tamper":              simple(scheme.Hex, scheme.HMACSHA256),
	}
	n := 0
	for _, v := range vector.LoadPublished(t, 9, "extra/convoy-*.json") {
		choose, ok := forms[v.Name]
		if !ok {
			continue
		}
		n++
		t.Run(v.Name, func(t *testing.T) {
			d := convoy.Definition()
			choose(&d)
			verifier, err := scheme.New(d, verify.Secrets(v.Secrets...), &scheme.Options{InsecureAllowShortSecret: true})
			if err != nil {
				t.Fatal(err)
			}
			_, err = verify.Verify(t.Context(), verifier, v.Head, v.Body)
			if got, want := vector.Outcome(err), v.Want(t); got != want {
				t.Errorf("outcome is %s (%v), want %s", got, err, want)
			}
		})
	}
	if n != len(forms) {
		t.Errorf("found %d of %d vectors", n, len(forms))
	}
}
