package main

import (
	"bytes"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCutConnections(t *testing.T) {
	bodies := make(chan string, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			b = []byte("broken")
		}
		bodies <- string(b)
	}))
	defer srv.Close()
	addr := srv.Listener.Addr().String()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialer(func(string) string { return addr })}}

	for _, test := range []struct {
		at       cut
		answered bool
		arrived  string
	}{
		{uncut, true, strings.Repeat("x", 500)},
		{cutRequest, false, "broken"},
		{cutResponse, false, strings.Repeat("x", 500)},
	} {
		req := httptest.NewRequestWithContext(withCut(t.Context(), test.at), http.MethodPost, "http://a/", strings.NewReader(strings.Repeat("x", 500)))
		req.RequestURI = ""
		res, err := client.Do(req)
		if err == nil {
			res.Body.Close()
		}
		if (err == nil) != test.answered {
			t.Errorf("cut %q: %v", test.at, err)
		}
		if got := <-bodies; got != test.arrived {
			t.Errorf("cut %q: %q arrived", test.at, got)
		}
	}
}

func TestCollisions(t *testing.T) {
	for _, body := range []string{"", `{"id":"WH-1"}`, strings.Repeat("a", 1000)} {
		want := rand.Uint32()
		forged := collide([]byte(body), want)
		if got := crc32.ChecksumIEEE(forged); got != want || !bytes.HasPrefix(forged, []byte(body)) {
			t.Errorf("%q: CRC-32 %x, want %x", forged, got, want)
		}
	}
}

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	r, err := openReader(path)
	if err != nil {
		t.Fatal(err)
	}
	j, err := openJournal(path, "a1")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Unix(0, 12345)
	j.write("p1", acquired, from, "-")
	j.write("p1", ran, time.Time{}, "0x1")
	marks, err := r.next()
	if err != nil || len(marks) != 2 {
		t.Fatalf("%v, %v", marks, err)
	}
	if m := marks[0]; m.process != "a1" || m.request != "p1" || m.kind != acquired || !m.from.Equal(from) || time.Since(m.at) > time.Minute {
		t.Errorf("got %v", m)
	}
	if m := marks[1]; m.kind != ran || m.detail != "0x1" || !m.from.IsZero() {
		t.Errorf("got %v", m)
	}
	j.file.WriteString("half a li")
	if marks, err := r.next(); err != nil || len(marks) != 0 {
		t.Errorf("%v, %v", marks, err)
	}
	j.file.WriteString("ne\n")
	if _, err := r.next(); err == nil {
		t.Error("a line that is no mark was taken")
	}
}

func TestFates(t *testing.T) {
	want := fate{before: 3 * time.Millisecond, after: 1200 * time.Millisecond, end: fails, crash: beforeCommit, detached: true}
	if got, err := parseFate(want.String()); err != nil || got != want {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := parseFate(""); err == nil {
		t.Error("no fate was taken for one")
	}
}
