package main

import (
	"strings"
	"testing"
)

// The attacks must reach the server, and no genuine delivery may be lost.
func TestNoGenuineDeliveryIsLost(t *testing.T) {
	var out strings.Builder
	lost, err := show(&out, true, 0, 40<<10)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(out.String())
	if lost {
		t.Error("genuine deliveries were lost")
	}
	if strings.Contains(out.String(), "0 of 0") || strings.HasPrefix(out.String(), "0 heads") {
		t.Error("nothing was sent")
	}
}
