package scheme_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// filled sets every string and every slice that reflection can set.
func filled(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				filled(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 4))
		for i := range v.Len() {
			filled(v.Index(i))
		}
	case reflect.String:
		v.SetString("x")
	}
}

// disjoint fails if a and b share anything that can be changed.
func disjoint(t *testing.T, path string, a, b reflect.Value) (slices int) {
	t.Helper()
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			slices += disjoint(t, path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
	case reflect.Slice:
		slices++
		if a.Len() == 0 || a.Len() != b.Len() {
			t.Fatalf("%s has %d elements, and in the copy %d", path, a.Len(), b.Len())
		}
		if a.Pointer() == b.Pointer() {
			t.Errorf("%s is shared", path)
		}
		for i := range a.Len() {
			slices += disjoint(t, path+"[]", a.Index(i), b.Index(i))
		}
	case reflect.Map, reflect.Pointer, reflect.Interface, reflect.Func, reflect.Chan:
		t.Errorf("%s is a %v: a definition is plain data", path, a.Kind())
	}
	return slices
}

func TestClone(t *testing.T) {
	var d scheme.Definition
	filled(reflect.ValueOf(&d).Elem())
	c := d.Clone()
	if n := disjoint(t, "Definition", reflect.ValueOf(d), reflect.ValueOf(c)); n < 10 {
		t.Errorf("%d slices were compared: does the test still look at anything?", n)
	}
	d.Secret.Refuse = nil // Describe adds it to the credentials
	disjoint(t, "About", reflect.ValueOf(d.About), reflect.ValueOf(d.Describe()))
}

// TestChangesAfterNew: what the caller of New changes afterwards changes no verifier.
func TestChangesAfterNew(t *testing.T) {
	list, other := keys(t, plainSecrets[0]), keys(t, plainSecrets[1])
	d := scheme.Definition{
		Provider:   "acme",
		Signatures: []scheme.Signature{{Header: "Acme-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		Partition:  "Acme-Topic",
		Partitions: []string{"created"},
		MaxBody:    1 << 20,
		Retry:      verify.RetryIdentical,
		About:      verify.About{NotCovered: []string{"the topic"}},
	}
	v, err := scheme.New(d, list, nil)
	if err != nil {
		t.Fatal(err)
	}
	list[0] = other[0]
	d.Signatures[0].Header = "Other-Signature"
	d.Message[0] = scheme.Literal("other")
	d.Partitions[0] = "deleted"
	d.About.NotCovered[0] = "nothing"
	v.About().NotCovered[0] = "nothing"

	if got := v.About().NotCovered[0]; got != "the topic" {
		t.Errorf("About now says %q", got)
	}
	tried, err := v.Keys(context.Background(), nil)
	if err != nil || len(tried) != 1 || string(tried[0].Secret()) != plainSecrets[0] {
		t.Errorf("the keys are no longer those that New was given (%v)", err)
	}
	got, err := verify.Verify(context.Background(), v, &verify.Head{
		Header:     http.Header{"Acme-Signature": {hex.EncodeToString(macOf(sha256.New, plainSecrets[0], "{}"))}, "Acme-Topic": {"created"}},
		ReceivedAt: received,
	}, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Unsigned.Partition != "created" {
		t.Errorf("the partition is now %q", got.Unsigned.Partition)
	}
}

// TestRekeyKeepsOptions: but for its keys the other verifier is the same, options included.
func TestRekeyKeepsOptions(t *testing.T) {
	d := bare()
	d.UnsignedID, d.Partition, d.Partitions = "Acme-Id", "Acme-Topic", []string{"created", "deleted"}
	head := func(secret string) *verify.Head {
		return &verify.Head{
			Header: http.Header{
				d.Signatures[0].Header: {d.Signatures[0].Prefix + hex.EncodeToString(macOf(sha256.New, secret, "{}"))},
				"Acme-Id":              {"7"}, "Acme-Topic": {"deleted"},
			},
			ReceivedAt: received,
		}
	}
	for _, tt := range []struct {
		name string
		o    *scheme.Options
		want string
	}{
		{"the definition's partitions", nil, "deleted"},
		{"other partitions", &scheme.Options{Partitions: []string{"created"}}, ""},
		{"no partitions", &scheme.Options{Partitions: []string{}}, ""},
		{"the unsigned id", &scheme.Options{InsecureDistinctByUnsignedID: true}, "7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := mustNew(t, d, tt.o, plainSecrets[0])
			other, err := v.Rekey(keys(t, plainSecrets[1]))
			if err != nil {
				t.Fatal(err)
			}
			for secret, v := range map[string]verify.Verifier{plainSecrets[0]: v, plainSecrets[1]: other} {
				got, err := verify.Verify(context.Background(), v, head(secret), []byte("{}"))
				if err != nil {
					t.Fatal(err)
				}
				if got.Unsigned.Partition != tt.want {
					t.Errorf("the partition is %q, want %q", got.Unsigned.Partition, tt.want)
				}
			}
		})
	}
}

// TestResignedNeedsATime: without a signed time no attempt differs from another one.
func TestResignedNeedsATime(t *testing.T) {
	d := bare()
	d.ID, d.Retry = scheme.ID{Member: "id"}, verify.RetryResigned
	if _, err := scheme.New(d, keys(t, plainSecrets[0]), nil); err == nil || !strings.Contains(err.Error(), "Timestamp") {
		t.Errorf("the error is %v, want one about the Timestamp", err)
	}
	d.Retry = verify.RetryIdentical
	if _, err := scheme.New(d, keys(t, plainSecrets[0]), nil); err != nil {
		t.Error(err)
	}
}

func TestEqualBodies(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(d *scheme.Definition)
		want bool
	}{
		{"the body alone is signed", func(*scheme.Definition) {}, true},
		{"the body holds an id", func(d *scheme.Definition) { d.ID.Member = "id" }, false},
		{"a header is signed, too", func(d *scheme.Definition) {
			d.Message = []scheme.Part{scheme.Field("Acme-Topic"), scheme.Literal("."), scheme.Body()}
		}, false},
		{"the URL is signed, too", func(d *scheme.Definition) { d.Message = []scheme.Part{scheme.Body(), scheme.URL()} }, true},
	} {
		d := bare()
		tt.edit(&d)
		if got := d.Describe().EqualBodies; got != tt.want {
			t.Errorf("%s: equal bodies are one event: %v, want %v", tt.name, got, tt.want)
		}
	}
}
