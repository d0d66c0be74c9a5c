# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/bridge
privatekey rsa der
first='{"api_version":"v0","event_id":"wh_1q2w3e4r5t","event_category":"transfer","event_type":"updated.status_transitioned","event_object_id":"tr_01","event_object_status":"payment_processed","event_object":{"amount":"100.00","currency":"usd"},"event_created_at":"2026-03-14T09:26:52.000Z"}'
second='{"api_version":"v0","event_id":"wh_6y7u8i9o0p","event_category":"customer","event_type":"updated","event_object_id":"cu_07","event_object_status":"active","event_object":{"email":"someone@example.com"},"event_created_at":"2026-03-14T09:26:51.000Z"}'
first_id=wh_1q2w3e4r5t
second_id=wh_6y7u8i9o0p
encode() { base64of; }
stamp() { printf '%s000' "$1"; }
# What is signed is a hash, which openssl hashes again.
signed() { { printf '%s.' "$ts"; cat "$body"; } | openssl dgst -sha256 -binary; }
heads() { line X-Webhook-Signature "t=$ts,v0=$sig"; }
timed=600,300
flaws
fresh; with "$({ printf '%s.' "$ts"; cat "$body"; } | mac | encode)"; vector hashed-once mismatch "the time and the body are signed themselves, and not their hash" event
