# Makes the vectors of this folder: bash providers/jwt/messagebird/testdata/sign.sh
cd "$(dirname "$0")" && . ../../vectors.sh
name=MessageBird-Signature-JWT
path=/hooks/messagebird?a=1
options='# option: url https://shop.example/hooks/messagebird?a=1'
secret=hT3vQk9ZpWm2XsB7nLd5RfYc8JgA4eUo
first='{"id":"7b0d4b5c9f1e4c0a8f2d","type":"message.status","status":"delivered"}'
second='{"id":"1c9e77a2d6b84f0f9a31","type":"message.status","status":"delivery_failed"}'
first_id=0f6a8c1e-5b42-4d0a-9c55-3a7be2d1f004 second_id=$first_id
claims() {
	printf '{"iss":"MessageBird","nbf":%s,"exp":%s,"jti":"%s","url_hash":"%s","payload_hash":"%s"}' \
		"$at" $((at + 60)) "$id" "$(printf 'https://shop.example/hooks/messagebird?a=1' | openssl dgst -sha256 -binary | hex)" "$(sum | hex)"
}
timed=61,1
flaws
tamper issuer mismatch "another issuer" 's/MessageBird/messagebird/'
tamper no-issuer malformed "no issuer" 's/"iss"/"is"/'
tamper url mismatch "the hash of another URL" 's/("url_hash":")...../\100000/'
tamper no-url malformed "no hash of the URL" 's/"url_hash"/"url"/'
tamper no-id malformed "no id" 's/"jti"/"id"/'
tamper no-expiry malformed "no expiry" 's/"exp"/"ex"/'
tamper no-body-hash mismatch "a body, and no hash of it" 's/"payload_hash"/"payload"/'
tamper body-hash-upper-case mismatch "the hash of the body in upper case" 's/("payload_hash":")([^"]*)/\1\U\2/'
tamper body-hash-empty malformed "an empty hash of the body" 's/("payload_hash":")[^"]*/\1/'
alg=HS384 secret=hT3vQk9ZpWm2XsB7nLd5RfYc8JgA4eUohT3vQk9ZpWm2XsB7
mine=$secret
plain "$first"
vector algorithm-384 accept "HS384 of the same key" "$(made "$(header)" "$(claims)")"
