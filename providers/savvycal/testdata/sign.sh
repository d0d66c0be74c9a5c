# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/savvycal
first='{"type":"event.created","id":"payload_01FCD0","version":"1","occurred_at":"2026-03-14T09:26:51Z","payload":{"id":"event_1","state":"confirmed","summary":"Chat with Jo"}}'
second='{"type":"event.canceled","id":"payload_01FCD1","version":"1","occurred_at":"2026-03-14T09:27:51Z","payload":{"id":"event_1","state":"canceled","summary":"Chat with Jo"}}'
first_id=payload_01FCD0
second_id=payload_01FCD1
skip=upper-case-hex
header=X-SavvyCal-Signature
signed() { cat "$body"; }
encode() { hex | tr 'a-f' 'A-F'; }
heads() { line X-SavvyCal-Signature "sha256=$sig"; }
flaws
fresh; with "$(printf '%s' "$good" | tr 'A-F' 'a-f')"; vector lower-case-hex malformed "the signature in lower case" event
