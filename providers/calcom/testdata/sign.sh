# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/calcom
first='{"triggerEvent":"BOOKING_CREATED","createdAt":"2026-03-14T09:26:51.000Z","payload":{"title":"30min between Jo and Al","startTime":"2026-03-16T10:00:00Z","uid":"bFJeNb2uX8ANpT3JL5EfXw"}}'
second='{"triggerEvent":"BOOKING_CANCELLED","createdAt":"2026-03-14T09:27:51.000Z","payload":{"title":"30min between Jo and Al","startTime":"2026-03-16T10:00:00Z","uid":"bFJeNb2uX8ANpT3JL5EfXw"}}'
signed() { cat "$body"; }
heads() { line X-Cal-Signature-256 "$sig"; }
flaws
fresh; with no-secret-provided; vector no-secret-provided malformed "what stands there if the webhook has no secret" event
