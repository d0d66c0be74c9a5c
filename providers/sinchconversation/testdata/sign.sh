# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/sinchconversation
first='{"app_id":"01EB37HMH1M6SV18BSNS3G135H","accepted_time":"2026-03-14T09:26:52Z","project_id":"p1","message":{"id":"01EQ8235TD19N21XQTH12B145D","direction":"TO_APP"}}'
second='{"app_id":"01EB37HMH1M6SV18BSNS3G135H","accepted_time":"2026-03-14T09:26:50Z","project_id":"p1","message":{"id":"01EQ8235TD19N21XQTH12B145C","direction":"TO_APP"}}'
encode() { base64of; }
nonce=01FJA8B4A7BM43YGWSG9GBV067
signed() { cat "$body"; printf '.%s.%s' "$nonce" "$ts"; }
heads() { line x-sinch-webhook-signature "$sig"; line x-sinch-webhook-signature-nonce "$nonce"; line x-sinch-webhook-signature-timestamp "$ts"; line x-sinch-webhook-signature-algorithm HmacSHA256; }
timed=300,300
flaws
fresh; edit "/^x-sinch-webhook-signature-timestamp:/d"; vector no-time malformed "the time is missing" event
fresh; edit "s/^(x-sinch-webhook-signature-timestamp: .*)/\1\n\1/"; vector time-twice malformed "the time stands there twice" event
fresh; edit "s/^(x-sinch-webhook-signature-algorithm: ).*/\1HmacSHA1\r/"; vector another-algorithm malformed "the request names another algorithm" event
fresh; edit "/^x-sinch-webhook-signature-nonce:/d"; vector no-nonce malformed "the nonce is missing" event
fresh; edit "s/^(x-sinch-webhook-signature-nonce: .*)\r/\10\r/"; vector nonce-changed mismatch "the nonce has one more character" event
