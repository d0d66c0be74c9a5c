# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/wise
privatekey rsa der
first='{"data":{"resource":{"type":"transfer","id":51616800,"profile_id":2220003,"account_id":14000},"current_state":"processing","previous_state":"incoming_payment_waiting","occurred_at":"2026-03-14T09:26:52Z"},"subscription_id":"90aa8e14-4ef1-4a56-861c-f3c9cde09702","event_type":"transfers#state-change","schema_version":"2.0.0","sent_at":"2026-03-14T09:26:53Z"}'
second='{"data":{"resource":{"type":"transfer","id":51616800,"profile_id":2220003,"account_id":14000},"current_state":"outgoing_payment_sent","previous_state":"processing","occurred_at":"2026-03-14T09:26:50Z"},"subscription_id":"90aa8e14-4ef1-4a56-861c-f3c9cde09702","event_type":"transfers#state-change","schema_version":"2.0.0","sent_at":"2026-03-14T09:26:51Z"}'
encode() { base64of; }
signed() { cat "$body"; }
heads() { line X-Signature-Sha256 "$sig"; line X-Delivery-Id "1f4b7c0e-7d3a-4c58-9a55-0e6f6f2f7d11"; }
flaws
