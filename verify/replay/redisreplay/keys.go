package redisreplay

import (
	"fmt"

	"github.com/hooknotary/hooknotary/verify/replay"
)

// parts is the number of hash tags. With the layout below it is the format of
// the keys, and changing it forgets all records.
//
//	{prefix:3ff}floor       the mark of a part
//	{prefix:3ff}e<32 bytes> an event, under its replay.Key
//	{prefix:3ff}m<32 bytes> a binding, under the replay.Key of its message
const parts = 1024

// part returns the part that a key falls into: its first ten bits. Keys are
// hashes, so nobody who makes events can choose.
func part(k replay.Key) int { return int(k[0])<<2 | int(k[1])>>6 }

// tag begins every key of a part. A cluster keeps all keys with one tag on one
// server, so that a script may use them together.
func tag(prefix string, part int) string { return fmt.Sprintf("{%s:%03x}", prefix, part) }

func (s *Store) mark(part int) string { return s.tags[part] + "floor" }

func (s *Store) recordKey(k replay.Key) string { return s.tags[part(k)] + "e" + string(k[:]) }

func (s *Store) bindingKey(k replay.Key) string { return s.tags[part(k)] + "m" + string(k[:]) }
