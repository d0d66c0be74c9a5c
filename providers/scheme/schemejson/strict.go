package schemejson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/hooknotary/hooknotary/providers/internal/strictjson"
)

const maxValues = 8 << 10 // in a document

// parse reads a text into the document, if each of its members is one of the form's.
func parse(text []byte) (*document, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("the text has more than %d bytes; a document holds one definition", MaxSize)
	}
	value, err := strictjson.Parse(text, maxValues)
	switch {
	case errors.Is(err, strictjson.ErrDuplicate):
		return nil, errors.New("a name stands twice in one object")
	case errors.Is(err, strictjson.ErrBounds):
		return nil, errors.New("there are too many values, or they are nested too deeply")
	case err != nil:
		return nil, errors.New("the text is no JSON")
	}
	var d document
	if err := fits("", value, reflect.TypeOf(d)); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return nil, errors.New("the text does not have the form of a definition") // fits says why
	}
	return &d, nil
}

var whole = regexp.MustCompile(`^(0|[1-9][0-9]{0,17})$`)

// fits says why a value cannot be read into that type. Package encoding/json takes more: names
// in other letters, and null for anything.
func fits(path string, v strictjson.Value, t reflect.Type) error {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	place := path
	if place == "" {
		place = "the document"
	}
	want := ""
	switch t.Kind() {
	case reflect.Struct:
		if v.Kind == strictjson.Object {
			return fitsObject(path, v, t)
		}
		want = "an object"
	case reflect.Slice:
		if v.Kind == strictjson.Array {
			for i, e := range v.Elements {
				if err := fits(fmt.Sprintf("%s[%d]", path, i), e, t.Elem()); err != nil {
					return err
				}
			}
			return nil
		}
		want = "an array"
	case reflect.String:
		if v.Kind == strictjson.String {
			return nil
		}
		want = "a string"
	case reflect.Bool:
		if v.Kind == strictjson.Bool {
			return nil
		}
		want = "true or false"
	default:
		if v.Kind == strictjson.Number && whole.MatchString(v.Text) {
			return nil
		}
		want = "a whole number without sign, fraction and exponent"
	}
	return fmt.Errorf("%s is not %s", place, want)
}

func fitsObject(path string, v strictjson.Value, t reflect.Type) error {
	at := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	there := make(map[string]bool)
	for _, m := range v.Members {
		there[m.Name] = true
		field, ok := fieldOf(t, m.Name)
		if !ok {
			return fmt.Errorf("there is no member %.80q; see the members of the form in providers/scheme/schemejson/schema.json", at(m.Name))
		}
		if err := fits(at(m.Name), m.Value, field.Type); err != nil {
			return err
		}
	}
	for i := range t.NumField() {
		if name := nameOf(t.Field(i)); t.Field(i).Tag.Get("need") != "" && !there[name] {
			return fmt.Errorf("the member %s is missing, and has no default", at(name))
		}
	}
	return nil
}

// fieldOf returns the field for a member's name, which must be written as it is there.
func fieldOf(t reflect.Type, name string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if nameOf(t.Field(i)) == name {
			return t.Field(i), true
		}
	}
	return reflect.StructField{}, false
}

// nameOf returns what a field is called in JSON.
func nameOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// valid reports whether all texts in a value are UTF-8, without which JSON would not say
// what they are.
func valid(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		return utf8.ValidString(v.String())
	case reflect.Pointer:
		return v.IsNil() || valid(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if !valid(v.Field(i)) {
				return false
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if !valid(v.Index(i)) {
				return false
			}
		}
	}
	return true
}
