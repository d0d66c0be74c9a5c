# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/cloudflarestream
first='{"uid":"71b9c4b6f1a24b0e9d5f7c8a6e3d2b10","readyToStream":true,"status":{"state":"ready"},"created":"2026-03-14T09:20:00Z","modified":"2026-03-14T09:26:52Z"}'
second='{"uid":"70b9c4b6f1a24b0e9d5f7c8a6e3d2b10","readyToStream":false,"status":{"state":"error"},"created":"2026-03-14T09:20:00Z","modified":"2026-03-14T09:26:50Z"}'
signed() { printf '%s.' "$ts"; cat "$body"; }
heads() { line Webhook-Signature "time=$ts,sig1=$sig"; }
timed=300,300
list() { edit "s#^($header: ).*#\1$1\r#"; }
skip=quoted
flaws
fresh; edit "s/^($header: )(.*)\r/\1\"\2\"\r/"; vector in-quotes malformed "quotes around the header of the signature" event
fresh; list "time=$ts,sig1=$(zeros),sig1=$good"; vector good-behind-wrong accept "a rotation: the first signature is by a secret that the endpoint does not have"
fresh; list "time=$ts,sig1=?,sig1=$good"; vector good-behind-undecodable accept "the first signature does not decode"
fresh; list "time=$ts,x9=$good"; vector another-item-alone unsigned "there is no item of the name that signatures have" event
fresh; list "sig1=$good"; vector no-time malformed "there is no time" event
fresh; list "time=$ts,time=$ts,sig1=$good"; vector time-twice malformed "the time stands there twice" event
