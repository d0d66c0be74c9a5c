package diagnose

import (
	"math"
	"time"

	"github.com/hooknotary/hooknotary/verify"
)

const (
	zoneStep   = 15 * time.Minute // by which time zones differ
	maxZone    = 14 * time.Hour
	zoneLeeway = 2 * time.Minute // for the delivery's way and the clocks' own errors

	// The last time, in milliseconds, that a time of up to 15 digits can be.
	lastTimestamp = int64(1e18)
)

// someTime is when a capture without a receive time is judged at first. It lies before
// any signed time.
func someTime() time.Time { return time.Unix(1, 0).UTC() }

// signedAt finds the signed time of a head by asking the verifier at which receive time
// it stops to find it too new. So it works for every verifier, whatever signs the time,
// and it needs no more than Begin. Where the time stands in the body, the verifier says
// what it is.
func (q *inquiry) signedAt(v verify.Verifier, h *verify.Head) (time.Time, bool) {
	window := v.Profile().Window
	if window == (verify.Window{}) {
		return time.Time{}, false
	}
	reason := func(at time.Time) verify.Reason {
		probe := *h
		probe.ReceivedAt = at
		_, err := v.Begin(q.ctx, &probe)
		return verify.ReasonOf(err)
	}
	if reason(someTime()) != verify.ErrTooNew { // the head does not hold the time
		body, ok := v.(interface {
			SignedAt(*verify.Head, []byte) (time.Time, bool)
		})
		if !ok {
			return time.Time{}, false
		}
		return body.SignedAt(h, q.c.Body)
	}
	low, high := int64(0), lastTimestamp
	for low < high {
		if !q.spend(0) {
			return time.Time{}, false
		}
		middle := low + (high-low)/2
		if reason(time.UnixMilli(middle).UTC()) == verify.ErrTooNew {
			low = middle + 1
		} else {
			high = middle
		}
	}
	at := time.UnixMilli(low).UTC().Add(window.Future)
	r := reason(at)
	return at, r != verify.ErrTooOld && r != verify.ErrTooNew
}

// clock says why a delivery that was signed at one time is judged wrongly at another. Its
// text is to be concluded.
func (q *inquiry) clock(signed time.Time) Finding {
	received := q.c.ReceivedAt
	if received.IsZero() {
		return explainf(ClockOldCapture, Proved, "The capture does not say when it arrived, and without that time no signed time can be judged")
	}
	switch {
	case inMilliseconds(signed):
		return explainf(ClockMilliseconds, Proved, "The signed time counts milliseconds and the scheme says seconds")
	case inSeconds(signed):
		return explainf(ClockMilliseconds, Proved, "The signed time counts seconds and the scheme says milliseconds")
	case inMilliseconds(received):
		return explainf(ClockMilliseconds, Proved, "The receive time was made of milliseconds as if they were seconds")
	case inSeconds(received):
		return explainf(ClockMilliseconds, Proved, "The receive time was made of seconds as if they were milliseconds")
	}
	apart, side := received.Sub(signed).Abs(), "before"
	if signed.After(received) {
		side = "after"
	}
	zone := apart.Round(zoneStep)
	off := (apart - zone).Abs()
	switch {
	case zone >= zoneStep && zone <= maxZone && off <= zoneLeeway:
		return explainf(ClockZone, Proved, "The signed time lies %s %s the receive time, which is the difference of two time zones", readable(zone), side)
	case side == "before" && apart > maxZone:
		return explainf(ClockOldCapture, Proved, "The delivery was signed %s before the time at which it is judged", readable(apart))
	}
	return explainf(ClockSkew, Proved, "The signed time lies %s %s the receive time", readable(apart), side)
}

// inMilliseconds reports whether t was made of milliseconds as if they were seconds.
func inMilliseconds(t time.Time) bool { return plausible(t.Unix() / 1000) }

// inSeconds reports whether t was made of seconds as if they were milliseconds.
func inSeconds(t time.Time) bool {
	milli := t.UnixMilli()
	return milli < 1e11 && plausible(milli)
}

// plausible reports whether a number of seconds is a time between 2001 and 2128.
func plausible(seconds int64) bool { return seconds >= 1e9 && seconds < 5e9 }

// readable rounds a duration to what a person wants to know.
func readable(d time.Duration) string {
	switch {
	case d == math.MaxInt64: // Sub knows no longer one
		return "292 years or more"
	case d >= 48*time.Hour:
		return plural(int(d.Round(24*time.Hour)/(24*time.Hour)), "day")
	case d >= time.Hour:
		h, m := int(d.Round(time.Minute)/time.Hour), int(d.Round(time.Minute)%time.Hour/time.Minute)
		if m == 0 {
			return plural(h, "hour")
		}
		return plural(h, "hour") + " and " + plural(m, "minute")
	case d >= 2*time.Minute:
		return plural(int(d.Round(time.Minute)/time.Minute), "minute")
	}
	return plural(int(d.Round(time.Second)/time.Second), "second")
}
