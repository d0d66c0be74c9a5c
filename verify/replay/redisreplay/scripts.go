package redisreplay

import (
	"context"
	"crypto/sha1"
	"encoding/hex"

	"github.com/redis/go-redis/v9"
)

// A record is a string: the token (16 bytes), the fingerprint (32) and, while
// the event is in flight, three doubles: for how many milliseconds it is leased
// and needed, counted from when this was written, and for how many it is kept
// after that. So its length tells whether the event is done, and with what is left
// of its time to live it tells its age:
//
//	in flight: lives until both the lease and the need are over, and a retention
//	done:      lives until the need is over, and a retention from the commit
//
// A binding is the SHA-256 of the body. A mark is the floor of its part, in
// milliseconds since 1970; it never expires.
const (
	tokenLen  = 16
	ownerLen  = tokenLen + 32
	recordLen = ownerLen + 3*8
)

// What the scripts answer. To a claim, above zero, it is the rest of the lease of
// an event in flight, in milliseconds. They never answer zero, which is also the
// value of a command that was not sent.
const (
	yes         = -1
	no          = -2
	acquired    = -1
	bound       = -1
	doneSame    = -2
	doneOther   = -3
	beforeFloor = -4
	forged      = -5
	unmarked    = -6
)

// mostMillis bounds the time when an event was signed: a double still tells it
// from its neighbours.
const mostMillis = 1 << 53

// All scripts run on Redis 6.0 and later, and know no clock but the server's.
// What most deliveries need comes first in them, because a call from a script
// costs as much as the rest of it.
const (
	// known ends a script that found something else under its key.
	known = `
if #v ~= 48 and #v ~= 72 then return redis.error_reply('WRONGTYPE this is no record of an event') end
`
	// age reads the record v of an event in flight.
	age = `
local l, n, k = struct.unpack('>ddd', v, 49)
local age = math.max(l, n) + k - redis.call('PTTL', KEYS[1])
`
	// overwrite puts v in the place of a record. A server that is out of memory
	// refuses SET to a script that has not written yet, and allows it to one that
	// has. A record does not grow, so it may have that: otherwise a full server
	// could not even be told that an event is done.
	overwrite = `
if redis.pcall('SET', KEYS[1], v, 'PX', ttl).err then
  redis.call('PEXPIRE', KEYS[1], ttl)
  redis.call('SET', KEYS[1], v, 'PX', ttl)
end
`
)

// script is the source of one, with the name under which a server remembers it.
type script struct{ source, sha string }

func newScript(source string) script {
	sum := sha1.Sum([]byte(source))
	return script{source, hex.EncodeToString(sum[:])}
}

// Unchanged after initialisation, like errors.
var (
	// KEYS: record, mark. ARGV: the record of a new claim, its time to live,
	// when the event was signed. SET fails where there is a record, and where a
	// new one is one too many.
	claimScript = newScript(`
local floor = redis.call('GET', KEYS[2])
if not floor then return -6 end
local set = (not ARGV[3] or ARGV[3] - floor >= 0) and redis.pcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX')
if set and set.ok then return -1 end
local v = redis.call('GET', KEYS[1])
if not v then return set or -4 end
local owner = string.sub(ARGV[1], 1, 48)
local lease, need, keep = struct.unpack('>ddd', ARGV[1], 49)
if #v == 48 then
  local left = redis.call('PTTL', KEYS[1])
  if left >= 0 and left < need then redis.call('PEXPIRE', KEYS[1], need) end
  return string.sub(v, 17) == string.sub(owner, 17) and -2 or -3
end
` + known + age + `
local left, answer = l - age, -1
n = n - age
if left > 0 and string.sub(v, 1, 16) ~= string.sub(owner, 1, 16) then
  if need <= n then return left end
  owner, lease, keep, answer = string.sub(v, 1, 48), left, k, left
end
need = math.max(need, n)
v = owner .. struct.pack('>ddd', lease, need, keep)
local ttl = math.max(lease, need) + keep
` + overwrite + `
return answer
`)

	// KEYS: binding, mark. ARGV: body, how long it is needed.
	bindScript = newScript(`
if not redis.call('GET', KEYS[2]) then return -6 end
local v = redis.call('GET', KEYS[1])
local need = tonumber(ARGV[2])
if not v then
  if need > 0 then redis.call('SET', KEYS[1], ARGV[1], 'PX', need) end
  return -1
end
if v ~= ARGV[1] then return -5 end
local left = redis.call('PTTL', KEYS[1])
if left >= 0 and left < need then redis.call('PEXPIRE', KEYS[1], need) end
return -1
`)

	// KEYS: record. ARGV: token, lease.
	renewScript = newScript(`
local v = redis.call('GET', KEYS[1])
if not v or string.sub(v, 1, 16) ~= ARGV[1] or #v == 48 then return -2 end
` + known + age + `
local lease, need = tonumber(ARGV[2]), math.max(0, n - age)
v = string.sub(v, 1, 48) .. struct.pack('>ddd', lease, need, k)
local ttl = math.max(lease, need) + k
` + overwrite + `
return -1
`)

	// KEYS: record. ARGV: token. What is kept for longer than it is needed, as
	// most is, needs no look at its age.
	commitScript = newScript(`
local v = redis.call('GET', KEYS[1])
if not v or string.sub(v, 1, 16) ~= ARGV[1] then return -2 end
if #v == 48 then return -1 end
` + known + `
local l, n, k = struct.unpack('>ddd', v, 49)
local ttl = k
if n > k then ttl = math.max(k, n - (math.max(l, n) + k - redis.call('PTTL', KEYS[1]))) end
if ttl <= 0 then
  redis.call('DEL', KEYS[1])
  return -1
end
v = string.sub(v, 1, 48)
` + overwrite + `
return -1
`)

	// KEYS: record. ARGV: token.
	releaseScript = newScript(`
local v = redis.call('GET', KEYS[1])
if v and #v == 72 and string.sub(v, 1, 16) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return -1
`)

	// KEYS: record.
	forgetScript = newScript(`
local v = redis.call('GET', KEYS[1])
if not v then return -1 end
` + known + `
if #v == 72 then
` + age + `
  if l > age then return -2 end
end
redis.call('DEL', KEYS[1])
return -1
`)

	// KEYS: record. Answers: 0 unknown, 1 in flight, 2 done; the rest of the
	// lease; how long the record is kept.
	inspectScript = redis.NewScript(`
local v = redis.call('GET', KEYS[1])
if not v then return {0, 0, 0} end
` + known + `
local kept = redis.call('PTTL', KEYS[1])
if #v == 48 then return {2, 0, kept} end
` + age + `
return {1, math.max(0, l - age), kept}
`)

	// KEYS: marks. Answers how many there were not. Many providers sign whole
	// seconds, so the floor is one.
	markScript = newScript(`
local time, n = redis.call('TIME'), 0
for _, mark in ipairs(KEYS) do
  if not redis.call('GET', mark) then
    redis.call('SET', mark, time[1] .. '000')
    n = n + 1
  end
end
return n
`)
)

// run runs a script by its name, and with its source if the server does not know
// it. args are the keys, of which there are n, and what the script is given.
func (s *Store) run(ctx context.Context, sc script, n string, args ...any) (int64, error) {
	cmd := redis.NewIntCmd(ctx, append([]any{"evalsha", sc.sha, n}, args...)...)
	err := s.send(ctx, cmd)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		cmd = redis.NewIntCmd(ctx, append([]any{"eval", sc.source, n}, args...)...)
		err = s.send(ctx, cmd)
	}
	if err != nil {
		return 0, err
	}
	return cmd.Val(), nil
}
