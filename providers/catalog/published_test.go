package catalog_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/catalog"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// published is a delivery that others published, in the collection's folder of other
// providers.
type published struct {
	ID, Provider         string
	Hash, Encoding, Mode string   // settings of the endpoint, where it has any
	VerifyAt             *float64 `json:"verify_at"` // seconds since 1970
	Keys                 []struct{ Kind, Format, Value, ID, Alg string }
	Request              struct {
		Method, URL string
		Headers     map[string]string
		Body        []byte `json:"body_base64"`
	}
	Expect struct{ Verdict, Reason string }
}

// senders says under which name of the catalogue the deliveries of a provider are, where it
// is another one than the collection's without hyphens; the longest prefix of an id counts.
var senders = map[string]string{
	"adyen-platform-":       "adyenplatform",
	"aws-sns":               "sns",
	"bitbucket-server":      "bitbucket",
	"sinch-conversation":    "sinchconversation",
	"sns-":                  "sns",
	"standard-webhooks-v1":  "standardwebhooks",
	"standard-webhooks-v1a": "standardwebhooksv1a",
	"vonage-sms-":           "vonagesms",
	"rfc9421-":              "httpsig",
	"messagebird-legacy-":   "bird",
	"apple-":                "apple",
}

func (p *published) sender() string {
	name, longest := strings.ReplaceAll(p.Provider, "-", ""), ""
	for prefix, sender := range senders {
		if strings.HasPrefix(p.ID, prefix) && len(prefix) > len(longest) {
			name, longest = sender, prefix
		}
	}
	return name
}

func loadPublished(t *testing.T) []*published {
	t.Helper()
	root := os.Getenv(vector.Variable)
	if root == "" {
		t.Skipf("%s is not set: the published vectors are not tested", vector.Variable)
	}
	files, err := filepath.Glob(filepath.Join(root, "extra", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []*published
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p := new(published)
		if err := json.Unmarshal(text, p); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, p)
	}
	if len(all) < 150 {
		t.Fatalf("found %d published vectors, want at least 150", len(all))
	}
	return all
}

// judged returns the verdict of the sender's own verifier, or false where no sender of that
// name ships here.
func (p *published) judged(t *testing.T) (string, bool) {
	t.Helper()
	name := p.sender()
	sender, ok := catalog.Lookup(name)
	if !ok {
		return "", false
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) // where the scheme has no time
	if p.VerifyAt != nil {
		at = time.UnixMilli(int64(*p.VerifyAt * 1000))
	}
	if strings.HasPrefix(p.ID, "pusher-") { // the collection knows no time that stands in the body
		at = time.UnixMilli(1327078148132)
	}
	head := &verify.Head{Method: p.Request.Method, Header: make(http.Header), ReceivedAt: at}
	for name, value := range p.Request.Headers {
		head.Header.Add(name, value)
	}
	var err error
	if head.URL, err = url.Parse(p.Request.URL); err != nil {
		t.Fatal(err)
	}
	if byOwnTest(t, sender.Package, p) {
		return byItsOwnTest, true
	}
	if sender.Definition == nil {
		return "no test of package " + sender.Package + " judges it", true
	}
	v, err := p.verifierOf(*sender.Definition)
	if err != nil {
		return "no verifier: " + err.Error(), true
	}
	_, err = verify.Verify(context.Background(), v, head, p.Request.Body)
	if err != nil {
		return "reject", true
	}
	return "accept", true
}

// choose changes a definition as the packages say that an endpoint does whose sender has
// settings.
func (p *published) choose(d *scheme.Definition) {
	if p.Provider == "convoy" {
		s := &d.Signatures[0]
		if p.Mode == "simple" {
			*s = scheme.Signature{Header: s.Header}
			d.Timestamp, d.Message = scheme.Timestamp{}, []scheme.Part{scheme.Body()}
		}
		if p.Hash == "SHA512" {
			s.Algorithm = scheme.HMACSHA512
		}
		if p.Encoding == "base64" {
			s.Encoding = scheme.Base64
		}
	}
}

// verifierOf makes the verifier of a sender that is data.
func (p *published) verifierOf(d scheme.Definition) (verify.Verifier, error) {
	p.choose(&d)
	public := slices.Contains([]scheme.Algorithm{scheme.Ed25519, scheme.ECDSAP256SHA256, scheme.RSASHA256}, d.Signatures[0].Algorithm)
	var texts []string
	for _, k := range p.Keys {
		if strings.HasSuffix(k.Kind, "-public") == public {
			if k.Format == "utf8-nfkd" { // the text of the secret is decomposed
				k.Value = strings.ReplaceAll(k.Value, "é", "e\u0301")
			}
			texts = append(texts, k.Value)
		}
	}
	o := &scheme.Options{InsecureAllowShortSecret: true}
	if slices.ContainsFunc(d.Message, func(part scheme.Part) bool { return part.Kind() == scheme.URLPart }) {
		o.URL = p.Request.URL
	}
	keys := verify.Secrets(texts...)
	if public {
		keys = verify.PublicKeys(texts...)
	}
	v, err := scheme.New(d, keys, o)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// byItsOwnTest is what stands for a verdict where only the test of the sender's package knows
// the settings of the endpoint.
const byItsOwnTest = "judged by the test of its package"

// byOwnTest reports whether the test of a sender's package judges a published delivery: it
// names it, or reads all of its provider.
func byOwnTest(t *testing.T, folder string, p *published) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{
			"(t, \"" + p.Provider + "\")", "(t, \"" + strings.ReplaceAll(p.Provider, "-", "") + "\")", p.ID + ".json", "extra/" + folder + "-*.json",
		} {
			if strings.Contains(string(text), word) {
				return true
			}
		}
	}
	return false
}

// inModule lists the prefixes of ids that the tests of a nested module judge.
var inModule = []string{"messagebird-jwt-"}

// otherwise lists deliveries that the test of its own package judges otherwise, on purpose,
// and says why.
var otherwise = []string{
	"plivo-v2", // version 2 covers neither the query nor the body, so only version 3 is taken
}

// TestPublished judges each delivery that others published, by the verifier that its
// receiver would make. Intended differences stand in a file, with their reasons.
func TestPublished(t *testing.T) {
	compare, done := vector.Differences(t, "testdata/differences.md")
	right, elsewhere := 0, 0
	var lacking []string
	for _, p := range loadPublished(t) {
		if slices.ContainsFunc(inModule, func(prefix string) bool { return strings.HasPrefix(p.ID, prefix) }) {
			elsewhere++
			continue
		}
		want := p.Expect.Verdict
		got, ships := p.judged(t)
		if !ships {
			lacking = append(lacking, p.ID)
			continue
		}
		t.Run(p.ID, func(t *testing.T) {
			if got == byItsOwnTest {
				if !slices.Contains(otherwise, p.ID) {
					elsewhere++
				}
				return
			}
			if got == want {
				right++
			}
			compare(t, p.ID, want, got)
		})
	}
	done()
	t.Logf("%d are judged as published here, %d by the tests of their packages", right, elsewhere)
	for _, id := range lacking {
		t.Logf("its sender does not ship: %s", id)
	}
	if right+elsewhere < 150 {
		t.Errorf("%d published deliveries are judged as published, want at least 150", right+elsewhere)
	}
}
