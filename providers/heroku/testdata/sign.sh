# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/heroku
first='{"id":"a5fd9b1c-9f1f-4b2e-b6b7-2d2f7b1d6c11","action":"create","resource":"build","data":{"app":{"name":"acme-site"},"status":"pending"},"webhook_metadata":{"attempt":{"id":"6f5e"},"event":{"id":"a5fd","include":"api:build"}}}'
second='{"id":"b6fe9b1c-9f1f-4b2e-b6b7-2d2f7b1d6c22","action":"update","resource":"build","data":{"app":{"name":"acme-site"},"status":"succeeded"},"webhook_metadata":{"attempt":{"id":"7a6f"},"event":{"id":"b6fe","include":"api:build"}}}'
signed() { cat "$body"; }
encode() { base64of; }
heads() { line Heroku-Webhook-Hmac-SHA256 "$sig"; }
flaws
