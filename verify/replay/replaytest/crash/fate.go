package main

import (
	"fmt"
	"time"
)

// fate is what becomes of a handler if the request that carries it makes it run.
// The sender decides it, in an unsigned header, so that all chance is in one
// process and comes from one seed.
type fate struct {
	before time.Duration // how long the handler works before its effect
	after  time.Duration // and after it: so long a crash falls into the gap
	end    end
	crash  point
	// detached picks the guard that detaches handlers from their senders.
	detached bool
}

type end string

const (
	succeeds end = "succeeds"
	fails    end = "fails"  // responds with 500
	panics   end = "panics" // before its effect

	// What a receiver behind a gateway does besides.
	breaks   end = "breaks"   // ends the connection after its effect
	hangs    end = "hangs"    // responds with nothing, after its effect
	busy     end = "busy"     // responds with 503, and when to come again
	chatters end = "chatters" // responds with 200 and 2 MiB
)

// point is where a server kills itself.
type point string

const (
	nowhere        point = "nowhere"
	beforeEffect   point = "before-effect"
	beforeCommit   point = "before-commit"   // after the effect: in the gap
	beforeResponse point = "before-response" // after the commit
)

const (
	requestHeader = "Crash-Request"
	fateHeader    = "Crash-Fate"
)

func (f fate) String() string {
	return fmt.Sprintf("%d %d %s %s %t", f.before.Milliseconds(), f.after.Milliseconds(), f.end, f.crash, f.detached)
}

func parseFate(s string) (fate, error) {
	var before, after int
	var f fate
	if _, err := fmt.Sscanf(s, "%d %d %s %s %t", &before, &after, &f.end, &f.crash, &f.detached); err != nil {
		return fate{}, fmt.Errorf("the header %s: %w", fateHeader, err)
	}
	f.before, f.after = time.Duration(before)*time.Millisecond, time.Duration(after)*time.Millisecond
	return f, nil
}
