package cloudinary_test

import (
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/cloudinary"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// TestSHA256: the published notification is signed with SHA-256. Its time has 13 digits, as
// milliseconds have, of the year 2222; what is signed is the same.
func TestSHA256(t *testing.T) {
	for _, v := range vector.LoadPublished(t, 1, "extra/cloudinary-notification-sha256.json") {
		d := cloudinary.Definition()
		d.Signatures[0].Algorithm = scheme.InsecureSHA256
		d.Timestamp.Unit = scheme.Milliseconds
		verifier, err := scheme.New(d, verify.Secrets(v.Secrets...), &scheme.Options{InsecureAllowShortSecret: true})
		if err != nil {
			t.Fatal(err)
		}
		v.Head.ReceivedAt = time.UnixMilli(7952342400000)
		if _, err := verify.Verify(t.Context(), verifier, v.Head, v.Body); vector.Outcome(err) != v.Want(t) {
			t.Errorf("%s: %v, want %s", v.Name, err, v.Want(t))
		}
		v.Head.ReceivedAt = time.UnixMilli(7952342400000).Add(3 * time.Hour)
		if _, err := verify.Verify(t.Context(), verifier, v.Head, v.Body); vector.Outcome(err) != "too_old" {
			t.Errorf("%s, three hours later: %v, want it to be too old", v.Name, err)
		}
	}
}
