package providertest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/verify"
)

// testSecrecy prints everything that a program holds, in every way that a program
// prints, and looks for secrets.
func (b *battery) testSecrecy(t *testing.T) {
	e, other := b.Events[0], b.Events[1]
	ctx := context.Background()
	h := b.genuine(e)
	v := b.verifier(t, b.keys[:2]...)
	d := accept(t, "genuine", v, h, e.Body)
	begin := func() verify.Pending {
		p, err := v.Begin(ctx, h)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	fresh, finished, failed := begin(), begin(), begin()
	if _, err := finished.Finish(ctx, e.Body); err != nil {
		t.Fatal(err)
	}
	_, mismatch := failed.Finish(ctx, other.Body)
	if mismatch == nil && b.Profile.Binding != verify.BindingNone {
		t.Fatal("another body is accepted")
	}
	key := b.keys[0]
	values := map[string]any{
		"Key":                                 key,
		"*Key":                                &key,
		"KeyList":                             verify.KeyList(b.keys),
		"[]Key":                               b.keys,
		"SecretList":                          verify.Secrets(b.Secrets...),
		"SecretList in an unexported field":   struct{ s *verify.SecretList }{verify.Secrets(b.Secrets...)},
		"map of Key":                          map[string]verify.Key{"k": key},
		"Key in a field":                      struct{ K verify.Key }{key},
		"*Key in a field":                     struct{ K *verify.Key }{&key},
		"Key in an unexported field":          struct{ k verify.Key }{key},
		"*Key in an unexported field":         struct{ k *verify.Key }{&key},
		"KeyList in an unexported field":      struct{ k verify.KeyList }{b.keys},
		"KeySource in an unexported field":    struct{ k verify.KeySource }{verify.KeyList(b.keys)},
		"Verifier":                            v,
		"Verifier, dereferenced":              dereferenced(v),
		"Verifier in an unexported field":     struct{ v verify.Verifier }{v},
		"fresh Pending":                       fresh,
		"finished Pending":                    finished,
		"failed Pending":                      failed,
		"failed Pending, dereferenced":        dereferenced(failed),
		"failed Pending, in unexported field": struct{ p verify.Pending }{failed},
		"*Delivery":                           d,
		"Delivery":                            *d,
		"Delivery in an unexported field":     struct{ d verify.Delivery }{*d},
		"refusal":                             mismatch,
		"refusal of a head":                   b.refuseHead(t, "dropped", v, with(h, b.Headers[0])),
		"the scope's error":                   errors.Join(mismatch, fmt.Errorf("of %v", key)),
	}
	secrets := b.secretNeedles()
	// What a failed check computed would be a genuine signature of the forgery.
	expected := b.signatureNeedles(b.genuine(other, b.Secrets[0]), b.genuine(other, b.Secrets[1]))
	for name, value := range values {
		t.Run("no way of printing shows a secret or an expected signature: "+name, func(t *testing.T) {
			for how, text := range printed(value) {
				if problem := leak(text, secrets); problem != "" {
					t.Errorf("%s shows a secret %s", how, problem)
				}
				if problem := leak(text, expected); problem != "" {
					t.Errorf("%s shows a signature %s", how, problem)
				}
			}
		})
	}
	t.Run("a delivery prints no signature", func(t *testing.T) {
		own := b.signatureNeedles(h)
		for how, text := range printed(d) {
			// No array can hide from %w outside of Errorf; vet refuses it.
			if problem := leak(text, own); problem != "" && how != "%w" {
				t.Errorf("%s shows it %s", how, problem)
			}
		}
	})
	t.Run("reflection finds no secret in a key or a verifier", func(t *testing.T) {
		for name, value := range map[string]any{"Key": key, "KeyList": verify.KeyList(b.keys), "SecretList": verify.Secrets(b.Secrets...), "Verifier": v, "Pending": finished} {
			for _, text := range reachable(value) {
				if problem := leak(text, secrets); problem != "" {
					t.Errorf("%s holds a secret %s", name, problem)
				}
			}
		}
	})
	t.Run("refusals hold nothing of the secret, the body or the expected signature", func(t *testing.T) {
		forged := map[string]*verify.Head{
			"another body's": b.genuine(other), "another secret's": b.genuine(e, b.Secrets[verify.MaxKeys]),
			"none": with(h, b.Headers[0]), "an empty head": {ReceivedAt: signedAt},
		}
		if b.Profile.Binding == verify.BindingNone {
			delete(forged, "another body's")
		}
		for _, name := range b.Headers {
			value := h.Header.Get(name)
			forged["garbled "+name] = with(h, name, value+"#")
			forged["cut "+name] = with(h, name, value[:len(value)-1])
			if !b.Repeated || name != b.Headers[0] {
				forged["doubled "+name] = with(h, name, value, value)
			}
			forged["upper case "+name] = with(h, name, strings.ToUpper(value)+"!")
		}
		if w := v.Profile().Window; w != (verify.Window{}) {
			c := *h
			c.ReceivedAt = signedAt.Add(2 * w.Past)
			forged["old"] = &c
		}
		expected := b.signatureNeedles(h, b.genuine(e, b.Secrets[1]))
		body := needles(string(e.Body))
		for name, head := range forged {
			text := b.reject(t, name, v, head, e.Body).Error()
			if problem := leak(text, secrets); problem != "" {
				t.Errorf("%s: the refusal holds a secret %s: %s", name, problem, text)
			}
			if problem := leak(text, expected); problem != "" {
				t.Errorf("%s: the refusal holds the expected signature %s: %s", name, problem, text)
			}
			if problem := leak(text, body); problem != "" {
				t.Errorf("%s: the refusal holds a part of the body %s: %s", name, problem, text)
			}
		}
	})
}

// secretNeedles returns the needles of the secrets. What a sender signs with a private key,
// and the key itself, are long, and no verifier knows them: a piece of each is enough.
func (b *battery) secretNeedles() []needle { return needles(b.pieces(b.Secrets)...) }

func (b *battery) signatureNeedles(heads ...*verify.Head) []needle {
	return needles(b.pieces(b.macs(heads...))...)
}

func (b *battery) pieces(texts []string) []string {
	texts = slices.Clone(texts)
	for i, text := range texts {
		if b.Held != nil {
			texts[i] = text[len(text)/2 : len(text)/2+min(27, len(text)/2)]
		}
	}
	return texts
}

// macs returns the raw signatures in the first header of the heads, as far as
// they are hexadecimal or base64.
func (b *battery) macs(heads ...*verify.Head) []string {
	var macs []string
	for _, h := range heads {
		value := h.Header.Get(b.Headers[0])
		if b.Signature != nil {
			value = b.Signature(value)
		}
		tokens := strings.FieldsFunc(value, func(r rune) bool {
			return !('0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '+' || r == '/')
		})
		for _, token := range tokens {
			if raw, err := hex.DecodeString(token); err == nil && len(raw) >= 16 {
				macs = append(macs, string(raw))
			} else if raw, err := base64.RawStdEncoding.DecodeString(token); err == nil && len(raw) >= 16 {
				macs = append(macs, string(raw))
			}
		}
	}
	return macs
}

func dereferenced(v any) any {
	if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer && !r.IsNil() {
		return r.Elem().Interface()
	}
	return v
}

// printed returns v in every notation that the standard library has for values.
// An encoder that refuses v is asked for its error's text.
func printed(v any) map[string]string {
	out := make(map[string]string)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#x", "%d", "%o", "%b", "%c", "%U", "%t", "%e", "%T", "%p", "%w"} {
		out[verb] = fmt.Sprintf(verb, v)
	}
	out["Sprint"] = fmt.Sprint(v)
	encoded := func(how string, f func(w *bytes.Buffer) error) {
		var w bytes.Buffer
		if err := f(&w); err != nil {
			w.WriteString(err.Error())
		}
		out[how] = w.String()
	}
	encoded("json", func(w *bytes.Buffer) error { return json.NewEncoder(w).Encode(v) })
	encoded("xml", func(w *bytes.Buffer) error { return xml.NewEncoder(w).Encode(v) })
	encoded("gob", func(w *bytes.Buffer) error { return gob.NewEncoder(w).Encode(v) })
	for how, handler := range map[string]func(w *bytes.Buffer) slog.Handler{
		"slog text": func(w *bytes.Buffer) slog.Handler { return slog.NewTextHandler(w, nil) },
		"slog JSON": func(w *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(w, nil) },
	} {
		encoded(how, func(w *bytes.Buffer) error {
			log := slog.New(handler(w))
			log.With("with", v).Info("message", "value", v, slog.Group("group", "value", v), "list", []any{v})
			return nil
		})
	}
	return out
}

// reachable returns the strings and byte sequences that reflection can reach
// from v, in unexported fields, too.
func reachable(v any) []string {
	var out []string
	seen := make(map[uintptr]bool)
	var walk func(r reflect.Value, depth int)
	walk = func(r reflect.Value, depth int) {
		if depth > 40 {
			return
		}
		switch r.Kind() {
		case reflect.String:
			out = append(out, r.String())
		case reflect.Pointer:
			if !r.IsNil() && !seen[r.Pointer()] {
				seen[r.Pointer()] = true
				walk(r.Elem(), depth+1)
			}
		case reflect.Interface:
			if !r.IsNil() {
				walk(r.Elem(), depth+1)
			}
		case reflect.Struct:
			for i := range r.NumField() {
				walk(r.Field(i), depth+1)
			}
		case reflect.Slice, reflect.Array:
			if r.Type().Elem().Kind() == reflect.Uint8 {
				b := make([]byte, r.Len())
				for i := range b {
					b[i] = byte(r.Index(i).Uint())
				}
				out = append(out, string(b))
				return
			}
			for i := range r.Len() {
				walk(r.Index(i), depth+1)
			}
		case reflect.Map:
			for iter := r.MapRange(); iter.Next(); {
				walk(iter.Key(), depth+1)
				walk(iter.Value(), depth+1)
			}
		}
	}
	walk(reflect.ValueOf(v), 0)
	return out
}

// needle is a piece of a secret in one notation.
type needle struct{ text, notation string }

// needles returns the pieces of secrets to look for: nine bytes in a row of each,
// and of what it encodes in base64, in every notation that a program could print
// bytes in.
func needles(secrets ...string) []needle {
	const window = 12 // a multiple of 3, for base64; longer than what secrets may begin with, "v1,whsec_"
	var all []needle
	for _, s := range secrets {
		forms := []string{s}
		if raw, err := base64.StdEncoding.DecodeString(s[strings.LastIndexByte(s, '_')+1:]); err == nil && len(raw) >= window {
			forms = append(forms, string(raw))
		}
		for _, form := range forms {
			for i := 0; i == 0 || i+window <= len(form); i += 3 {
				for notation, text := range notations([]byte(form[i:min(i+window, len(form))])) {
					all = append(all, needle{text, notation})
				}
			}
		}
	}
	return all
}

// leak returns the notation of the first needle in text, or "".
func leak(text string, needles []needle) string {
	for _, n := range needles {
		if strings.Contains(text, n.text) {
			return "in " + n.notation
		}
	}
	return ""
}

func notations(b []byte) map[string]string {
	list := func(verb, separator string) string {
		parts := make([]string, len(b))
		for i, c := range b {
			parts[i] = fmt.Sprintf(verb, c)
		}
		return strings.Join(parts, separator)
	}
	quoted := fmt.Sprintf("%q", b)
	return map[string]string{
		"clear":              string(b),
		"quotes":             quoted[1 : len(quoted)-1],
		"hexadecimal":        hex.EncodeToString(b),
		"upper hexadecimal":  strings.ToUpper(hex.EncodeToString(b)),
		"spaced hexadecimal": list("%02x", " "),
		"Go syntax":          list("%#x", ", "),
		"padded Go syntax":   list("0x%02x", ", "),
		"decimal":            list("%d", " "),
		"decimal with comma": list("%d", ","),
		"octal":              list("%o", " "),
		"binary":             list("%b", " "),
		"base64":             base64.RawStdEncoding.EncodeToString(b),
		"URL-safe base64":    base64.RawURLEncoding.EncodeToString(b),
	}
}
