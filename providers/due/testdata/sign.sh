# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/due
privatekey ed25519 der
first='{"id":"evt_3KqYc0mXhVvB","type":"transfer.status_changed","data":{"id":"tf_8mDq","status":"completed"}}'
second='{"id":"evt_9PwZr1nLkTdS","type":"transfer.status_changed","data":{"id":"tf_8mDq","status":"failed"}}'
signed() { cat "$body"; }
heads() { line X-Webhook-Signature "$sig"; }
flaws
