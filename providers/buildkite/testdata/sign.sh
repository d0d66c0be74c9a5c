# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/buildkite
first='{"event":"build.finished","build":{"id":"71d1f0c6-9b3e-47d2-8c50-f1ae6b7d9243","number":71,"state":"passed"},"pipeline":{"slug":"site"}}'
second='{"event":"build.running","build":{"id":"70d1f0c6-9b3e-47d2-8c50-f1ae6b7d9243","number":70,"state":"running"},"pipeline":{"slug":"site"}}'
signed() { printf '%s.' "$ts"; cat "$body"; }
heads() { line X-Buildkite-Signature "timestamp=$ts,signature=$sig"; }
timed=300,300
list() { edit "s#^($header: ).*#\1$1\r#"; }
skip=quoted
flaws
fresh; edit "s/^($header: )(.*)\r/\1\"\2\"\r/"; vector in-quotes malformed "quotes around the header of the signature" event
fresh; list "timestamp=$ts,signature=$(zeros),signature=$good"; vector good-behind-wrong accept "a rotation: the first signature is by a secret that the endpoint does not have"
fresh; list "timestamp=$ts,signature=?,signature=$good"; vector good-behind-undecodable accept "the first signature does not decode"
fresh; list "timestamp=$ts,x9=$good"; vector another-item-alone unsigned "there is no item of the name that signatures have" event
fresh; list "signature=$good"; vector no-time malformed "there is no time" event
fresh; list "timestamp=$ts,timestamp=$ts,signature=$good"; vector time-twice malformed "the time stands there twice" event
