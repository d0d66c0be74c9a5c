package redisreplay

// BenchmarkGuarded justifies this file. With 128 connections, on two cores that the client
// and both servers shared, a guard on Redis handled 0.58 to 0.68 of the deliveries of one in
// memory, and 0.34 with a message for each command. Times scatter; the order does not.

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// maxUnderway is how many messages may be under way before commands wait: with
	// one, few deliveries at once would wait for each other and gain nothing, and
	// with many, hardly any commands would meet.
	maxUnderway = 2
	// maxWait is how long a command waits for the answer to others.
	maxWait = 500 * time.Microsecond
)

var errUnsent = errors.New("the client did not send the command")

// queue brings commands together that are sent at the same time. The first go at
// once. Those that come while these are under way wait for an answer, or for a
// moment if that is slow, and then go in one message, on one connection. What
// costs most at both ends is the message, not the command in it.
type queue struct {
	mu      sync.Mutex
	under   int // messages under way
	waiting []*member
}

// member is a command that waits.
type member struct {
	cmd *redis.IntCmd
	// turn gets all commands of a message where this one is to send it, and nil
	// where another one did.
	turn chan []*member
}

// send sends a command, whose answer must not be zero.
func (q *queue) send(ctx context.Context, client redis.UniversalClient, cmd *redis.IntCmd) error {
	q.mu.Lock()
	if q.under < maxUnderway {
		q.under++
		q.mu.Unlock()
		defer q.next()
		return client.Process(ctx, cmd)
	}
	m := &member{cmd, make(chan []*member, 1)}
	q.waiting = append(q.waiting, m)
	first := len(q.waiting) == 1
	q.mu.Unlock()

	var late <-chan time.Time
	if first {
		timer := time.NewTimer(maxWait)
		defer timer.Stop()
		late = timer.C
	}
	// The context is not looked at: the one that sends came first, so its context,
	// by which it keeps, ends no later.
	var batch []*member
	select {
	case batch = <-m.turn:
	case <-late:
		if batch = q.depart(m); batch == nil {
			batch = <-m.turn // it is under way
		}
	}
	if batch != nil {
		q.lead(ctx, client, batch, m)
	}
	return cmd.Err()
}

// lead sends a message for all that are in it.
func (q *queue) lead(ctx context.Context, client redis.UniversalClient, batch []*member, leader *member) {
	err := errUnsent
	defer func() {
		for _, m := range batch {
			if m.cmd.Val() == 0 && m.cmd.Err() == nil { // never answered
				m.cmd.SetErr(err)
			}
			if m != leader {
				m.turn <- nil
			}
		}
		q.next()
	}()
	p := client.Pipeline()
	for _, m := range batch {
		p.Process(ctx, m.cmd)
	}
	if _, e := p.Exec(ctx); e != nil {
		err = e
	}
}

// next ends a message and has the first of those that wait send one for all.
func (q *queue) next() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.under--
	if len(q.waiting) > 0 {
		q.under++
		q.waiting[0].turn <- q.waiting
		q.waiting = nil
	}
}

// depart takes all that wait out of the queue, for m, the first of them, to send.
// It returns nil if m waits no longer.
func (q *queue) depart(m *member) []*member {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 || q.waiting[0] != m {
		return nil
	}
	batch := q.waiting
	q.waiting = nil
	q.under++
	return batch
}
