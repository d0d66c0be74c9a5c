package verify_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/verify"
)

func TestProfileCheck(t *testing.T) {
	t.Run("a bad head is refused whatever its signature says", func(t *testing.T) {
		json := verify.Profile{Provider: "acme", MaxBody: 100, Binding: verify.BindingFull}
		form := json
		form.MediaType = "application/x-www-form-urlencoded"
		packed := func(c verify.Compression) verify.Profile {
			p := json
			p.Compression = c
			return p
		}
		head := func(method string, fields ...string) *verify.Head {
			h := &verify.Head{Method: method, Header: http.Header{}}
			for i := 0; i < len(fields); i += 2 {
				h.Header.Add(fields[i], fields[i+1])
			}
			return h
		}
		const contentType, encoding = "Content-Type", "Content-Encoding"
		for _, tt := range []struct {
			name    string
			profile verify.Profile
			head    *verify.Head
			length  int64
			want    verify.Reason // 0: good
			says    string
		}{
			{"a POST of JSON", json, head("POST", contentType, "application/json"), 100, 0, ""},
			{"a GET", json, head("GET", contentType, "application/json"), 0, verify.ErrMethod, ""},
			{"a PUT", json, head("PUT", contentType, "application/json"), 100, verify.ErrMethod, ""},
			{"a method in lower case", json, head("post", contentType, "application/json"), 100, verify.ErrMethod, ""},
			{"no method", json, head("", contentType, "application/json"), 100, verify.ErrMethod, ""},

			{"no media type", json, head("POST"), 100, 0, ""},
			{"a media type in capitals with a parameter", json, head("POST", contentType, "Application/JSON ; charset=utf-8"), 100, 0, ""},
			{"another media type", json, head("POST", contentType, "text/json"), 100, verify.ErrMediaType, `"text/json", and the endpoint takes application/json alone`},
			{"an empty media type", json, head("POST", contentType, ""), 100, verify.ErrMediaType, `""`},
			{"a media type that starts as the right one", json, head("POST", contentType, "application/json5"), 100, verify.ErrMediaType, ""},
			{"two media types in one line", json, head("POST", contentType, "application/json, application/json"), 100, verify.ErrMediaType, ""},
			{"a media type twice", json, head("POST", contentType, "application/json", contentType, "application/json"), 100, verify.ErrMediaType, "repeated"},
			{"a form where JSON is due", json, head("POST", contentType, form.MediaType), 100, verify.ErrMediaType, ""},
			{"a form where a form is due", form, head("POST", contentType, form.MediaType), 100, 0, ""},
			{"JSON where a form is due", form, head("POST", contentType, "application/json"), 100, verify.ErrMediaType, "takes application/x-www-form-urlencoded alone"},

			{"an empty encoding", json, head("POST", encoding, ""), 100, 0, ""},
			{"the encoding that is none", json, head("POST", encoding, "Identity"), 100, 0, ""},
			{"an encoding", json, head("POST", encoding, "gzip"), 100, verify.ErrMediaType, `the Content-Encoding is "gzip"`},
			{"an encoding behind none", json, head("POST", encoding, "identity, gzip"), 100, verify.ErrMediaType, ""},
			{"an encoding twice", json, head("POST", encoding, "identity", encoding, "identity"), 100, verify.ErrMediaType, ""},
			{"gzip where the gzip bytes are signed", packed(verify.GzipSigned), head("POST", encoding, "gzip"), 100, 0, ""},
			{"gzip where what it holds is signed", packed(verify.GzipUnpacked), head("POST", encoding, "GZip"), 100, 0, ""},
			{"no encoding where gzip may be", packed(verify.GzipUnpacked), head("POST"), 100, 0, ""},
			{"deflate where gzip may be", packed(verify.GzipUnpacked), head("POST", encoding, "deflate"), 100, verify.ErrMediaType, `"deflate", and the endpoint takes one gzip or none`},
			{"br where gzip may be", packed(verify.GzipSigned), head("POST", encoding, "br"), 100, verify.ErrMediaType, ""},
			{"x-gzip where gzip may be", packed(verify.GzipUnpacked), head("POST", encoding, "x-gzip"), 100, verify.ErrMediaType, ""},
			{"gzip twice in one line", packed(verify.GzipUnpacked), head("POST", encoding, "gzip, gzip"), 100, verify.ErrMediaType, ""},
			{"gzip twice", packed(verify.GzipUnpacked), head("POST", encoding, "gzip", encoding, "gzip"), 100, verify.ErrMediaType, ""},
			{"gzip that is announced too large", packed(verify.GzipUnpacked), head("POST", encoding, "gzip"), 101, verify.ErrTooLarge, ""},

			{"an empty body", json, head("POST"), 0, 0, ""},
			{"a body of unknown length", json, head("POST"), -1, 0, ""},
			{"a body that is announced too large", json, head("POST"), 101, verify.ErrTooLarge, "has 101 bytes, and the limit is 100"},
			{"a body where the profile has no limit", verify.Profile{}, head("POST"), 1, verify.ErrTooLarge, ""},

			{"no head", json, nil, 0, verify.ErrMalformed, ""},
			{"everything at once", json, head("GET", contentType, "text/json", encoding, "gzip"), 101, verify.ErrMethod, ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				err := tt.profile.Check(tt.head, tt.length)
				if got := verify.ReasonOf(err); got != tt.want || (err != nil) != (tt.want != 0) {
					t.Fatalf("error is %v, want the reason %q", err, tt.want)
				}
				if err == nil {
					return
				}
				if e := new(verify.Error); !errors.As(err, &e) || e.Reason != tt.want {
					t.Errorf("error is a %T, want a *verify.Error", err)
				}
				if !strings.Contains(err.Error(), tt.says) {
					t.Errorf("error is %q, want it to say %q", err, tt.says)
				}
			})
		}
	})

	// The error is for a log, and anyone can cause it.
	t.Run("little of a long header is quoted", func(t *testing.T) {
		p := verify.Profile{MaxBody: 1}
		for _, name := range []string{"Content-Type", "Content-Encoding"} {
			h := &verify.Head{Method: "POST", Header: http.Header{name: {strings.Repeat("\n", 64<<10)}}}
			err := p.Check(h, 0)
			if verify.ReasonOf(err) != verify.ErrMediaType || len(err.Error()) > 500 || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: error has %d bytes: %.600q", name, len(err.Error()), err)
			}
			if n := testing.AllocsPerRun(100, func() { p.Check(h, 0) }); n > 2 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	})
}
