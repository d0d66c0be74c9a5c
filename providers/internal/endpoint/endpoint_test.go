package endpoint_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/hooknotary/hooknotary/providers/internal/endpoint"
	"github.com/hooknotary/hooknotary/verify"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, text  string
		base, query string
		tells       string // "": it is taken
	}{
		{"a path", "https://a.example/hooks", "https://a.example/hooks", "", ""},
		{"a host alone", "https://a.example", "https://a.example", "", ""},
		{"a query", "https://a.example/hooks?x=1&y=%20", "https://a.example/hooks", "x=1&y=%20", ""},
		{"a question mark in the query", "https://a.example/?x=?", "https://a.example/", "x=?", ""},
		{"a query alone", "https://a.example?x=1", "https://a.example", "x=1", ""},
		{"plain http, a port, a password and two slashes", "http://u:p@a.example:8080//hooks", "http://u:p@a.example:8080//hooks", "", ""},

		{"nothing", "", "", "", "registered"},
		{"a path alone", "/hooks", "", "", "registered"},
		{"no scheme", "a.example/hooks", "", "", "registered"},
		{"another scheme", "ftp://a.example/", "", "", "registered"},
		{"a scheme in upper case", "HTTPS://a.example/", "", "", "registered"},
		{"no host", "https:///hooks", "", "", "registered"},
		{"a port alone", "https://:443/hooks", "", "", "registered"},
		{"a blank", "https://a.example/a b", "", "", "registered"},
		{"a line break", "https://a.example/\n", "", "", "registered"},
		{"a letter outside of ASCII", "https://a.example/é", "", "", "registered"},
		{"a fragment", "https://a.example/#rc=2", "", "", "fragment"},
		{"an empty fragment", "https://a.example/#", "", "", "fragment"},
		{"more than 2048 bytes", "https://a.example/" + strings.Repeat("a", 2048), "", "", "2048"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, err := endpoint.Parse(tt.text)
			if tt.tells != "" {
				if err == nil || !strings.Contains(err.Error(), tt.tells) || strings.Contains(err.Error(), "example") {
					t.Errorf("error is %v, want it to say %q and nothing of the URL", err, tt.tells)
				}
				return
			}
			if err != nil || u.Text != tt.text || u.Base != tt.base || u.Query != tt.query {
				t.Errorf("URL is %+v, %v", u, err)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	u, err := endpoint.Parse("https://a.example/hooks?x=1")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		url  *url.URL
		ok   bool
	}{
		{"no URL", nil, true},
		{"the query", &url.URL{Path: "/elsewhere", RawQuery: "x=1"}, true},
		{"another one", &url.URL{RawQuery: "x=2"}, false},
		{"none", &url.URL{}, false},
		{"one that reads alike", &url.URL{RawQuery: "x=%31"}, false},
	} {
		err := u.Check(&verify.Head{URL: tt.url})
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, verify.ErrMalformed) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
