package server

import (
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// limiter bounds lines of a log that strangers can cause: 1 a second, in bursts of up to 10.
// The zero limiter is ready.
type limiter struct {
	mu     sync.Mutex
	last   time.Time
	tokens float64
	left   int64
}

const logBurst = 10

// allow reports whether a line may be written, and how many were left out before it.
func (l *limiter) allow(now time.Time) (left int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens = min(logBurst, l.tokens+now.Sub(l.last).Seconds())
	l.last = now
	if l.tokens < 1 {
		l.left++
		return 0, false
	}
	l.tokens--
	left, l.left = l.left, 0
	return left, true
}

// truncate bounds what a peer may put into a line.
func truncate(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	n := most
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// errorLog writes what net/http has to say.
type errorLog struct {
	log     *slog.Logger
	limiter limiter
}

func (e *errorLog) Write(p []byte) (int, error) {
	if left, ok := e.limiter.allow(time.Now()); ok {
		e.log.Warn("server", "error", truncate(strings.TrimSpace(string(p))), "not_logged", left)
	}
	return len(p), nil
}
