# Makes the vectors of this folder: bash providers/jwt/saleor/testdata/sign.sh
# The keys test-key.pem and other-key.pem were made for it, and are known to everybody.
cd "$(dirname "$0")" && . ../../vectors.sh
name=Saleor-Signature
alg=RS256
path=/hooks/saleor
id=
first='{"order":{"id":"T3JkZXI6NDcxMQ==","status":"UNFULFILLED"}}'
second='{"order":{"id":"T3JkZXI6NDcxMg==","status":"FULFILLED"}}'
mine=$(own)

header() { printf '{"typ":"JWT","alg":"%s","kid":"1","b64":false}' "$alg"; }
# detached HEADER signs the body as it is.
detached() {
	{ printf '%s.' "$(printf '%s' "$1" | base64url)"; cat "$body"; } >"$work/signed"
	printf '%s: %s..%s' "$name" "$(printf '%s' "$1" | base64url)" "$(signature <"$work/signed" | base64url)"
}

plain "$second"
vector another-event accept "another event" "$(detached "$(header)")"
other=$(detached "$(header)")
plain ""
vector body-empty accept "an empty body" "$(detached "$(header)")"
plain "$first"
event=$(detached "$(header)")
vector event accept "an event" "$event"
received=$((at + 31536000)); vector a-year-later accept "no time is signed: a year later it still verifies" "$event"
vector critical-b64 accept "crit says that b64 must be understood" "$(detached '{"typ":"JWT","alg":"RS256","kid":"1","b64":false,"crit":["b64"]}')"

plain "${first%?}x"; vector body-changed mismatch "the last byte of the body is another one" "$event" event
plain "$first "; vector blank-appended mismatch "a blank behind the body" "$event" event
plain ""; vector body-gone mismatch "the body is gone" "$event" event
plain "$second"; vector body-of-another-event mismatch "the body of another event under this signature" "$event" event
plain "$first"
vector signature-of-another-body mismatch "the signature of another body" "$other" event
vector no-token unsigned "the header of the signature is missing" "" event
vector token-twice malformed "the header of the signature stands there twice" "$event"$'\r\n'"$event" event
vector token-cut malformed "the end of the signature is missing" "${event%????}" event
vector no-signature malformed "the signature is missing" "${event%..*}.." event
vector not-detached malformed "a token with the body inside" "${event%..*}.$(printf '%s' "$first" | base64url).${event##*.}" event
vector token-of-the-same-key malformed "a token of the same key with the body inside" "$(made '{"typ":"JWT","alg":"RS256","kid":"1"}' "$first")" event
vector body-in-base64 mismatch "the body was signed in base64, and b64 is false" "$(token "$(header)" "$first" | sed -E "s/^([^.]*)\.[^.]*\./$name: \1../")" event
vector no-b64 malformed "b64 is missing" "$(detached '{"typ":"JWT","alg":"RS256","kid":"1"}')" event
vector b64-true malformed "b64 is true" "$(detached '{"typ":"JWT","alg":"RS256","kid":"1","b64":true}')" event
vector b64-as-text malformed "b64 is a text" "$(detached '{"typ":"JWT","alg":"RS256","kid":"1","b64":"false"}')" event
vector critical-more malformed "crit names something else, too" "$(detached '{"typ":"JWT","alg":"RS256","kid":"1","b64":false,"crit":["b64","exp"]}')" event
vector critical-empty malformed "crit is empty" "$(detached '{"typ":"JWT","alg":"RS256","kid":"1","b64":false,"crit":[]}')" event
vector key-url malformed "a URL of keys in the header" "$(detached '{"typ":"JWT","alg":"RS256","kid":"1","b64":false,"jku":"https://evil.example/keys"}')" event
vector b64-twice malformed "b64 stands there twice" "$(detached '{"typ":"JWT","alg":"RS256","kid":"1","b64":true,"b64":false}')" event
vector algorithm-none-signed unsigned "the algorithm none, and a good signature" "$(detached '{"typ":"JWT","alg":"none","kid":"1","b64":false}')" event
key=other-key.pem; vector wrong-key mismatch "the signature of another key" "$(detached "$(header)")" event; key=
alg=HS256 secret=$mine
vector hmac-with-the-public-key unsigned "an HMAC whose secret is the text of the public key" "$(detached "$(header)")" event
