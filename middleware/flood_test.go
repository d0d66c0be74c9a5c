package middleware_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/observe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// alarm is a cause that can be an alarm.
type alarm bool

func (alarm) Error() string { return "the root has ended" }
func (a alarm) Alarm() bool { return bool(a) }

func message(n uint64) (k replay.Key) {
	binary.BigEndian.PutUint64(k[:], n)
	return k
}

func refused(reason verify.Reason) middleware.Report {
	return middleware.Report{Outcome: middleware.Refused, Endpoint: "test", Reason: reason, Err: &verify.Error{Reason: reason}}
}

// kindsOfRefusals are events that must not hide each other.
func kindsOfRefusals() map[string]middleware.Report {
	kinds := make(map[string]middleware.Report)
	for reason := verify.ErrMethod; reason <= verify.ErrUnavailable; reason++ {
		e := refused(reason)
		kinds[reason.String()] = e
		e.Endpoint = "other"
		kinds[reason.String()+" at another endpoint"] = e
		e = refused(reason)
		e.Verified, e.Message = true, message(1)
		kinds[reason.String()+" by the replay store"] = e
		e = refused(reason)
		e.Err = fmt.Errorf("wrapped: %w", &verify.Error{Reason: reason, Cause: alarm(true)})
		kinds[reason.String()+" with an alarm"] = e
	}
	return kinds
}

