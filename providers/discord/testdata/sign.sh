# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/discord
privatekey ed25519 rawhex
first='{"app_permissions":"2248473465835073","application_id":"845027738276462632","channel_id":"772908445358620702","data":{"id":"1234567890123456789","name":"refund","type":1},"id":"1352678451234567890","token":"aW50ZXJhY3Rpb24","type":2,"version":1}'
first_id=1352678451234567890
second='{"version":1,"application_id":"845027738276462632","type":1,"event":{"type":"ENTITLEMENT_CREATE","timestamp":"2026-03-14T09:26:52.064834","data":{"id":"1019653849998299136"}}}'
signed() { printf '%s' "$ts"; cat "$body"; }
heads() { line X-Signature-Ed25519 "$sig"; line X-Signature-Timestamp "$ts"; }
timed=300,300
flaws

# What Discord sends to check an endpoint: a PING, and requests with a wrong signature.
id=1352678451234567999
plain '{"application_id":"845027738276462632","id":"1352678451234567999","type":1,"user":{"id":"53908232506183680"},"version":1}'
sign; vector ping accept "the PING that checks an endpoint"
with "$other_sig"; vector ping-with-a-wrong-signature mismatch "a PING with the signature of another body, as Discord sends it to see it refused" ping
id=
plain '{"version":1,"application_id":"845027738276462632","type":0}'
sign; vector ping-of-events accept "the PING that checks an endpoint of webhook events"
