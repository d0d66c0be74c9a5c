package replay_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// split cuts s into the parts of an event: the id, and the texts around it.
func split(s string, cuts uint32) replay.Event {
	var parts [5]string
	for i := range 4 {
		n := min(int(cuts>>(8*i)&255), len(s))
		parts[i], s = s[:n], s[n:]
	}
	parts[4] = s
	return replay.Event{Endpoint: parts[0], Provider: parts[1], Scope: parts[2], ID: parts[3], Partition: parts[4]}
}

// Two events share a key only if they are equal, and an event shares none with a
// message. The second and the third event are the first with its borders moved,
// and another one.
func FuzzKey(f *testing.F) {
	const one = 0x01010101 // each part one byte long
	f.Add("abcde", uint32(one), uint32(one+1), "abcde", []byte(nil))
	f.Add("abcd", uint32(0x01010002), uint32(0x01000102), "", []byte{1})
	f.Add("endpointstripeacct_1evt_1", uint32(0x05060608), uint32(0x05060608), "endpointstripeacct_1evt_2", []byte("x"))
	f.Add("idfingerprintmessage", uint32(0), uint32(2), "messagefingerprintid", []byte("id"))
	f.Add("a\x00\x00\x00\x00\x00\x00\x00\x01b", uint32(0x01), uint32(0x0a), "\xff\xfe", make([]byte, 32))
	f.Fuzz(func(t *testing.T, text string, cuts, moved uint32, other string, print []byte) {
		a, b, c := split(text, cuts), split(text, moved), split(other, cuts)
		copy(c.Fingerprint[:], print)
		d := a
		d.Fingerprint = c.Fingerprint
		e := d
		e.ID = string(d.Fingerprint[:])
		g := d
		g.ID = ""
		events := []replay.Event{a, b, c, d, e, g}
		for i, x := range events {
			if again := x; x.Key() != again.Key() {
				t.Fatalf("%+v has two keys", x)
			}
			for _, y := range events[i:] {
				if same(x, y) != (x.Key() == y.Key()) {
					t.Fatalf("%+v and %+v: keys %v and %v", x, y, x.Key(), y.Key())
				}
			}
			for _, y := range events {
				if y.MessageKey(y.ID) == x.Key() {
					t.Fatalf("%+v and the message %q of %+v share a key", x, y.ID, y)
				}
			}
		}
	})
}

// same reports whether two events are equal; the fingerprint counts only where
// there is no id.
func same(x, y replay.Event) bool {
	if x.ID != "" {
		x.Fingerprint = [32]byte{}
	}
	if y.ID != "" {
		y.Fingerprint = [32]byte{}
	}
	return x == y
}

// Keys are at rest in shared stores, so they may never change.
func TestKeyIsStable(t *testing.T) {
	for _, test := range []struct {
		key  replay.Key
		want string
	}{
		{replay.Event{Endpoint: "billing", Provider: "stripe", Scope: "default", ID: "evt_1"}.Key(), "6298a4b1edb05f1cd31908f368f565d6631bc95c688e06a52d367564d12da8db"},
		{replay.Event{Endpoint: "hooks", Provider: "github", Scope: "default", Fingerprint: [32]byte{1}, Partition: "push"}.Key(), "212dd8ed4785d9111e57edaead2a24d1fc12ca41a1f73ab85138dc92b6f74b70"},
		{replay.Event{Endpoint: "billing", Provider: "stripe", Scope: "default", ID: strings.Repeat("x", 256)}.Key(), "18beeb95387567ab43e32da34a49ed14714f2c84efeb275a14316edcbf6be014"},
		{replay.Event{Endpoint: "billing", Provider: "stripe", Scope: "default", ID: strings.Repeat("x", 257)}.Key(), "2823065e2bf47b19dabe940c90b795f8fcd2d9a8f3c74f4aa6429acdde6ee781"},
		{replay.Event{Endpoint: "pay", Provider: "paypal", Scope: "default"}.MessageKey("m-1"), "032b37557fbd7c45c98b086bd4b83171305b47d5f08756c146a67a0cc051aa6d"},
	} {
		if got := test.key.String(); got != test.want {
			t.Errorf("key %s, want %s", got, test.want)
		}
		if got := hex.EncodeToString(test.key[:]); got != test.key.String() {
			t.Errorf("String = %s, want %s", test.key, got)
		}
	}
}

func TestStatusString(t *testing.T) {
	for s, want := range map[replay.Status]string{
		0: "invalid", replay.Acquired: "acquired", replay.InFlight: "in flight", replay.Done: "done",
		replay.Forged: "forged", replay.BeforeFloor: "before floor", replay.BeforeFloor + 1: "invalid",
	} {
		if got := s.String(); got != want {
			t.Errorf("Status(%d).String() = %q, want %q", s, got, want)
		}
	}
}

func TestContext(t *testing.T) {
	if h, ok := replay.FromContext(t.Context()); ok || h != (replay.Handle{}) {
		t.Errorf("FromContext of a context without a handle = %v, %v", h, ok)
	}
	want := replay.Handle{Key: replay.Event{ID: "a"}.Key(), Token: replay.NewToken()}
	if h, ok := replay.FromContext(replay.NewContext(t.Context(), want)); !ok || h != want {
		t.Errorf("FromContext = %v, %v, want %v", h, ok, want)
	}
}

func TestNewToken(t *testing.T) {
	seen := make(map[replay.Token]bool)
	for range 1000 {
		seen[replay.NewToken()] = true
	}
	if len(seen) != 1000 || seen[replay.Token{}] {
		t.Errorf("%d tokens of 1000 are different", len(seen))
	}
}
