package echomw_test

import (
	"encoding/binary"
	"hash/crc32"
	"net/http"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/paypal"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
	"github.com/hooknotary/hooknotary/verify"

	"github.com/labstack/echo/v4"
)

// collide returns text with four bytes behind it that give it the CRC-32 of
// another body.
func collide(text, other []byte) []byte {
	// Back from the sum that is wanted: which state lay four zero bytes before it?
	state := ^crc32.ChecksumIEEE(other)
	for range 32 {
		if state&0x80000000 != 0 {
			state = (state^crc32.IEEE)<<1 | 1
		} else {
			state <<= 1
		}
	}
	return binary.LittleEndian.AppendUint32(append([]byte(nil), text...), state^^crc32.ChecksumIEEE(text))
}

func TestPayPalThroughEcho(t *testing.T) {
	const webhookID = "8PT597110X687430L"
	pp := paypaltest.New(webhookID)
	v, err := paypal.New(webhookID, &paypal.Options{Transport: pp, Roots: pp.Roots()})
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"id":"WH-1","resource":{"amount":"20.00"}}`)
	forged := collide([]byte(`{"id":"WH-2","resource":{"amount":"20000.00"}}`), body)
	if crc32.ChecksumIEEE(forged) != crc32.ChecksumIEEE(body) {
		t.Fatal("the bodies do not collide")
	}
	for _, tt := range []struct {
		name          string
		first, second []byte
		status        int // of the second
		runs          int64
	}{
		{"an honest repeat is acknowledged", body, body, http.StatusOK, 1},
		{"another body under the same transmission is forged", body, forged, http.StatusUnauthorized, 1},
		{"the first body counts, whichever it is", forged, body, http.StatusUnauthorized, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, func(s *site) { s.verifier = v }, handling(func(c echo.Context) error {
				d, ok := verify.FromContext(c.Request().Context())
				if !ok || d.Binding != verify.BindingChecksum {
					t.Errorf("the handler does not see how weakly the body is bound: %v", d)
				}
				return c.NoContent(http.StatusOK)
			}))
			header := pp.Header(start.Add(time.Second), body)
			send := func(body []byte) *http.Request {
				r := pp.NewRequest(hookURL, start, body)
				r.Header = header
				return r
			}
			want(t, s.serve(send(tt.first)), http.StatusOK)
			w := s.serve(send(tt.second))
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
			s.wantRuns(tt.runs)
		})
	}
}
