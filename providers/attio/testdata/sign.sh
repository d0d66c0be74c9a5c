# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/attio
first='{"webhook_id":"w1","events":[{"event_type":"note.created","id":{"workspace_id":"ws1","note_id":"n1"},"parent_object_id":"o1","actor":{"type":"workspace-member","id":"m1"}}]}'
second='{"webhook_id":"w1","events":[{"event_type":"record.updated","id":{"workspace_id":"ws1","object_id":"o1","record_id":"r1"},"actor":{"type":"workspace-member","id":"m1"}}]}'
signed() { cat "$body"; }
heads() {
	line Attio-Signature "$sig"
	line Idempotency-Key "5a6b7c8d"
}
flaws
