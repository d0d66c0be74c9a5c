package schemejson

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/scheme"
)

// node is a part of a JSON Schema.
type node struct {
	Type       string           `json:"type"`
	Ref        string           `json:"$ref"`
	Enum       []string         `json:"enum"`
	Const      int              `json:"const"`
	Additional *bool            `json:"additionalProperties"`
	Required   []string         `json:"required"`
	Properties map[string]*node `json:"properties"`
	Items      *node            `json:"items"`
	Defs       map[string]*node `json:"$defs"`
}

// TestSchema: the JSON Schema lists the members that are read, and no others.
func TestSchema(t *testing.T) {
	var root node
	if err := json.Unmarshal([]byte(Schema()), &root); err != nil {
		t.Fatal(err)
	}
	if root.Properties["version"].Const != Version {
		t.Errorf("the version is %d, want %d", root.Properties["version"].Const, Version)
	}
	seen := 0
	var compare func(path string, n *node, typ reflect.Type)
	compare = func(path string, n *node, typ reflect.Type) {
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if n == nil {
			t.Errorf("%s is not there", path)
			return
		}
		if n.Ref != "" {
			n = root.Defs[strings.TrimPrefix(n.Ref, "#/$defs/")]
		}
		seen++
		want := map[reflect.Kind]string{reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Int64: "integer", reflect.Slice: "array", reflect.Struct: "object"}[typ.Kind()]
		if n.Type != want && path != "version" {
			t.Errorf("%s is of the type %q, want %q", path, n.Type, want)
		}
		switch typ.Kind() {
		case reflect.Slice:
			compare(path+"[]", n.Items, typ.Elem())
		case reflect.Struct:
			if n.Additional == nil || *n.Additional {
				t.Errorf("%s may have other members", path)
			}
			var names, required []string
			for i := range typ.NumField() {
				name := nameOf(typ.Field(i))
				names = append(names, name)
				if typ.Field(i).Tag.Get("need") != "" {
					required = append(required, name)
				}
				compare(strings.TrimPrefix(path+"."+name, "."), n.Properties[name], typ.Field(i).Type)
			}
			slices.Sort(names)
			if got := slices.Sorted(maps.Keys(n.Properties)); !slices.Equal(got, names) {
				t.Errorf("%s has the members %q, want %q", path, got, names)
			}
			if !slices.Equal(n.Required, required) {
				t.Errorf("%s requires %q, want %q", path, n.Required, required)
			}
		}
	}
	compare("", &root, reflect.TypeOf(document{}))
	if seen < 80 {
		t.Errorf("%d members were compared: does the test still look at anything?", seen)
	}
	for path, want := range map[string][]string{
		"signature encoding": names(encodings()), "signature algorithm": names(algorithms()), "timestamp unit": names(units()),
		"secret encoding": append(names(secretEncodings()), publicKey), "part part": append(names(partNames()), fixedField, uuidField, uuidOrHash),
		"handshake kind": names(handshakeKinds()), "jsonStyle space": names(jsonSpaces()),
	} {
		def, member, _ := strings.Cut(path, " ")
		if got := root.Defs[def].Properties[member].Enum; !slices.Equal(got, want) {
			t.Errorf("%s is one of %q, want %q", path, got, want)
		}
	}
	for member, want := range map[string][]string{"retry": names(retries()), "compression": names(compressions()), "kind": {Data}} {
		if got := root.Properties[member].Enum; !slices.Equal(got, want) {
			t.Errorf("%s is one of %q, want %q", member, got, want)
		}
	}
}

// TestNames: whatever the engine knows has a name.
func TestNames(t *testing.T) {
	n := 0
	for a := range scheme.Algorithm(255) {
		if a.String() == "invalid" {
			continue
		}
		n++
		if _, err := algorithms().nameOf(a); err != nil {
			t.Errorf("%v: %v", a, err)
		}
	}
	if n != len(algorithms()) {
		t.Errorf("the engine knows %d algorithms, and the form %d", n, len(algorithms()))
	}
}

func names[T comparable](e enum[T]) []string {
	var all []string
	for _, n := range e {
		all = append(all, n.name)
	}
	return all
}
