package diagnose_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/diagnose"
)

// TestCompressed diagnoses a delivery whose gzip is as it should be.
func TestCompressed(t *testing.T) {
	const right, wrong = "the secret that it was signed with", "the secret of another endpoint"
	event := []byte(`{"id":"evt_1","amount":17}`)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(event)
	z.Close()
	for _, compression := range []verify.Compression{verify.GzipSigned, verify.GzipUnpacked} {
		t.Run(compression.String(), func(t *testing.T) {
			signed := event
			if compression == verify.GzipSigned {
				signed = packed.Bytes()
			}
			m := hmac.New(sha256.New, []byte(right))
			m.Write(signed)
			c := &capture.Capture{
				Method: "POST", URL: &url.URL{Path: "/"}, Body: packed.Bytes(), ReceivedAt: time.Unix(1_700_000_000, 0),
				Header: http.Header{"Content-Encoding": {"gzip"}, "X-Signature": {hex.EncodeToString(m.Sum(nil))}},
			}
			d := scheme.Definition{
				Provider: "packer", Signatures: []scheme.Signature{{Header: "X-Signature"}}, Message: []scheme.Part{scheme.Body()},
				MaxBody: 1 << 20, Retry: verify.RetryIdentical, Compression: compression,
			}
			if found := diagnose.Verifier(context.Background(), scheme.Must(d, right), c, nil); len(found) != 0 {
				t.Errorf("findings on a delivery that verifies: %v", found)
			}
			o := &diagnose.Options{Candidates: []diagnose.Candidate{{Label: "the other", Secret: right}}}
			found := diagnose.Verifier(context.Background(), scheme.Must(d, wrong), c, o)
			if len(found) == 0 || found[0].Confidence != diagnose.Proved {
				t.Errorf("another secret is not proved: %v", found)
			}
			found = diagnose.Verifier(context.Background(), scheme.Must(d, wrong), c, nil)
			if slices.ContainsFunc(found, func(f diagnose.Finding) bool { return f.ID == diagnose.BodyGzip }) {
				t.Errorf("the gzip is blamed: %v", found)
			}
		})
	}
}
