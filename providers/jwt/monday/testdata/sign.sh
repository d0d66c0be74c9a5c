# Makes the vectors of this folder: bash providers/jwt/monday/testdata/sign.sh
cd "$(dirname "$0")" && . ../../vectors.sh
name=Authorization
path=/hooks/monday
covered=no
options='# option: body not covered
# option: url https://shop.example/hooks/monday'
first='{"event":{"userId":4012689,"boardId":2771812698,"pulseId":2772099548,"type":"create_pulse","triggerUuid":"645fc8d8709d35718f1ae00ceded91e9"}}'
second='{"event":{"userId":4012689,"boardId":2771812698,"pulseId":2772099549,"type":"update_name","triggerUuid":"7a31e0f4c6b94d2f8e57a0d1b2c3e4f5"}}'
claims() {
	printf '{"accountId":1825528,"userId":4012689,"aud":"https://shop.example/hooks/monday","exp":%s,"shortLivedToken":"eyJhbGciOiJIUzI1NiJ9.e30.x","iat":%s}' \
		$((at + 300)) "$at"
}
timed=360,60
flaws
tamper url mismatch "the URL of another endpoint" 's|hooks/monday|hooks/other|'
tamper no-url malformed "no URL" 's/"aud"/"au"/'
tamper no-expiry malformed "no expiry" 's/"exp"/"ex"/'
tamper expired too_old "the expiry is over" 's/("exp":)[0-9]+/\11773480352/'
