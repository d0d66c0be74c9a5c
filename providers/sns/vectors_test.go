package sns_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/sns"
	"github.com/hooknotary/hooknotary/verify"
)

func TestVectors(t *testing.T) {
	file := func(name string) []byte { return must(os.ReadFile(filepath.Join("testdata", name))) }
	block, _ := pem.Decode(file("root.pem"))
	trusted := must(x509.ParseCertificate(block.Bytes))
	outcomes := make(map[string]int)
	for _, tt := range vector.Load(t, "testdata") {
		outcomes[tt.Expect]++
		t.Run(tt.Name, func(t *testing.T) {
			served := file("leaf.pem")
			v := newVerifier(t, &hosts{files: map[string][]byte{certURL: served}}, func(o *sns.Options) {
				o.Roots = []*x509.Certificate{trusted}
				for _, option := range tt.Options {
					switch name, value, _ := strings.Cut(option, " "); name {
					case "SHA-1":
						o.InsecureAllowSHA1 = true
					case "unsigned":
						o.InsecureAllowUnsignedMembers = true
					case "certificate":
						o.Transport = &hosts{files: map[string][]byte{certURL: file(value)}}
					default:
						t.Fatalf("unknown option %q", option)
					}
				}
			}, tt.Secrets...)
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
