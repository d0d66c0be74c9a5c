# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/whereby
first='{"id":"71d1f0c6","apiVersion":"1.0","createdAt":"2026-03-14T09:26:52.000Z","type":"room.client.joined","data":{"meetingId":"4711","roomName":"/standup"}}'
second='{"id":"70d1f0c6","apiVersion":"1.0","createdAt":"2026-03-14T09:26:50.000Z","type":"room.session.started","data":{"meetingId":"4711","roomName":"/standup"}}'
signed() { printf '%s.' "$ts"; cat "$body"; }
heads() { line Whereby-Signature "t=$ts,v1=$sig"; }
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