func TestLogLimits(t *testing.T) {
	t.Run("no kind of refusal hides or counts another", func(t *testing.T) {
		kinds := kindsOfRefusals()
		for name, flood := range kinds {
			synctest.Test(t, func(t *testing.T) {
				l := new(lines)
				log := middleware.LogObserver(slog.New(l))
				for range 1000 {
					log(t.Context(), flood)
				}
				if len(l.records) != 20 {
					t.Errorf("%s: %d lines of a flood, want 20", name, len(l.records))
				}
				for other, e := range kinds {
					if other == name {
						continue
					}
					before := len(l.records)
					log(t.Context(), e)
					if len(l.records) != before+1 {
						t.Errorf("%s: not logged behind a flood of %s", other, name)
					} else if n := attrs(l.records[before])["refusals_not_logged"]; n != "" {
						t.Errorf("%s: counts %s of %s", other, n, name)
					}
				}
			})
		}
	})

	t.Run("the first forgery of each message is logged", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := new(lines)
			log := middleware.LogObserver(slog.New(l))
			const messages = 200
			for n := range uint64(messages) {
				e := refused(verify.ErrForged)
				e.Verified, e.Message, e.FirstForged = true, message(n), true
				log(t.Context(), e)
				e.FirstForged = false
				for range 10 {
					log(t.Context(), e)
				}
			}
			first := make(map[string]int)
			left := 0
			for _, r := range l.records {
				if r.Level != slog.LevelError {
					t.Errorf("a forgery is logged at %v", r.Level)
				}
				first[attrs(r)["signed_message"]]++
				n := 0
				fmt.Sscan(attrs(r)["refusals_not_logged"], &n)
				left += n
			}
			if len(first) != messages || len(l.records) != messages+20 {
				t.Errorf("%d lines about %d messages, want one for each of %d, and a burst of 20", len(l.records), len(first), messages)
			}
			if want := 10*(messages-1) - 20; left != want {
				t.Errorf("the lines say that %d were left out, want %d: all but those behind the last line", left, want)
			}
		})
	})

	t.Run("an alarm is an error that no flood hides", func(t *testing.T) {
		for _, c := range []struct {
			name  string
			err   error
			level slog.Level
			alarm string
		}{
			{"an alarm", &verify.Error{Reason: verify.ErrUntrusted, Cause: alarm(true)}, slog.LevelError, "true"},
			{"an alarm deep inside", &verify.Error{Reason: verify.ErrUntrusted, Cause: fmt.Errorf("certificate: %w", errors.Join(errors.New("x"), alarm(true)))}, slog.LevelError, "true"},
			{"no alarm this time", &verify.Error{Reason: verify.ErrUntrusted, Cause: alarm(false)}, slog.LevelWarn, ""},
			{"another cause", &verify.Error{Reason: verify.ErrUntrusted, Cause: errors.New("the root has ended")}, slog.LevelWarn, ""},
			{"no cause", &verify.Error{Reason: verify.ErrUntrusted}, slog.LevelWarn, ""},
			{"no error", nil, slog.LevelWarn, ""},
		} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l := new(lines)
					log := middleware.LogObserver(slog.New(l))
					for range 1000 { // strangers who name certificates of their own
						log(t.Context(), refused(verify.ErrUntrusted))
					}
					before := len(l.records)
					e := refused(verify.ErrUntrusted)
					e.Err = c.err
					for range 1000 { // and strangers who repeat the alarm
						log(t.Context(), e)
					}
					got := l.records[before:]
					if c.alarm == "" {
						if len(got) != 0 {
							t.Errorf("%d lines beyond the limit", len(got))
						}
						return
					}
					if len(got) != 20 || got[0].Level != c.level || attrs(got[0])["alarm"] != c.alarm || attrs(got[0])["reason"] != "untrusted" {
						t.Errorf("%d lines, the first of them %+v", len(got), got)
					}
				})
				l := new(lines)
				e := refused(verify.ErrUntrusted)
				e.Err = c.err
				middleware.LogObserver(slog.New(l))(t.Context(), e)
				if len(l.records) != 1 || l.records[0].Level != c.level || attrs(l.records[0])["alarm"] != c.alarm {
					t.Errorf("logged %+v", l.records)
				}
			})
		}
	})

	// Is the bound that is documented.
	t.Run("a guard remembers so many forged messages", func(t *testing.T) {
		const most = 4096
		var all []told
		n := uint64(0)
		s := newSite(t, telling(&all), outcome(replay.Outcome{Status: replay.Forged}), finishing(func(p verify.Pending, ctx context.Context, b []byte) (*verify.Delivery, error) {
			d, err := p.Finish(ctx, b)
			if err == nil {
				var sum [32]byte
				binary.BigEndian.PutUint64(sum[:], n+1)
				d.Fingerprint = verify.NewFingerprint(sum)
			}
			return d, err
		}))
		forge := func(message uint64) bool {
			n = message
			s.serve(again(t, s.request))
			return all[len(all)-1].FirstForged
		}
		for i := range uint64(most) {
			if !forge(i) || forge(i) {
				t.Fatalf("message %d is not new once", i)
			}
		}
		for i := range uint64(most) {
			if forge(i) {
				t.Fatalf("message %d is forgotten although no other one came", i)
			}
		}
		if !forge(most) {
			t.Error("one more is not new")
		}
		if forge(1) || !forge(0) {
			t.Error("not the oldest one was forgotten")
		}
		if forge(most) {
			t.Error("the newest one was forgotten")
		}
		// A guard beside it remembers for itself.
		one := newSite(t, telling(&all), outcome(replay.Outcome{Status: replay.Forged}))
		one.serve(one.request)
		if !all[len(all)-1].FirstForged {
			t.Error("the first one of another guard is not its first")
		}
	})

	// A verifier that says forged without
	// saying of what does not open the log to a flood.
	t.Run("forgeries without a message are one message", func(t *testing.T) {
		var all []told
		s := newSite(t, telling(&all), finishing(func(verify.Pending, context.Context, []byte) (*verify.Delivery, error) {
			return nil, &verify.Error{Reason: verify.ErrForged}
		}))
		for range 3 {
			s.serve(again(t, s.request))
		}
		if !all[0].FirstForged || all[1].FirstForged || all[2].FirstForged || all[0].Signed() {
			t.Errorf("told %+v", all)
		}
	})
}

