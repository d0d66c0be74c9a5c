# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/hubspot
first='[{"eventId":71,"subscriptionId":12345,"portalId":62515,"occurredAt":1773480412000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123}]'
second='[{"eventId":70,"subscriptionId":12345,"portalId":62515,"occurredAt":1773480410000,"subscriptionType":"contact.deletion","attemptNumber":0,"objectId":122}]'
url='https://hooks.example.com/hooks/hubspot?tenant=4711'
stamp() { printf '%s000' "$1"; }
encode() { base64of; }
signed() { printf 'POST%s' "$url"; cat "$body"; printf '%s' "$ts"; }
heads() { line X-HubSpot-Signature-v3 "$sig"; line X-HubSpot-Request-Timestamp "$ts"; }
timed=300,300
flaws
fresh; edit "/^X-HubSpot-Request-Timestamp:/d"; vector no-time malformed "the time is missing" event
fresh; edit "s/^(X-HubSpot-Request-Timestamp: .*)/\1\n\1/"; vector time-twice malformed "the time stands there twice" event
fresh; url=https://hooks.example.com/hooks/hubspot; vector another-url mismatch "the endpoint has another URL" event
