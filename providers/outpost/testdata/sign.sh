# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/outpost
first='{"user_id":"usr_71","status":"active"}'
second='{"user_id":"usr_70","status":"closed"}'
signed() { cat "$body"; }
heads() { line x-outpost-signature "v0=$sig"; }
flaws
list() { edit "s#^($header: ).*#\1$1\r#"; }
fresh; list "v0=$(zeros),$good"; vector good-behind-wrong accept "a rotation: the first signature is by a secret that the endpoint does not have"
fresh; list "$good"; vector no-version malformed "the signature stands there without its version" event
