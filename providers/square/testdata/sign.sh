# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/square
first='{"merchant_id":"MLEFBHHSJGVHD","type":"payment.updated","event_id":"71a1c2b3-5e28-4bc9-9a01-0f2b3c4d5e6f","created_at":"2026-03-14T09:26:52Z","data":{"type":"payment","id":"pay71"}}'
second='{"merchant_id":"MLEFBHHSJGVHD","type":"refund.created","event_id":"70a1c2b3-5e28-4bc9-9a01-0f2b3c4d5e6f","created_at":"2026-03-14T09:26:50Z","data":{"type":"refund","id":"ref70"}}'
first_id=71a1c2b3-5e28-4bc9-9a01-0f2b3c4d5e6f
second_id=70a1c2b3-5e28-4bc9-9a01-0f2b3c4d5e6f
url=https://hooks.example.com/hooks/square
encode() { base64of; }
signed() { printf '%s' "$url"; cat "$body"; }
heads() { line x-square-hmacsha256-signature "$sig"; }
flaws
fresh; url=https://hooks.example.com/hooks/other; vector another-url mismatch "the endpoint has another URL" event
