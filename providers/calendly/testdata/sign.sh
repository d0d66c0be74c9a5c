# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/calendly
first='{"event":"invitee.created","created_at":"2026-03-14T09:26:52.000000Z","created_by":"https://api.example.com/users/A71","payload":{"email":"ann@example.com","status":"active"}}'
second='{"event":"invitee.canceled","created_at":"2026-03-14T09:26:50.000000Z","created_by":"https://api.example.com/users/A71","payload":{"email":"bob@example.com","status":"canceled"}}'
signed() { printf '%s.' "$ts"; cat "$body"; }
heads() { line Calendly-Webhook-Signature "t=$ts,v1=$sig"; }
timed=300,300
list() { edit "s#^($header: ).*#\1$1\r#"; }
skip=quoted
flaws
fresh; edit "s/^($header: )(.*)\r/\1\"\2\"\r/"; vector in-quotes malformed "quotes around the header of the signature" event
fresh; list "t=$ts,v1=$(zeros),v1=$good"; vector good-behind-wrong accept "a rotation: the first signature is by a secret that the endpoint does not have"
fresh; list "t=$ts,v1=?,v1=$good"; vector good-behind-undecodable accept "the first signature does not decode"
fresh; list "t=$ts,x9=$good"; vector another-item-alone unsigned "there is no item of the name that signatures have" event
fresh; list "v1=$good"; vector no-time malformed "there is no time" event
fresh; list "t=$ts,t=$ts,v1=$good"; vector time-twice malformed "the time stands there twice" event
