# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/zendesk
first='{"ticket_id":"71","subject":"The printer is on fire","status":"new"}'
second='{"ticket_id":"70","subject":"No paper","status":"open"}'
stamp() { iso "$1"; }
encode() { base64of; }
signed() { printf '%s' "$ts"; cat "$body"; }
heads() { line X-Zendesk-Webhook-Signature "$sig"; line X-Zendesk-Webhook-Signature-Timestamp "$ts"; }
timed=300,300
flaws
fresh; edit "/^X-Zendesk-Webhook-Signature-Timestamp:/d"; vector no-time malformed "the time is missing" event
fresh; edit "s/^(X-Zendesk-Webhook-Signature-Timestamp: .*)/\1\n\1/"; vector time-twice malformed "the time stands there twice" event
fresh; with "$(cat "$body" <(printf '%s' "$ts") | mac | encode)"; vector time-behind-the-body mismatch "the time is signed behind the body" event