func TestReportMessage(t *testing.T) {
	// A verifier may refuse what is
	// rightly signed.
	t.Run("a report with a message is signed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := new(lines)
			log := middleware.LogObserver(slog.New(l))
			for range 100 {
				log(t.Context(), refused(verify.ErrUnavailable))
			}
			e := refused(verify.ErrUnavailable)
			e.Message = message(7)
			log(t.Context(), e)
			if len(l.records) != 21 || attrs(l.records[20])["signed_message"] != e.Message.String() || attrs(l.records[19])["signed_message"] != "" {
				t.Errorf("%d lines, the last of them %v", len(l.records), attrs(l.records[len(l.records)-1]))
			}
		})
	})

	t.Run("a report names its message where the signature is good", func(t *testing.T) {
		down := errors.New("down")
		body := eventBody("evt_1")
		refusing := func(message verify.Fingerprint) func(*site) {
			return finishing(func(verify.Pending, context.Context, []byte) (*verify.Delivery, error) {
				return nil, &verify.Error{Reason: verify.ErrUnavailable, Cause: down, Message: message}
			})
		}
		for _, c := range []struct {
			name   string
			change func(*site)
			signed bool
		}{
			{"handled", func(*site) {}, true},
			{"failed", func(s *site) { s.handle = answering(500) }, true},
			{"lost", func(s *site) {
				s.store.commit = func(context.Context, replay.Handle) error { return replay.ErrLost }
			}, true},
			{"replayed", outcome(replay.Outcome{Status: replay.Done, Same: true}), true},
			{"acknowledged", outcome(replay.Outcome{Status: replay.Done}), true},
			{"in flight", outcome(replay.Outcome{Status: replay.InFlight}), true},
			{"forged", outcome(replay.Outcome{Status: replay.Forged}), true},
			{"before the floor", outcome(replay.Outcome{Status: replay.BeforeFloor}), true},
			{"the replay store is down", func(s *site) {
				s.store.claim = func(context.Context, replay.Claim) (replay.Outcome, error) { return replay.Outcome{}, down }
			}, true},
			{"the provider could not be asked about a good signature", refusing(verify.NewFingerprint([32]byte{1})), true},
			{"the provider could not be asked for its certificate", refusing(verify.Fingerprint{}), false},
			{"the key source is down", keysFrom(func(context.Context, *verify.Head) ([]verify.Key, error) { return nil, down }), false},
			{"too old", signedAt(-301e9), false},
			{"unsigned", unsigned, false},
			{"another secret", func(s *site) { s.request = stripetest.NewRequest(hookURL, start, body, otherSecret) }, false},
			{"a body that breaks off", func(s *site) { s.request.ContentLength++ }, false},
			{"too large", func(s *site) { s.opts.MaxBody = 10 }, false},
		} {
			for _, mode := range []string{"", ", only reported"} {
				t.Run(c.name+mode, func(t *testing.T) {
					var all []told
					s := newSite(t, telling(&all), c.change, func(s *site) { s.opts.InsecureReportOnly = mode != "" })
					s.serve(s.request)
					if len(all) != 1 {
						t.Fatalf("%d events", len(all))
					}
					e := all[0]
					if e.Signed() != c.signed || (e.Message != replay.Key{}) != c.signed || c.signed != bytes.Equal(e.body, body) || !c.signed && e.body != nil {
						t.Errorf("signed %v, message %v, body %q; want it signed %v", e.Signed(), e.Message, e.body, c.signed)
					}
					if e.FirstForged != (c.name == "forged") {
						t.Errorf("first forgery: %v", e.FirstForged)
					}
				})
			}
		}
	})

	t.Run("the message is that of all copies at one endpoint", func(t *testing.T) {
		var all []told
		s := newSite(t, telling(&all))
		other := newSite(t, telling(&all), func(s *site) {
			s.verifier = &altered{Verifier: s.verifier, profile: func(p *verify.Profile) { p.Provider = "other" }}
		})
		genuine := s.request
		s.serve(again(t, genuine))
		s.serve(again(t, genuine))
		s.serve(s.stripe("evt_2"))
		other.serve(again(t, genuine))
		if len(all) != 4 || all[0].Message != all[1].Message || all[0].Message == all[2].Message || all[0].Message == all[3].Message {
			t.Errorf("told %+v", all)
		}
	})
}

// told is what an observer was told.
type told struct {
	middleware.Report
	body []byte
}

// telling makes a site write down what it tells.
func telling(to *[]told) func(*site) {
	return func(s *site) {
		s.opts.Observe = func(ctx context.Context, e middleware.Report) {
			*to = append(*to, told{e, observe.SignedBody(ctx)})
		}
	}
}

func TestSignedBody(t *testing.T) {
	t.Run("there is none outside of an observer", func(t *testing.T) {
		s := newSite(t, observed)
		s.handle = func(_ http.ResponseWriter, r *http.Request) {
			if observe.SignedBody(r.Context()) != nil {
				t.Error("a handler's context has one")
			}
		}
		s.serve(s.request)
		wantRuns(t, s, 1)
		if strings.Contains(fmt.Sprintf("%+v %#v", s.event(), s.event()), "invoice.paid") {
			t.Error("the event prints the body")
		}
	})
}
