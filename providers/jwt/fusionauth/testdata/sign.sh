# Makes the vectors of this folder: bash providers/jwt/fusionauth/testdata/sign.sh
# The keys test-key.pem and other-key.pem were made for it, and are known to everybody.
cd "$(dirname "$0")" && . ../../vectors.sh
name=X-FusionAuth-Signature-JWT
alg=RS256 kid=_H07wVG1fV3l5ih74rNxIC3nevE
path=/hooks/fusionauth
first='{"event":{"type":"user.create","id":"7c3e1f90-2b5d-4a68-91c7-d4e0f6a8b215","createInstant":1773480413000}}'
second='{"event":{"type":"user.delete","id":"e1a7b4d2-0c96-4f83-8b5a-36d9c7f1e840","createInstant":1773480413000}}'
claims() { printf '{"request_body_sha256":"%s"}' "$(sum | base64of)"; }
flaws
tamper no-body-hash malformed "another token of the same key" 's/"request_body_sha256"/"sub"/'
plain "$first"
vector body-hash-in-hexadecimal mismatch "the hash of the body in hexadecimal" "$(made "$(header)" "{\"request_body_sha256\":\"$(sum | hex)\"}")" event
