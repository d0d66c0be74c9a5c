package scheme_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"reflect"
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
	}
	v, err := scheme.New(d, list, nil)
	if err != nil {
		t.Fatal(err)
	}
	list[0] = other[0]
	d.Signatures[0].Header = "Other-Signature"
	d.Message[0] = scheme.Literal("other")
	d.Partitions[0] = "deleted"

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
