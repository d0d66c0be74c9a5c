# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/dwolla
first='{"id":"80d8ff7d-7e5a-4975-ade8-9e97306d6c15","resourceId":"36e9dcb2","topic":"customer_created","timestamp":"2026-03-14T09:26:51.407Z","_links":{"self":{"href":"https://api.example.com/events/80d8ff7d"}}}'
second='{"id":"91e9008e-8f6b-5a86-bef9-afa8417e7d26","resourceId":"36e9dcb2","topic":"customer_verified","timestamp":"2026-03-14T09:27:51.407Z","_links":{"self":{"href":"https://api.example.com/events/91e9008e"}}}'
first_id=80d8ff7d-7e5a-4975-ade8-9e97306d6c15
second_id=91e9008e-8f6b-5a86-bef9-afa8417e7d26
header=X-Request-Signature-SHA-256
signed() { cat "$body"; }
heads() { line X-Request-Signature-SHA-256 "$sig"; }
flaws
