# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/mux
first='{"type":"video.asset.ready","id":"3a56ac3d-33da-4366-855b-f592d898409d","created_at":"2026-03-14T09:26:52.000000Z","object":{"type":"asset","id":"asset71"},"environment":{"name":"Production","id":"j0863n"},"data":{"status":"ready"},"attempts":[]}'
second='{"type":"video.asset.deleted","id":"3a56ac3d-33da-4366-855b-f592d898409e","created_at":"2026-03-14T09:26:50.000000Z","object":{"type":"asset","id":"asset70"},"environment":{"name":"Production","id":"j0863n"},"data":{},"attempts":[]}'
first_id=3a56ac3d-33da-4366-855b-f592d898409d
second_id=3a56ac3d-33da-4366-855b-f592d898409e
signed() { printf '%s.' "$ts"; cat "$body"; }
heads() { line Mux-Signature "t=$ts,v1=$sig"; }
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
