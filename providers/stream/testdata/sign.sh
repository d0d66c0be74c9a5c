# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/stream
first='{"type":"message.new","cid":"messaging:general","message":{"id":"m1","text":"hello","created_at":"2026-03-14T09:26:51.262Z"},"user":{"id":"jo"}}'
second='{"type":"message.deleted","cid":"messaging:general","message":{"id":"m1","text":"hello","deleted_at":"2026-03-14T09:27:51.262Z"},"user":{"id":"jo"}}'
signed() { cat "$body"; }
heads() {
	line X-Signature "$sig"
	line X-Api-Key "892s22ypvt6m"
	line X-Webhook-Id "3b6c1b53"
}
flaws
