package capture

import (
	"bytes"
	"encoding/json"
	"net/http"
)

func parseDelivery(d *document) (*Capture, error) {
	var g delivery
	err := d.object(members{
		{"delivered_at", d.string(&g.at)},
		{"url", d.string(&g.url)},
		{"request", func() error { return g.request(d) }},
	})
	if err != nil {
		return nil, err
	}
	return g.capture(d)
}

// delivery is what matters of a delivery as GitHub's REST API returns it, for example
// GET /repos/{owner}/{repo}/hooks/{hook_id}/deliveries/{delivery_id}.
type delivery struct {
	at, url string
	c       Capture
	payload json.RawMessage
}

func (g *delivery) request(d *document) error {
	return d.object(members{
		{"headers", d.fields(&g.c, false)},
		{"payload", d.value(&g.payload, "an object")},
	})
}

// capture returns the delivery. GitHub sends JSON without white space, so that is the
// best guess at what it has sent.
func (g *delivery) capture(d *document) (*Capture, error) {
	if len(g.c.Header) == 0 {
		return nil, d.errorf("want request.headers, an object")
	}
	if !bytes.HasPrefix(g.payload, []byte("{")) {
		return nil, d.errorf("want request.payload, an object")
	}
	var body bytes.Buffer
	json.Compact(&body, g.payload) // which is valid JSON
	g.c.Method, g.c.Body = http.MethodPost, body.Bytes()
	g.c.Inexact = "GitHub's API has serialised the payload again, so its bytes need not be those that were signed: record a delivery where it arrives, or redeliver this one to a recorder"
	return d.complete(&g.c, "delivered_at", g.at, "url", g.url)
}
