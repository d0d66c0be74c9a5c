package scheme_test

import (
	"crypto/fips140"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/scheme"
)

const fipsVariable = "HOOKNOTARY_TEST_FIPS"

// TestFIPS runs itself once more in a process in which
// crypto/hmac panics at short keys and at SHA-1.
func TestFIPS(t *testing.T) {
	if os.Getenv(fipsVariable) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFIPS$", "-test.v")
		cmd.Env = append(os.Environ(), fipsVariable+"=1", "GODEBUG=fips140=only")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v:\n%s", err, out)
		}
		if !strings.Contains(string(out), "--- PASS: TestFIPS/") {
			t.Fatalf("the other process tested nothing:\n%s", out)
		}
		return
	}
	if !fips140.Enabled() {
		t.Fatal("the setting has no effect")
	}
	short := &scheme.Options{InsecureAllowShortSecret: true}
	t.Run("a key of 13 bytes is an error and no panic", func(t *testing.T) {
		v, err := scheme.New(bare(), keys(t, "0123456789abc"), short)
		if err == nil || v != nil {
			t.Fatalf("New made %v, error %v", v, err)
		}
		if !strings.Contains(err.Error(), "approved algorithms") {
			t.Errorf("the error does not say what is wrong: %v", err)
		}
		if strings.Contains(err.Error(), "0123456789abc") {
			t.Error("the error holds the secret")
		}
		mustNew(t, bare(), short, "0123456789abcd")
	})
	t.Run("SHA-1 is an error and no panic", func(t *testing.T) {
		v, err := scheme.New(twoHashes(), keys(t, plainSecrets[0]), nil)
		if err == nil || v != nil {
			t.Fatalf("New made %v, error %v", v, err)
		}
		mustNew(t, bare(), nil, plainSecrets[0])
	})
	t.Run("a delivery with SHA-256 is accepted", func(t *testing.T) {
		v := mustNew(t, listed(), nil, plainSecrets[0], plainSecrets[1])
		for _, body := range []string{`{"id":"1"}`, `no event`} {
			accepted(t, v, header("Listed-Signature", signListed(body, plainSecrets[1])), body)
		}
	})
}
