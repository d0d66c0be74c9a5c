package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/diagnose"
)

// result is the verdict about one capture. Its JSON is described in the comment of
// the package.
type result struct {
	File         string             `json:"file"`
	Index        int                `json:"index,omitempty"`
	Provider     string             `json:"provider"`
	Verdict      string             `json:"verdict"`
	Reason       string             `json:"reason"`
	Error        string             `json:"error"`
	ReceivedAt   time.Time          `json:"received_at"`
	ReceivedFrom source             `json:"received_from"`
	Inexact      string             `json:"inexact"`
	Delivery     *delivery          `json:"delivery"`
	Assertion    *asserted          `json:"assertion,omitempty"`
	Findings     []diagnose.Finding `json:"findings"`
}

// delivery is what was verified.
type delivery struct {
	ID        string     `json:"id"`
	MessageID string     `json:"message_id"`
	Key       string     `json:"key"`
	SignedAt  *time.Time `json:"signed_at"`
	Binding   string     `json:"binding"`
	Unsigned  unsigned   `json:"unsigned"`
}

type unsigned struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

const (
	accept = "accept"
	reject = "reject"
)

// source says where a receive time is from.
type source string

const (
	fromFlag    source = "at"
	fromCapture source = "capture"
	fromNow     source = "now"
)

func (s source) words() string {
	switch s {
	case fromFlag:
		return "from --at"
	case fromCapture:
		return "from the capture"
	}
	return "now, because neither --at nor the capture says when it arrived"
}

func (r *result) accept(d *verify.Delivery) {
	r.Verdict = accept
	r.Delivery = &delivery{
		ID: d.ID, MessageID: d.MessageID, Key: d.KeyLabel, Binding: d.Binding.String(),
		Unsigned: unsigned{ID: d.Unsigned.ID, Type: d.Unsigned.Type},
	}
	if !d.SignedAt.IsZero() {
		at := d.SignedAt.UTC()
		r.Delivery.SignedAt = &at
	}
}

func (r *result) reject(reason verify.Reason, err error) {
	r.Verdict, r.Reason, r.Error = reject, reason.String(), cause(err)
}

func (r *result) add(findings []diagnose.Finding) { r.Findings = append(r.Findings, findings...) }

// name names the capture.
func (r *result) name() string {
	if r.Index > 0 {
		return fmt.Sprintf("%s (delivery %d)", r.File, r.Index)
	}
	return r.File
}

// writeJSON writes r on one line. What a terminal might act on is escaped: a capture's
// own words can hold it.
func (r *result) writeJSON(w *bytes.Buffer) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return err
	}
	for _, c := range text.String() {
		if c == '\n' || unicode.IsPrint(c) {
			w.WriteRune(c)
			continue
		}
		for _, unit := range utf16.Encode([]rune{c}) {
			fmt.Fprintf(w, `\u%04x`, unit)
		}
	}
	return nil
}

// writeText writes r for people.
func (r *result) writeText(w io.Writer, colour bool) {
	line := func(format string, args ...any) { fmt.Fprintf(w, "        "+format+"\n", args...) }
	fmt.Fprintf(w, "%s  %s%s\n", painted(r.Verdict, colour), printable(r.name()), r.headline())
	if r.Verdict == reject {
		line("%s", printable(r.Error))
	}
	line("received %s (%s)", rfc3339(r.ReceivedAt), r.ReceivedFrom.words())
	if r.Assertion != nil {
		for _, said := range r.Assertion.lines() {
			line("%s", printable(said))
		}
	}
	if r.Inexact != "" {
		line("the body is inexact: %s", printable(r.Inexact))
	}
	for _, f := range r.Findings {
		line("%s: %s", f.Confidence, f.ID)
		line("  %s", printable(f.Text))
		line("  Fix: %s", printable(f.Fix))
	}
}

// headline returns the rest of the first line.
func (r *result) headline() string {
	if r.Verdict == reject {
		return ": " + r.Reason
	}
	var said []string
	add := func(what, value string) {
		if value != "" {
			said = append(said, what+" "+printable(value))
		}
	}
	d := r.Delivery
	add(": event", d.ID)
	add("transmission", d.MessageID)
	if d.SignedAt != nil {
		add("signed", rfc3339(*d.SignedAt))
	}
	add("key", d.Key)
	add("unsigned type", d.Unsigned.Type)
	add("unsigned id", d.Unsigned.ID)
	return ": " + strings.TrimPrefix(strings.Join(said, ", "), ": ")
}

// painted returns a verdict in its colour.
func painted(verdict string, colour bool) string {
	switch {
	case !colour:
		return verdict
	case verdict == accept:
		return "\x1b[32m" + verdict + "\x1b[0m"
	}
	return "\x1b[31m" + verdict + "\x1b[0m"
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
