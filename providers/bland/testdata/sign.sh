# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/bland
first='{"call_id":"c1a2b3","completed":true,"call_length":1.25,"to":"+15550100","from":"+15550101","status":"completed","end_at":"2026-03-14T09:26:51Z"}'
second='{"call_id":"d2b3c4","completed":false,"call_length":0,"to":"+15550100","from":"+15550101","status":"no-answer","end_at":"2026-03-14T09:27:51Z"}'
signed() { cat "$body"; }
heads() { line X-Webhook-Signature "$sig"; }
flaws
