# Makes the vectors of this folder: bash providers/jwt/pubsub/testdata/sign.sh
# The keys test-key.pem and other-key.pem were made for it, and are known to everybody.
cd "$(dirname "$0")" && . ../../vectors.sh
name=Authorization
prefix='Bearer '
alg=RS256 kid=7d680d8c70d44e947133cbd499ebc1a61c3d5abc
path=/hooks/pubsub
covered=no
options='# option: body not covered
# option: claim aud https://shop.example/hooks/pubsub
# option: claim email push@shop-4711.iam.gserviceaccount.com'
first='{"message":{"data":"aGVsbG8=","messageId":"136969346945","publishTime":"2026-03-14T09:26:50.1Z"},"subscription":"projects/shop-4711/subscriptions/orders"}'
second='{"message":{"data":"Z29vZGJ5ZQ==","messageId":"136969346946","publishTime":"2026-03-14T09:26:51.2Z"},"subscription":"projects/shop-4711/subscriptions/orders"}'
claims() {
	printf '{"aud":"https://shop.example/hooks/pubsub","azp":"113774264463038321964","email":"push@shop-4711.iam.gserviceaccount.com","email_verified":true,"exp":%s,"iat":%s,"iss":"https://accounts.google.com","sub":"113774264463038321964"}' \
		$((at + 3600)) "$at"
}
timed=3660,60
flaws
tamper audience mismatch "another audience" 's|hooks/pubsub|hooks/other|'
tamper audience-as-list malformed "a list of audiences" 's|"aud":("[^"]*")|"aud":[\1]|'
tamper no-audience malformed "no audience" 's/"aud"/"au"/'
tamper account mismatch "the token of another service account" 's/push@shop-4711/push@evil-4711/'
tamper no-account malformed "no email" 's/"email":/"mail":/'
tamper not-verified mismatch "the email is not verified" 's/"email_verified":true/"email_verified":false/'
tamper verified-as-text malformed "email_verified is a text" 's/"email_verified":true/"email_verified":"true"/'
tamper issuer mismatch "another issuer" 's|"https://accounts.google.com"|"https://accounts.google.com.evil.example"|'
tamper no-expiry malformed "no expiry" 's/"exp"/"ex"/'
