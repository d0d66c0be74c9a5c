package hubspot_test

import (
	"testing"

	"github.com/hooknotary/hooknotary/providers/hubspot"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// TestOlder: the published deliveries are signed in versions 1 and 2, which the package
// comment defines.
func TestOlder(t *testing.T) {
	between := map[string][]scheme.Part{"v1": nil, "v2": {scheme.Method(), scheme.URL()}}
	for _, v := range vector.LoadPublished(t, 2, "extra/hubspot-v1-node.json", "extra/hubspot-v2.json") {
		t.Run(v.Name, func(t *testing.T) {
			version := v.Head.Header.Get("X-HubSpot-Signature-Version")
			d := hubspot.Definition()
			d.Signatures = []scheme.Signature{{Header: "X-HubSpot-Signature", Algorithm: scheme.InsecureSHA256}}
			d.Constants = []scheme.Constant{{Header: "X-HubSpot-Signature-Version", Value: version}}
			d.Timestamp = scheme.Timestamp{}
			d.Message = append(append([]scheme.Part{scheme.SecretText()}, between[version]...), scheme.Body())
			o := &scheme.Options{}
			if version == "v2" {
				o.URL = v.Head.URL.String()
			}
			older, err := scheme.New(d, verify.Secrets(v.Secrets...), o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := verify.Verify(t.Context(), older, v.Head, v.Body); vector.Outcome(err) != v.Want(t) {
				t.Errorf("%v, want %s", err, v.Want(t))
			}
			current, err := hubspot.New("https://hooks.example.com/hubspot", verify.Secrets(v.Secrets...), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := verify.Verify(t.Context(), current, v.Head, v.Body); vector.Outcome(err) != "unsigned" {
				t.Errorf("in version 3: %v, want it to be unsigned", err)
			}
		})
	}
}
