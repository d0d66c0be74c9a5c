package diagnose_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/diagnose"
)

// TestTimeInBody: where the time stands in the body, no head tells that it is too old.
func TestTimeInBody(t *testing.T) {
	const secret = "8f742231b10e8888abcd99c1d2e385a5"
	v, err := scheme.New(scheme.Definition{
		Provider: "acme", MaxBody: 1 << 10, Retry: verify.RetryNever,
		Signatures: []scheme.Signature{{Header: "Acme-Signature"}},
		Timestamp:  scheme.Timestamp{Member: "sentAt", Unit: scheme.Milliseconds},
		Message:    []scheme.Part{scheme.Body()},
	}, verify.Secrets(secret), nil)
	if err != nil {
		t.Fatal(err)
	}
	signed := time.Date(2026, 3, 1, 9, 30, 12, 0, time.UTC)
	body := fmt.Sprintf(`{"id":"1","sentAt":%d}`, signed.UnixMilli())
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	signature := fmt.Sprintf("%x", mac.Sum(nil))
	for _, tt := range []struct {
		name     string
		body     string
		received time.Time
		want     []diagnose.ID
	}{
		{"in time", body, signed, nil},
		{"too late", body, signed.Add(20 * time.Minute), []diagnose.ID{diagnose.ClockSkew}},
		{"too early", body, signed.Add(-20 * time.Minute), []diagnose.ID{diagnose.ClockSkew}},
		{"by a time zone", body, signed.Add(2 * time.Hour), []diagnose.ID{diagnose.ClockZone}},
		{"a year late", body, signed.AddDate(1, 0, 0), []diagnose.ID{diagnose.ClockOldCapture}},
		{"a year late, with a line end too many", body + "\n", signed.AddDate(1, 0, 0), []diagnose.ID{diagnose.BodyNewlineAdded}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &capture.Capture{Method: http.MethodPost, Header: http.Header{"Acme-Signature": {signature}}, Body: []byte(tt.body), ReceivedAt: tt.received}
			var got []diagnose.ID
			for _, f := range diagnose.Verifier(t.Context(), v, c, nil) {
				got = append(got, f.ID)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("the findings are %q, want %q", got, tt.want)
			}
		})
	}
}
