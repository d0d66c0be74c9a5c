# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/front
first='{"type":"inbound_received","authorization":{"id":"cmp_abc"},"payload":{"id":"evt_71","type":"inbound"}}'
second='{"type":"conversation_archived","authorization":{"id":"cmp_abc"},"payload":{"id":"evt_70","type":"archive"}}'
stamp() { printf '%s000' "$1"; }
encode() { base64of; }
signed() { printf '%s:' "$ts"; cat "$body"; }
heads() { line x-front-signature "$sig"; line x-front-request-timestamp "$ts"; }
timed=300,300
flaws
fresh; edit "/^x-front-request-timestamp:/d"; vector no-time malformed "the time is missing" event
fresh; edit "s/^(x-front-request-timestamp: .*)/\1\n\1/"; vector time-twice malformed "the time stands there twice" event
