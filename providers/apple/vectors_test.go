package apple_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"os"
	"testing"

	"github.com/hooknotary/hooknotary/providers/apple"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

func TestVectors(t *testing.T) {
	block, _ := pem.Decode(must(os.ReadFile("testdata/root.pem")))
	trusted := must(x509.ParseCertificate(block.Bytes))
	outcomes := make(map[string]int)
	for _, tt := range vector.Load(t, "testdata") {
		outcomes[tt.Expect]++
		t.Run(tt.Name, func(t *testing.T) {
			o := &apple.Options{InsecureRoot: trusted}
			for _, option := range tt.Options {
				if option != "sandbox" {
					t.Fatalf("unknown option %q", option)
				}
				o.Sandbox = true
			}
			v := must(apple.New(tt.Secrets[0], o))
			err := v.Profile().Check(tt.Head, int64(len(tt.Body)))
			var d *verify.Delivery
			if err == nil {
				d, err = verify.Verify(context.Background(), v, tt.Head, tt.Body)
			}
			if got := vector.Outcome(err); got != tt.Expect {
				t.Fatalf("%s: outcome is %s (%v), want %s", tt.Note, got, err, tt.Expect)
			}
			if err == nil && (d.ID != tt.ID || !bytes.Equal(d.Body, tt.Body)) {
				t.Errorf("the id is %q, want %q", d.ID, tt.ID)
			}
		})
	}
	for _, want := range []string{"accept", "unsigned", "malformed", "mismatch", "too_old", "too_new", "no_key", "untrusted"} {
		if outcomes[want] == 0 {
			t.Errorf("no vector has the outcome %s", want)
		}
	}
}
