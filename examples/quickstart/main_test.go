package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestPromises(t *testing.T) {
	var out strings.Builder
	if err := play(&out, script()); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	if n := strings.Count(out.String(), "\n"); n < 80 {
		t.Errorf("the table has %d lines: was the script played at every endpoint?\n%s", n, out.String())
	}
}

func TestBrokenPromise(t *testing.T) {
	for name, breakIt := range map[string]func(*outcome){
		"status": func(o *outcome) { o.status = 202 },
		"note":   func(o *outcome) { o.note = "Retry-After" },
		"runs":   func(o *outcome) { o.runs = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			s := script()
			breakIt(&s[0].steps[0].promised)
			var out strings.Builder
			if err := play(&out, s); err == nil {
				t.Error("no error")
			}
			if n := strings.Count(out.String(), "BROKEN"); n != 6 {
				t.Errorf("BROKEN stands %d times in the table, want it once for each endpoint:\n%s", n, out.String())
			}
		})
	}
}

// TestLines pastes what -serve prints into a shell.
func TestLines(t *testing.T) {
	for _, tool := range []string{"sh", "curl", "openssl", "awk"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	printed, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- serve(ctx, out, l)
		out.Close()
	}()

	lines := bufio.NewReader(printed)
	var paste strings.Builder
	for end := false; !end; {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if paste.Len() > 0 || strings.HasPrefix(line, "secret=") {
			paste.WriteString(line)
		}
		end = strings.HasPrefix(line, "curl -i ") && strings.Contains(line, "github")
	}
	log := make(chan string)
	go func() {
		rest, _ := io.ReadAll(lines)
		log <- string(rest)
	}()

	cmd := exec.CommandContext(ctx, "sh")
	cmd.Stdin = strings.NewReader(paste.String())
	responses, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, m := range regexp.MustCompile(`HTTP/1.1 (\d+)`).FindAllSubmatch(responses, -1) {
		got = append(got, string(m[1]))
	}
	for _, m := range regexp.MustCompile(`== .*: (\d+)`).FindAllSubmatch(responses, -1) {
		want = append(want, string(m[1]))
	}
	if len(want) != 8 || !slices.Equal(got, want) {
		t.Errorf("responses are %v, announced are %v:\n%s", got, want, responses)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if s := <-log; strings.Count(s, "handled") != 2 {
		t.Errorf("want two events handled, got\n%s", s)
	}
}
