# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/convoy
first='{"event":"charge.success","id":71,"amount":1000,"currency":"NGN"}'
second='{"event":"charge.failed","id":70,"amount":800,"currency":"NGN"}'
signed() { printf '%s,' "$ts"; cat "$body"; }
heads() { line X-Convoy-Signature "t=$ts,v1=$sig"; }
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
