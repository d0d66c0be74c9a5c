# Makes the vectors of this folder: bash providers/jwt/plaid/testdata/sign.sh
# The keys test-key.pem and other-key.pem were made for it, and are known to everybody.
cd "$(dirname "$0")" && . ../../vectors.sh
name=Plaid-Verification
alg=ES256 kid=bfbd5111-8e33-4643-8ced-b2e642a72f3c
path=/hooks/plaid
first='{
  "environment": "sandbox",
  "item_id": "wz666MBjYWTp2PDzzggYhM6oWWmBb",
  "webhook_code": "SYNC_UPDATES_AVAILABLE",
  "webhook_type": "TRANSACTIONS"
}'
second='{
  "environment": "sandbox",
  "item_id": "eVBnVMp7zdTJLkRNr33Rs6zr7KNJq",
  "webhook_code": "PENDING_EXPIRATION",
  "webhook_type": "ITEM"
}'
claims() { printf '{"iat":%s,"request_body_sha256":"%s"}' "$at" "$(sum | hex)"; }
timed=300,60
flaws
tamper no-body-hash malformed "no hash of the body" 's/"request_body_sha256"/"body"/'
tamper body-hash-upper-case mismatch "the hash of the body in upper case" 's/("request_body_sha256":")([^"]*)/\1\U\2/'
plain "$(printf '%s' "$first" | tr -d ' \n')"
vector body-compacted mismatch "the body without its white space" "$event" event
