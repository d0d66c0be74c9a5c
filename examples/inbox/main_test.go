package main

import (
	"bytes"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if c := os.Getenv(childEnv); c != "" {
		log.Fatal(serve(c))
	}
	m.Run()
}

func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, line := range []string{"booked: 2", "With the inbox, each payment was booked once."} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("%q is missing in\n%s", line, &out)
		}
	}
}

// A promise that does not hold is an error.
func TestPlayFails(t *testing.T) {
	for _, s := range []scene{
		{"without the inbox, and yet booked once", false, afterBooking, 1, 1},
		{"with the inbox, and yet booked twice", true, afterBooking, 1, 2},
		{"not booked by the delivery", true, "", 0, 1},
		{"not killed", true, "nowhere", 1, 1},
	} {
		t.Run(s.title, func(t *testing.T) {
			var out bytes.Buffer
			if err := s.play(t.Context(), &out, filepath.Join(t.TempDir(), "shop.db")); err == nil {
				t.Errorf("no error:\n%s", &out)
			}
		})
	}
}
