package diagnose_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/verify/capture"
	"github.com/hooknotary/hooknotary/verify/diagnose"
)

// TestAliases: a sender that signs alike and names its headers otherwise is named. Nothing
// on the way renamed them, so no proxy is to blame.
func TestAliases(t *testing.T) {
	const secret = "8f2c6b1e9d4a7035c8e1f6b3a2d9074e"
	body := []byte(`{"id":1}`)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	signature := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	for _, tt := range []struct {
		name, header string
		want         diagnose.ID
		text         string
	}{
		{"the header of a sender that signs alike", "X-Hub-Signature", diagnose.ProviderOther, "Bitbucket, Jira or Snyk"},
		{"a header that a proxy renamed", "Old-Hub-Signature-256", diagnose.HeaderRenamed, "something renamed"},
		{"the header of the provider", "X-Hub-Signature-256", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &capture.Capture{Method: http.MethodPost, Header: http.Header{tt.header: {signature}}, Body: body, ReceivedAt: receivedAt}
			found := diagnose.Verifier(t.Context(), github.Must(secret), c, nil)
			if tt.want == "" {
				if len(found) != 0 {
					t.Errorf("findings are %+v, want none", found)
				}
				return
			}
			if len(found) != 1 || found[0].ID != tt.want || found[0].Confidence != diagnose.Proved || !strings.Contains(found[0].Text, tt.text) {
				t.Errorf("findings are %+v, want %s alone, proved, with %q", found, tt.want, tt.text)
			}
		})
	}
}
