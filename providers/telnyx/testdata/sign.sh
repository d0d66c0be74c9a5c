# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/telnyx
privatekey ed25519 raw64
first='{"data":{"event_type":"message.received","id":"b301ed3f-1490-491f-995f-6e64e69674d4","occurred_at":"2026-03-14T09:26:52.000+00:00","payload":{"direction":"inbound","from":{"phone_number":"+15550100"},"text":"yes"},"record_type":"event"},"meta":{"attempt":1,"delivered_to":"https://hooks.example.com/hooks/telnyx"}}'
second='{"data":{"event_type":"call.hangup","id":"0ccc7b54-4df3-4bca-a65a-3da1ecc777f0","occurred_at":"2026-03-14T09:26:50.000+00:00","payload":{"hangup_cause":"normal_clearing"},"record_type":"event"},"meta":{"attempt":1,"delivered_to":"https://hooks.example.com/hooks/telnyx"}}'
encode() { base64of; }
signed() { printf '%s|' "$ts"; cat "$body"; }
heads() { line Telnyx-Signature-Ed25519 "$sig"; line Telnyx-Timestamp "$ts"; }
timed=300,300
flaws
