# Makes the vectors of this folder: bash providers/jwt/livekit/testdata/sign.sh
cd "$(dirname "$0")" && . ../../vectors.sh
name=Authorization
type=application/webhook+json
path=/hooks/livekit
options='# option: claim iss APIq8ZtW3mKx7Rd'
secret=Lm9QeXv2TkP7rWc4ZsYb8HnDf5JgA1uNq3Vo6
first='{"event":"room_started","room":{"sid":"RM_8hKq2","name":"standup"},"id":"EV_p7Xw3","createdAt":"1773480413"}'
second='{"event":"room_finished","room":{"sid":"RM_8hKq2","name":"standup"},"id":"EV_c4Zt9","createdAt":"1773480413"}'
claims() {
	printf '{"exp":%s,"iss":"APIq8ZtW3mKx7Rd","nbf":%s,"sha256":"%s"}' $((at + 300)) "$at" "$(sum | base64of)"
}
timed=360,60
flaws
tamper api-key mismatch "another API key" 's/APIq8/APIq9/'
tamper no-api-key malformed "no API key" 's/"iss"/"sub"/'
tamper token-of-a-participant malformed "a token of a participant, without a hash of a body" 's/"sha256":"[^"]*"/"video":{"roomJoin":true,"room":"standup"}/'
tamper no-expiry malformed "no expiry" 's/"exp"/"ex"/'
tamper expired too_old "the expiry is over" 's/("exp":)[0-9]+/\11773480352/'
prefix='Bearer '; plain "$first"
vector bearer malformed "the word Bearer in front" "$(made "$(header)" "$(claims)")" event
