# Makes the vectors of this folder: bash providers/jwt/vonage/testdata/sign.sh
cd "$(dirname "$0")" && . ../../vectors.sh
name=Authorization
prefix='Bearer '
path=/hooks/vonage
secret=wQ7zXk2mTbR9vLc4NfYs8HdJg3PeA5uVo6KiM1nBxZtCrWqEyU
other_secret=aS4dFg7hJk1lQw2eRt5yUi8oPz3xCv6bNm9aS4dFg7hJk1lQw2
first='{"channel":"sms","message_uuid":"9f1b6c2e-7d45-4b7a-8a51-2f60cd94e1b3","status":"delivered"}'
second='{"channel":"sms","message_uuid":"1a6d0e7f-3c28-4f9b-b1d2-90ab34cd56ef","status":"rejected"}'
first_id=c2f7d1a4-8b3e-4c60-9e15-7a4d2b90f6e8 second_id=5e9a0c73-1f4d-4a28-b6c7-d81e3f2a9b04
claims() {
	printf '{"iat":%s,"jti":"%s","iss":"Vonage","payload_hash":"%s","api_key":"a1b2c3d4","application_id":"0c7f3a52-6d18-4e9b-8f24-b5a1d0e6c793"}' \
		"$at" "$id" "$(sum | hex)"
}
timed=90000,60
flaws
tamper issuer mismatch "another issuer" 's/"Vonage"/"Nexmo"/'
tamper no-account malformed "no API key" 's/"api_key"/"key"/'
tamper no-id malformed "no id" 's/"jti"/"id"/'
tamper no-body-hash malformed "no hash of the body" 's/"payload_hash"/"hash"/'
prefix=; plain "$first"; id=$first_id
vector no-bearer unsigned "the word Bearer is missing" "$(made "$(header)" "$(claims)")" event
prefix='bearer '
vector bearer-in-other-letters unsigned "the word Bearer in other letters" "$(made "$(header)" "$(claims)")" event
prefix='Bearer  '
vector two-blanks malformed "two blanks behind Bearer" "$(made "$(header)" "$(claims)")" event
prefix='Bearer ' options='# option: claim api_key a1b2c3d4'
vector account accept "the account of the endpoint" "$(made "$(header)" "$(claims)")"
options='# option: claim api_key e5f6a7b8'
vector another-account mismatch "another account than the endpoint's" "$(made "$(header)" "$(claims)")" account
