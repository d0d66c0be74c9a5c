# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/trello
first='{"model":{"id":"5a5e5f375c8e0c172aa83471","name":"Done"},"action":{"id":"51f9424bcd6e040f3c002471","type":"updateCard","date":"2026-03-14T09:26:52.000Z"}}'
second='{"model":{"id":"5a5e5f375c8e0c172aa83471","name":"Done"},"action":{"id":"51f9424bcd6e040f3c002470","type":"createCard","date":"2026-03-14T09:26:50.000Z"}}'
url=https://hooks.example.com/hooks/trello
hash=sha1
encode() { base64of; }
signed() { cat "$body"; printf '%s' "$url"; }
heads() { line X-Trello-Webhook "$sig"; }
flaws
fresh; url=https://hooks.example.com/hooks/other; vector another-url mismatch "the endpoint has another URL" event
