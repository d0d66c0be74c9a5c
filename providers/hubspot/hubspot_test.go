package hubspot_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

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
			d.Timestamp, d.BodyPrefix = scheme.Timestamp{}, string(v.Body[:1])
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

// TestVersions: what was signed in version 2 is no delivery of version 1, although its
// signature holds.
func TestVersions(t *testing.T) {
	const secret, url, body = "1f6b0c9e-7a52-4d38-b0c4-6e2d9f81a753", "https://hooks.example.com/hubspot", `[{"eventId":1}]`
	d := hubspot.Definition()
	d.Signatures = []scheme.Signature{{Header: "X-HubSpot-Signature", Algorithm: scheme.InsecureSHA256}}
	d.Constants = []scheme.Constant{{Header: "X-HubSpot-Signature-Version", Value: "v1"}}
	d.Timestamp, d.Message = scheme.Timestamp{}, []scheme.Part{scheme.SecretText(), scheme.Body()}
	d.BodyPrefix = "["
	v, err := scheme.New(d, verify.Secrets(secret), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, body string
		want       error
	}{
		{"version 1", body, nil},
		{"version 2, shown as version 1", "POST" + url + body, verify.ErrMediaType},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &verify.Head{Method: "POST", ReceivedAt: time.Unix(1773480415, 0), Header: http.Header{}}
			h.Header.Set("X-HubSpot-Signature", fmt.Sprintf("%x", sha256.Sum256([]byte(secret+tt.body))))
			h.Header.Set("X-HubSpot-Signature-Version", "v1")
			if _, err := verify.Verify(t.Context(), v, h, []byte(tt.body)); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}
