package diagnose

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/diagnose/internal/jsonform"
)

// How many pairs of sorted members say that something sorted them: of a provider that is
// known not to, and of one that is not known.
const (
	fewPairs  = 4
	manyPairs = 10
)

// guess adds what the capture looks like, where nothing can be proved.
func (q *inquiry) guess(h *verify.Head) {
	add := func(id ID) { q.found = append(q.found, explain(id, Likely)) }
	if q.c.Inexact != "" {
		add(BodyInexact)
		return
	}
	body := q.c.Body
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		add(BodyEmpty)
		return
	case string(body) == "[object Object]" || bytes.HasPrefix(body, []byte("{'")):
		add(BodyReserialised)
		return
	}
	q.guessBody(h.Header, body)
	for _, k := range q.keys {
		if credential(string(k.Secret())) {
			add(SecretAPIKey)
			break
		}
	}
	if q.introspect != nil {
		q.bySender(h.Header, q.introspect.SecurityHeaders())
	}
	q.found = append(q.found, q.wrong())
}

// guessBody adds what the body looks like.
func (q *inquiry) guessBody(h http.Header, body []byte) {
	add := func(id ID) { q.found = append(q.found, explain(id, Likely)) }
	length, err := strconv.Atoi(h.Get("Content-Length"))
	if len(q.open) > 0 || err == nil && len(body) < length && !q.json {
		add(BodyTruncated)
	}
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") && q.profile.Compression != verify.GzipSigned {
		add(BodyGzip)
	}
	if bytes.Contains(body, []byte("\ufffd")) {
		add(BodyCharset)
	}
	if !q.json {
		return
	}
	form := strings.HasPrefix(h.Get("Content-Type"), "application/x-www-form-urlencoded")
	if form || q.profile.MediaType == "application/x-www-form-urlencoded" {
		add(BodyFormDecoded)
	}
	sorted, pairs := q.document.Sorted()
	sorted = sorted && pairs >= fewPairs && (!q.usual().Sorts || pairs >= manyPairs)
	escaped := bytes.Contains(body, []byte(`\u003c`)) || bytes.Contains(body, []byte(`\u003e`)) || bytes.Contains(body, []byte(`\u0026`))
	lossy := lossy(q.document.Numbers())
	switch {
	case sorted && (escaped || lossy):
		add(BodyReserialised)
	case sorted:
		add(BodyKeyOrder)
	case lossy:
		add(BodyNumbers)
	case err == nil && len(body) != length:
		q.found = append(q.found, explainf(BodyReserialised, Likely,
			"The body has %d bytes and is whole, and Content-Length says %d: something parsed it and serialised it again.", len(body), length))
	}
}

// lossy reports whether integers look as if they went through a float64: one with many
// zeros at its end, or all of several.
func lossy(numbers []string) bool {
	large, round := 0, 0
	for _, s := range numbers {
		if strings.Contains(s, "e+") || len(s) > 16 && jsonform.IsInteger(s) && strings.HasSuffix(s, "000") {
			return true
		}
		if len(s) > 16 && jsonform.IsInteger(s) {
			large++
			if _, _, ok := jsonform.Rounded(s); ok && strings.HasSuffix(s, "0") {
				round++
			}
		}
	}
	return large > 1 && large == round
}

// wrong is the finding of last resort.
func (q *inquiry) wrong() Finding {
	f := q.lastResort()
	f.Text = strings.TrimSuffix(f.Text, ".")
	if len(q.ruledOut) > 0 {
		f.Text += "; ruled out: " + strings.Join(q.ruledOut, ", ")
	}
	leftOut := slices.Clone(q.leftOut)
	if q.json {
		leftOut = append(leftOut, "another order of its members")
	}
	leftOut = append(leftOut, "a body with other values than were signed")
	f.Text += "; not ruled out: " + strings.Join(leftOut, ", ")
	if q.cut {
		f.Text += " (not all of it was tried, because the diagnosis was ended or reached its bounds)"
	}
	f.Text += "."
	return f
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
