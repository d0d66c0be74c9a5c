# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/coinbasecommerce
first='{"id":1,"scheduled_for":"2026-03-14T09:26:51Z","attempt_number":1,"event":{"id":"24934862-d980-46cb-9402-43c81b0cdba6","type":"charge:created","data":{"code":"66BEOV2A","name":"A book"}}}'
second='{"id":2,"scheduled_for":"2026-03-14T09:27:51Z","attempt_number":1,"event":{"id":"35a45973-ea91-57dc-a513-54d92c1dcdb7","type":"charge:confirmed","data":{"code":"66BEOV2A","name":"A book"}}}'
header=X-CC-Webhook-Signature
signed() { cat "$body"; }
heads() { line X-CC-Webhook-Signature "$sig"; }
flaws
