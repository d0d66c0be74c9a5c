# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/cashfree
first='{"data":{"order":{"order_id":"order_71","order_amount":12.00,"order_currency":"INR"},"payment":{"cf_payment_id":"1453002795","payment_status":"SUCCESS"}},"event_time":"2026-03-14T14:56:52+05:30","type":"PAYMENT_SUCCESS_WEBHOOK"}'
second='{"data":{"order":{"order_id":"order_70","order_amount":8.00,"order_currency":"INR"},"payment":{"cf_payment_id":"1453002794","payment_status":"FAILED"}},"event_time":"2026-03-14T14:56:50+05:30","type":"PAYMENT_FAILED_WEBHOOK"}'
stamp() { printf '%s000' "$1"; }
encode() { base64of; }
signed() { printf '%s' "$ts"; cat "$body"; }
heads() { line x-webhook-signature "$sig"; line x-webhook-timestamp "$ts"; }
timed=300,300
flaws
fresh; edit "/^x-webhook-timestamp:/d"; vector no-time malformed "the time is missing" event
fresh; edit "s/^(x-webhook-timestamp: .*)/\1\n\1/"; vector time-twice malformed "the time stands there twice" event
fresh; with "$(printf '%s.' "$ts" | cat - "$body" | mac | encode)"; vector dot-between mismatch "a dot between the time and the body is signed, too" event
