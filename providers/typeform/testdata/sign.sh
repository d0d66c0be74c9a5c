# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/typeform
first='{"event_id":"01HRA5XQ3Z","event_type":"form_response","form_response":{"form_id":"aBcDeF","token":"t1","submitted_at":"2026-03-14T09:26:50Z","answers":[{"type":"text","text":"yes"}]}}'
second='{"event_id":"01HRA5YB7K","event_type":"form_response","form_response":{"form_id":"aBcDeF","token":"t2","submitted_at":"2026-03-14T09:26:52Z","answers":[{"type":"text","text":"no"}]}}'
first_id=01HRA5XQ3Z
second_id=01HRA5YB7K
signed() { cat "$body"; }
encode() { base64of; }
heads() { line Typeform-Signature "sha256=$sig"; }
flaws
