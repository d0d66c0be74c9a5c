package dropboxsign_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/dropboxsign"
	"github.com/hooknotary/hooknotary/providers/providertest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

const secret = "324e3b0840f065eb51f3fd63231d0d33"

var noon = time.Unix(1773480413, 0)

func secrets() []string {
	var all []string
	for i := range verify.MaxKeys + 1 {
		all = append(all, fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i)})))
	}
	return all
}

func sign(at time.Time, kind, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(strconv.FormatInt(at.Unix(), 10) + kind))
	return hex.EncodeToString(mac.Sum(nil))
}

func event(at, kind, hash, more string) string {
	return `{"account_guid":"63522885f9261e2b","event":{"event_time":"` + at + `","event_type":"` + kind + `","event_hash":"` + hash + `"` + more + `}}`
}

func multi(json string) []byte {
	return []byte("--b0undary\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n" + json + "\r\n--b0undary--\r\n")
}

func at(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func judge(v verify.Verifier, body []byte) (*verify.Delivery, error) {
	return verify.Verify(context.Background(), v, &verify.Head{Method: http.MethodPost, ReceivedAt: noon}, body)
}

func TestBattery(t *testing.T) {
	kinds := []string{"signature_request_signed", "signature_request_viewed"}
	providertest.ExerciseEmbedded(t, providertest.Embedded{
		New: func(keys verify.KeySource) (verify.Verifier, error) {
			return dropboxsign.New(keys, &dropboxsign.Options{InsecureBodyNotCovered: true})
		},
		Sign: func(when time.Time, i int, secret string) ([]byte, string, string) {
			return multi(event(at(when), kinds[i], sign(when, kinds[i], secret), "")), "", ""
		},
		Profile: verify.Profile{
			Provider: "dropboxsign", MediaType: "multipart/form-data", MaxBody: 1 << 20, Window: verify.Window{Past: 78 * time.Hour, Future: 5 * time.Minute},
			Binding: verify.BindingNone, Retry: verify.RetryIdentical, Retention: 7 * 24 * time.Hour,
		},
		Events: 2, Secrets: secrets(), EqualBodies: true,
	})
}

func TestNew(t *testing.T) {
	for name, o := range map[string]*dropboxsign.Options{"no options": nil, "the zero Options": {}} {
		if v, err := dropboxsign.New(verify.Secrets(secret), o); err == nil || v != nil || !strings.Contains(err.Error(), "InsecureBodyNotCovered") {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
	dropboxsign.InsecureMust(secret)
	defer func() {
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "dropboxsign.InsecureMust: ") {
			t.Errorf("panics with %q", text)
		}
	}()
	dropboxsign.InsecureMust("short")
}

func TestFinish(t *testing.T) {
	const kind = "signature_request_signed"
	good := sign(noon, kind, secret)
	json := event(at(noon), kind, good, "")
	whole := string(multi(json))
	for _, tt := range []struct {
		name, body, want string
	}{
		{"an event", whole, "accept"},
		{"a time that is a number", strings.Replace(whole, `"`+at(noon)+`"`, at(noon), 1), "accept"},
		{"a part with a type", strings.Replace(whole, "\r\n\r\n", "\r\nContent-Type: application/json\r\n\r\n", 1), "accept"},
		{"another type of event", string(multi(event(at(noon), "signature_request_declined", good, ""))), "mismatch"},
		{"another time", string(multi(event(at(noon.Add(time.Second)), kind, good, ""))), "mismatch"},
		{"no hash", string(multi(event(at(noon), kind, "", ""))), "unsigned"},
		{"no event", string(multi(`{"a":{}}`)), "unsigned"},
		{"a hash in upper case", string(multi(event(at(noon), kind, strings.ToUpper(good), ""))), "malformed"},
		{"a hash that is cut", string(multi(event(at(noon), kind, good[2:], ""))), "malformed"},
		{"a digit that moved from the time to the type", string(multi(event(at(noon)[:9], at(noon)[9:]+kind, good, ""))), "malformed"},
		{"a second hash", string(multi(event(at(noon), kind, good, `,"event_hash":"`+good+`"`))), "malformed"},
		{"a second type in upper case", string(multi(event(at(noon), kind, good, `,"Event_type":"x"`))), "malformed"},
		{"a part of another name", strings.Replace(whole, `"json"`, `"file"`, 1), "malformed"},
		{"a part that is a file", strings.Replace(whole, `"json"`, `"json"; filename="a"`, 1), "malformed"},
		{"two parts", strings.Replace(whole, "--b0undary--", "--b0undary\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n"+json+"\r\n--b0undary--", 1), "malformed"},
		{"something in front of the parts", "x\r\n" + whole, "malformed"},
		{"something behind the parts", whole + "x", "malformed"},
		{"no end", strings.TrimSuffix(whole, "--\r\n"), "malformed"},
		{"JSON alone", json, "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := judge(dropboxsign.InsecureMust(secret), []byte(tt.body))
			if got := vector.Outcome(err); got != tt.want {
				t.Errorf("the outcome is %s (%v), want %s", got, err, tt.want)
			}
		})
	}
	t.Run("two events of one second are two", func(t *testing.T) {
		v := dropboxsign.InsecureMust(secret)
		one, err := judge(v, []byte(whole))
		if err != nil {
			t.Fatal(err)
		}
		other, err := judge(v, multi(event(at(noon), kind, good, `,"event_metadata":{"related_signature_id":"2"}`)))
		if err != nil || one.Fingerprint.Equal(other.Fingerprint) {
			t.Errorf("they are one, or %v", err)
		}
	})
	t.Run("what is returned of an event", func(t *testing.T) {
		d, err := judge(dropboxsign.InsecureMust(secret), []byte(whole))
		if err != nil {
			t.Fatal(err)
		}
		if e, err := dropboxsign.EventOf(d); err != nil || e.Type != kind || !e.Time.Equal(noon) || string(e.UnsignedJSON) != json {
			t.Errorf("the event is %+v, %v", e, err)
		}
		for name, d := range map[string]*verify.Delivery{"nil": nil, "another verifier's": {Provider: "stripe", Body: d.Body}, "none": {Provider: "dropboxsign"}} {
			if e, err := dropboxsign.EventOf(d); err == nil || e != nil {
				t.Errorf("%s: %+v, %v", name, e, err)
			}
		}
	})
}

func TestVectors(t *testing.T) {
	providertest.Vectors(t, "testdata", func(_ *testing.T, tt vector.Vector) (verify.Verifier, error) {
		return dropboxsign.InsecureMust(tt.Secrets...), nil
	}, nil)
}

// TestPublished: the published events get their verdicts at their own time. They come
// without one, and are too old at any other.
func TestPublished(t *testing.T) {
	compare, done := vector.Differences(t, filepath.Join("testdata", "DIFFERENCES.md"))
	for _, p := range vector.PublishedBy(t, "dropboxsign") {
		t.Run(p.Name, func(t *testing.T) {
			v := dropboxsign.InsecureMust(p.Secrets...)
			_, err := verify.Verify(context.Background(), v, p.Head, p.Body)
			compare(t, p.Name, p.Want(t), vector.Outcome(err))
			p.Head.ReceivedAt = time.Unix(1348177753, 0)
			_, err = verify.Verify(context.Background(), v, p.Head, p.Body)
			if got := vector.Outcome(err); got != p.Want(t) {
				t.Errorf("at its own time the outcome is %s (%v), want %s", got, err, p.Want(t))
			}
		})
	}
	done()
}

// FuzzFinish: nothing but the time and the type that were signed verifies.
func FuzzFinish(f *testing.F) {
	const kind = "signature_request_signed"
	v := dropboxsign.InsecureMust(secret)
	f.Add(multi(event(at(noon), kind, sign(noon, kind, secret), "")))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := judge(v, body)
		if err != nil {
			return
		}
		if e, err := dropboxsign.EventOf(d); err != nil || e.Type != kind || !e.Time.Equal(noon) {
			t.Errorf("another event verifies: %+v, %v", e, err)
		}
	})
}
