# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/turnkey
privatekey ed25519 rawhex
first='{"type":"ACTIVITY_UPDATES","organizationId":"0f3c1a52-8a7e-4b1e-9d53-2f6c7b8a9e10","payload":{"id":"act_01","status":"ACTIVITY_STATUS_COMPLETED"}}'
second='{"type":"ACTIVITY_UPDATES","organizationId":"0f3c1a52-8a7e-4b1e-9d53-2f6c7b8a9e10","payload":{"id":"act_02","status":"ACTIVITY_STATUS_FAILED"}}'
first_id=d0615573e020ae26f1470fba250da566
second_id=7a1b0c92be5f4d3e8f6a5b4c3d2e1f00
stamp() { printf '%s000' "$1"; }
signed() { printf 'v1.ed25519.webhook_key_001.%s.%s.' "$ts" "$id"; cat "$body"; }
heads() {
	line X-Turnkey-Signature "$sig"
	line X-Turnkey-Signature-Key-Id webhook_key_001
	line X-Turnkey-Signature-Algorithm ed25519
	line X-Turnkey-Signature-Version v1
	line X-Turnkey-Timestamp "$ts"
	line X-Turnkey-Event-Id "$id"
}
timed=300,300
flaws
fresh; edit "s/^(X-Turnkey-Event-Id: ).*/\1$second_id\r/"; vector id-of-another-event mismatch "the id of another event" event
fresh; edit "/^X-Turnkey-Event-Id:/d"; vector no-id malformed "the header of the id is missing" event
fresh; edit "s/^(X-Turnkey-Signature-Algorithm: ).*/\1none\r/"; vector another-algorithm malformed "the sender names another algorithm" event
fresh; edit "s/^(X-Turnkey-Signature-Version: ).*/\1v2\r/"; vector another-version malformed "the sender names another version" event
fresh; edit "s/^(X-Turnkey-Signature-Key-Id: ).*/\1webhook_key_002\r/"; vector another-key-id mismatch "the id of another key, which is signed" event
