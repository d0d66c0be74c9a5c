// Package redisreplay is a store for fleets: a [replay.Store] in Redis, which
// any number of processes share.
//
//	client := redis.NewClient(&redis.Options{
//		Addr:                  "redis.internal:6379",
//		ContextTimeoutEnabled: true,
//		MaxRetries:            -1,
//	})
//	store := redisreplay.New(client, nil)
//	if err := store.Check(ctx); err != nil {
//		log.Fatal(err) // unreachable, or of no use as a store
//	}
//	guard, err := middleware.New("billing", stripe.Must(secret), store, nil)
//
// For Sentinel the client is made by [redis.NewFailoverClient], for a cluster by
// [redis.NewClusterClient], also where the cluster has one address for all nodes:
// [redis.NewUniversalClient] takes one address for one server. Check and Stats, and
// every operation on a record of another node, refuse a client that knows one node
// of a cluster alone.
//
// Call Check where a program starts: it sets up what is missing, with time enough
// for a busy machine, and every later claim finds it done. Otherwise the first claim
// does so within its own timeout, and is answered 503 where that is too short; each
// further claim goes on where the last one stopped.
//
// It works with one server, with Sentinel and with Redis Cluster, of Redis 6.0 and
// later and of Valkey. A delivery takes two round trips, a claim and a commit, and
// a third where a body is bound to its message (PayPal). Each is one script, so it
// happens entirely or not at all. Leases, needs and retentions are measured by the
// server's clock alone.
//
// # What it forgets, and whether it notices
//
// A store must not forget what may come again, and Redis forgets in several
// ways. Some of them the store notices. It keeps marks beside the records, which
// hold the floor: the time from which on it knows all. Where a mark is missing,
// nothing is claimed before all that are missing are set anew, to that moment by
// the server's clock, cut down to the whole second. From then on an event that is
// not known, and was signed before, is refused with replay.BeforeFloor where its
// provider signs every attempt anew; an honest one comes back with a new timestamp.
// For other providers there is nothing to compare, and a copy of what was forgotten
// runs again. Options.OnNewFloor tells of it.
//
//	what happens                                   noticed  lost
//	FLUSHALL, or a restart without a file          yes      everything
//	failover to an empty server                    yes      everything
//	a full server that evicts                      refused  see below
//	crash of the machine, appendfsync everysec     no       the last two seconds
//	crash of the machine, appendfsync always       -        nothing
//	failover to a replica that lags behind         no       what it had not got
//	an old dump is restored                        no       everything since then
//
// What is not noticed is rare, short, and of use only to one who holds a copy and
// sends it while it still verifies. It can be made rarer: with appendonly yes and
// appendfsync always; with min-replicas-to-write 1, which makes a master without a
// replica refuse writes (those of scripts, from Redis 7.0 on) but does not make it
// wait for one. Nothing in Redis makes it impossible, as replication is
// asynchronous. Where an event moves money, a store in the same database as the
// money is the better one: see package sqlreplay.
//
// After an old dump is restored, delete the marks, and the floor rises:
//
//	redis-cli --scan --pattern '{hooknotary:*}floor' | xargs redis-cli del
//
// The floor compares the provider's clock, in the timestamp, with the server's. A
// server whose clock is behind has a floor that is too low by as much. Keep its
// clock in step. A clock that is set forward ends leases and retentions early; one
// that is set back ends them late.
//
// # The server
//
// The maxmemory-policy must be noeviction, on every server: any other drops records
// that are still needed as soon as memory runs out. The store refuses a server with
// another policy, when it is used for the first time and whenever marks are
// missing; what is changed in between it does not see. A server without memory
// refuses new events with replay.ErrFull, and still settles those it has: Commit,
// Release, Renew and Forget work, and so do claims on events that it knows.
//
// A user of Redis needs no more than this. Without the right to INFO, or where INFO
// is renamed, the store is refused, unless Options.InsecureAllowEviction is set:
//
//	ACL SETUSER hooknotary on >secret ~{hooknotary:* -@all +eval +evalsha +get +set +del +pttl +pexpire +time +info +scan
//
// and +cluster in a cluster.
//
// # The client
//
// Options.Timeout bounds every operation, and each step of Check and Stats, whatever the settings of the client. It
// is cheaper to keep to for a client with ContextTimeoutEnabled and without TLS,
// Sentinel, negative timeouts and functions of its owner, which ends by itself;
// every call of another one needs a goroutine of its own, which may outlive the
// operation by the client's own timeouts (three seconds by default). Only a Dialer
// cannot be seen, and must keep to its context. A caller that gives up is heeded after the timeout at the latest.
//
// The store never sends anything twice. go-redis does, up to three times, unless
// MaxRetries is -1. That does no harm, because an operation that is repeated under
// its token has the effect of one: the most that can come of it is an event that
// stays claimed by nobody for the length of its lease, where a claim arrives after
// its own release, and an operator's Forget that also forgets a later run. It
// costs time that a caller does not have, though: the guard answers 503, and tries
// a commit three times itself.
//
// With one server, and a client that keeps deadlines, commands that meet share a
// message: those that come while two others are under way wait for an answer, or
// half a millisecond at most, and go together. Many deliveries at once so cost both
// ends about half.
//
// # What a large installation needs
//
// A finished event takes 250 bytes, its place in the server's tables included, and
// a binding about as much, for the days that its message verifies. So the memory is
// 250 bytes times the deliveries a second times the seconds of the retention, and
// it is what counts: with the seven days of
// [github.com/hooknotary/hooknotary/middleware.Options].Retention, a hundred
// deliveries a second take 15 GB. Shorten it to the time for which the provider
// retries, or even to the minutes for which a copy verifies.
//
// Of the scripts a core of 2.4 GHz runs 70,000 a second where they come together, and
// 36,000 where each comes alone, as in a cluster. The table reckons with two of them
// a delivery, with masters that are half busy, and with 48 GB of records in each:
//
//	deliveries a second             10^4      10^5      10^6
//	scripts a second              2*10^4    2*10^5    2*10^6
//	memory, kept for 15 minutes   2.3 GB     23 GB    225 GB
//	memory, kept for an hour        9 GB     90 GB    900 GB
//	memory, kept for a day        220 GB    2.2 TB     22 TB
//	masters for the scripts            1        12       112
//	masters for 15 minutes             1         1         5
//	masters for an hour                1         2        19
//	masters for a day                  5        45       450
//
// What counts is the larger number of masters; each needs a replica beside it. The
// keys are divided by the first ten bits of a record's key, which is a hash, into
// 1024 parts. Each has a hash tag of its own, and so lies on one master:
//
//	{hooknotary:3ff}e<32 bytes>   an event
//	{hooknotary:3ff}m<32 bytes>   a binding
//	{hooknotary:3ff}floor         the mark of the part
//
// Of up to 128 masters that share the slots evenly, none has more than one and a
// half times its share. More masters serve several stores better, one for each
// endpoint, say.
//
// While a slot is moved from one master to another, claims on new events of its
// parts fail with TRYAGAIN, and are answered 503. Move slots when little comes in.
package redisreplay
