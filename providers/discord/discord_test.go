package discord_test

import (
	"context"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/discord"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

// TestPing: which PING is answered, and that nothing else is taken for one.
func TestPing(t *testing.T) {
	vectors := make(map[string]vector.Vector)
	for _, v := range vector.Load(t, "testdata") {
		vectors[strings.TrimSuffix(v.Name, ".http")] = v
	}
	for _, tt := range []struct {
		name, vector string
		want         string // the response; "" for none
		refused      bool
	}{
		{"the PING of interactions", "ping", `200 {"type":1}`, false},
		{"the PING of webhook events", "ping-of-events", "204 ", false},
		{"a PING with a wrong signature", "ping-with-a-wrong-signature", "", true},
		{"a command", "event", "", false},
		{"a webhook event, whose type is that of the other PING", "another-event", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, ok := vectors[tt.vector]
			if !ok {
				t.Fatalf("there is no vector %s", tt.vector)
			}
			v, err := discord.New(verify.PublicKeys(c.Secrets...), nil)
			if err != nil {
				t.Fatal(err)
			}
			r, err := verify.Respond(context.Background(), v, c.Head, c.Body)
			got := ""
			if r != nil {
				got = map[int]string{0: "200 ", 204: "204 "}[r.Status] + string(r.Body)
			}
			if got != tt.want {
				t.Errorf("the response is %q (%v), want %q", got, err, tt.want)
			}
			if _, err := verify.Verify(context.Background(), v, c.Head, c.Body); (err != nil) != tt.refused {
				t.Errorf("the delivery is refused: %v, want %v", err, tt.refused)
			}
		})
	}
}
