# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/lemonsqueezy
first='{"meta":{"event_name":"order_created","webhook_id":"w1"},"data":{"type":"orders","id":"1","attributes":{"identifier":"636f855c","status":"paid","total":999,"updated_at":"2026-03-14T09:26:51.000000Z"}}}'
second='{"meta":{"event_name":"order_refunded","webhook_id":"w1"},"data":{"type":"orders","id":"1","attributes":{"identifier":"636f855c","status":"refunded","total":999,"updated_at":"2026-03-14T09:27:51.000000Z"}}}'
signed() { cat "$body"; }
heads() {
	line X-Signature "$sig"
	line X-Event-Name "order_created"
}
flaws
