# Makes the vectors of this folder: bash providers/jwt/qstash/testdata/sign.sh
cd "$(dirname "$0")" && . ../../vectors.sh
name=Upstash-Signature
path=/hooks/qstash
options='# option: url https://shop.example/hooks/qstash'
secret=sig_4qWm7ZcT9bXkR2vNfJ6yLdHs3PgE
other_secret=sig_8nBv5MxQ1rTzK7wYcF4jGdLs2HpA
first='{"job":"invoice","order":4711}'
second='{"job":"reminder","order":4712}'
first_id=jwt_3mZkQ8vXb2NfT7yLcR5wHdJs second_id=jwt_9pGqW4tYc6VhK1xMdB8zFnRs
claims() {
	printf '{"iss":"Upstash","sub":"https://shop.example/hooks/qstash","exp":%s,"nbf":%s,"iat":%s,"jti":"%s","body":"%s="}' \
		$((at + 300)) "$at" "$at" "$id" "$(sum | base64url)"
}
timed=360,60
flaws
tamper issuer mismatch "another issuer" 's/"Upstash"/"upstash"/'
tamper url mismatch "another URL" 's|hooks/qstash|hooks/other|'
tamper no-url malformed "no URL" 's/"sub"/"aud"/'
tamper no-id malformed "no id" 's/"jti"/"id"/'
tamper no-body-hash malformed "no hash of the body" 's/"body"/"bod"/'
tamper no-expiry malformed "no expiry" 's/"exp"/"ex"/'
tamper expired too_old "the expiry is over" 's/("exp":)[0-9]+/\11773480352/'
plain "$first"; id=$first_id
vector body-hash-without-padding accept "the hash of the body without padding" "$(made "$(header)" "$(claims | sed 's/="}/"}/')")"
