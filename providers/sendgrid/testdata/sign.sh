# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/sendgrid
privatekey ecdsa der
# A body ends with a carriage return and a line feed.
end=$'\r\n'
first='[{"email":"someone@example.com","event":"delivered","sg_event_id":"ZGVsaXZlcmVkLTA","sg_message_id":"abc.recvd-1","timestamp":1773480410}]'$end
second='[{"email":"other@example.com","event":"bounce","reason":"550 5.1.1","sg_event_id":"Ym91bmNlLTA","sg_message_id":"abd.recvd-2","timestamp":1773480411}]'$end
encode() { base64of; }
signed() { printf '%s' "$ts"; cat "$body"; }
heads() { line X-Twilio-Email-Event-Webhook-Signature "$sig"; line X-Twilio-Email-Event-Webhook-Timestamp "$ts"; }
timed=300,300
flaws
fresh; plain "${first%"$end"}"; vector without-its-line-end mismatch "the carriage return and the line feed at the end of the body were trimmed" event
fresh; with "$(printf '%s' "$good" | openssl base64 -d -A | { cat; printf '\0'; } | base64of)"; vector byte-behind-the-signature malformed "a byte behind the two numbers of the signature" event
