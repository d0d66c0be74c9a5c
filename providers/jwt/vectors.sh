# Functions for the testdata/sign.sh of a sender of this module, which makes its vectors with
# openssl: a second program, in another language, that shares nothing with the verifier. A
# sign.sh says how the sender signs, has two bodies, and calls flaws:
#
#	cd "$(dirname "$0")" && . ../../vectors.sh
#	name=Acme-Signature
#	first='{"id":"evt_1"}'
#	second='{"id":"evt_2"}'
#	claims() { printf '{"iss":"Acme","iat":%s,"body":"%s"}' "$at" "$(sum | hex)"; }
#	timed=300,60
#	flaws
#	tamper issuer mismatch "another issuer" 's/"Acme"/"Evil"/'
#
# Run it with bash. It writes .http files beside itself; it removes none.
#
# What a sign.sh may set (defaults in parentheses):
#
#	claims     function: writes the claims; reads $at, $id and the file $body
#	header     function: writes the token's header; reads $alg and $kid
#	name       the name of the header of the request
#	prefix     what stands in front of the token ("")
#	alg        HS256, RS256 or ES256 (HS256); the latter sign with test-key.pem
#	kid        the key's id ("")
#	type       the Content-Type (application/json)
#	path       the path of the request (/hooks/in)
#	first, second            two bodies; first_id and second_id are their signed ids ("")
#	timed      the ends of the window in seconds, PAST,FUTURE, if a time is signed ("")
#	options    lines "# option: …", one a line ("")
#	covered    whether the token covers the body (yes)
set -eu -o pipefail
export LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

alg=HS256
kid=
prefix=
path=/hooks/in
type=application/json
secret=5d1f0c6a9b3e47d28c50f1ae6b7d9243
other_secret=e0417c9bd2a85f36917be4c80d2f6a15
first_id=
second_id=
timed=
options=
covered=yes
received=
secrets=
at=1773480413 # 2026-03-14T09:26:53Z

hex() { od -An -v -tx1 | tr -d ' \n'; }
unhex() { printf "$(sed 's/../\\x&/g')"; }
base64of() { openssl base64 -A; }
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
iso() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ; }
# sum writes the SHA-256 of the body, raw.
sum() { openssl dgst -sha256 -binary "$body"; }

header() {
	printf '{"alg":"%s","typ":"JWT"' "$alg"
	[ -z "$kid" ] || printf ',"kid":"%s"' "$kid"
	printf '}'
}

# signature signs stdin, raw.
signature() {
	case $alg in
	HS256) openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(printf '%s' "$secret" | hex)" -binary ;;
	HS384) openssl dgst -sha384 -mac HMAC -macopt "hexkey:$(printf '%s' "$secret" | hex)" -binary ;;
	HS512) openssl dgst -sha512 -mac HMAC -macopt "hexkey:$(printf '%s' "$secret" | hex)" -binary ;;
	RS256) openssl dgst -sha256 -sign "${key:-test-key.pem}" -binary ;;
	# Of the DER of ECDSA to its two numbers of 32 bytes.
	ES256) openssl dgst -sha256 -sign "${key:-test-key.pem}" -binary | openssl asn1parse -inform DER |
		sed -n 's/.*INTEGER *://p' | sed 's/^/0000000000000000000000000000000000000000000000000000000000000000/; s/.*\(.\{64\}\)$/\1/' |
		tr -d '\n' | unhex ;;
	none) ;;
	esac
}

# token writes the token of a header and claims.
token() {
	printf '%s.%s' "$(printf '%s' "$1" | base64url)" "$(printf '%s' "$2" | base64url)" >"$work/signed"
	printf '%s.%s' "$(cat "$work/signed")" "$(signature <"$work/signed" | base64url)"
}

# plain TEXT makes TEXT the body.
plain() { body=$work/body; printf '%s' "$1" >"$body"; }

# own is what the endpoint has: the secret, or the public key in one line.
own() {
	case $alg in
	HS*) printf '%s' "$secret" ;;
	*) openssl pkey -in test-key.pem -pubout -outform DER | base64of ;;
	esac
}

# vector NAME EXPECT NOTE LINES [TWIN] writes NAME.http. LINES are the lines of the head with
# the token. $received is when it arrives (two seconds after $at), $secrets what the endpoint
# has ($mine).
vector() {
	{
		printf '# note: %s\n# received: %s\n' "$3" "$(iso "${received:-$((at + 2))}")"
		for s in ${secrets:-$mine}; do printf '# secret: %s\n' "$s"; done
		[ -z "$options" ] || printf '%s\n' "$options"
		printf '# expect: %s\n' "$2"
		[ -z "${5:-}" ] || printf '# twin: %s.http\n' "$5"
		[ "$2" != accept ] || [ -z "$id" ] || printf '# id: %s\n' "$id"
		printf '\nPOST %s HTTP/1.1\r\nHost: shop.example\r\n' "$path"
		printf 'Content-Type: %s\r\n' "$type"
		[ -z "$4" ] || printf '%s\r\n' "$4"
		printf 'Content-Length: %s\r\n\r\n' "$(($(wc -c <"$body")))"
		cat "$body"
	} >"$1.http"
	received= secrets=
}

# line TOKEN is the line of the head.
line() { printf '%s: %s%s' "$name" "$prefix" "$1"; }

# made writes the line of a token of other headers or claims than the good ones.
made() { line "$(token "$1" "$2")"; }

# tamper NAME EXPECT NOTE SED writes a token whose claims sed changed.
tamper() {
	id=$first_id
	plain "$first"
	c=$(claims | sed -E "$4")
	[ "$c" != "$(claims)" ] || { echo "$1: nothing is changed" >&2; exit 1; }
	vector "$1" "$2" "$3" "$(made "$(header)" "$c")" event
}

# flaws writes the vectors that fit every sender.
flaws() {
	mine=$(own)
	id=$second_id
	plain "$second"
	vector another-event accept "another event" "$(made "$(header)" "$(claims)")"
	id=$first_id
	plain "$first"
	good_header=$(header) good_claims=$(claims)
	good=$(token "$good_header" "$good_claims")
	event=$(line "$good")
	vector event accept "an event" "$event"

	# The body.
	change=mismatch
	[ "$covered" = yes ] || change=accept
	plain "${first%?}x"
	vector body-changed $change "the last byte of the body is another one$([ "$covered" = yes ] || printf ', which the token does not cover')" "$event" event
	plain "$first "
	vector blank-appended $change "a blank behind the body$([ "$covered" = yes ] || printf ', which the token does not cover')" "$event" event
	plain ""
	vector body-empty $change "the body is gone$([ "$covered" = yes ] || printf ', which the token does not cover')" "$event" event
	plain "$second"
	vector body-of-another-event $change "the body of another event under this token" "$event" event
	plain "$first"

	# The header of the request.
	vector no-token unsigned "the header of the token is missing" "" event
	vector token-empty unsigned "the header of the token is empty" "$(printf '%s: ' "$name")" event
	vector token-twice malformed "the header of the token stands there twice" "$event"$'\r\n'"$event" event
	vector token-and-comma malformed "two tokens in one header" "$event,$good" event
	vector token-cut malformed "the end of the signature is missing" "${event%????}" event
	vector token-padded malformed "the signature has padding" "$event=" event
	vector no-signature malformed "the signature is missing" "${event%.*}." event
	vector four-parts malformed "a part behind the signature" "$event.AAAA" event

	# The signature and its algorithm.
	vector claims-changed mismatch "the signature of other claims" "$(line "$(printf '%s' "$good" | cut -d. -f1).$(printf '%s' "$good_claims " | base64url).${good##*.}")" event
	alg_before=$alg
	alg=none; vector algorithm-none unsigned "the algorithm none, and no signature" "$(made "$(header)" "$good_claims")" event; alg=$alg_before
	vector algorithm-none-signed unsigned "the algorithm none, and a good signature" "$(made "$(header | sed 's/"alg":"[^"]*"/"alg":"none"/')" "$good_claims")" event
	case $alg in
	HS*)
		vector algorithm-of-a-public-key unsigned "RS256 is named, and an HMAC made" "$(made "$(header | sed 's/"alg":"[^"]*"/"alg":"RS256"/')" "$good_claims")" event
		secret_before=$secret secret=$other_secret
		vector wrong-secret mismatch "another secret" "$(made "$good_header" "$good_claims")" event
		secrets="$secret_before $other_secret"
		vector old-secret-still-listed accept "a rotation: the old secret signs, and is still listed" "$(made "$good_header" "$good_claims")"
		secret=$secret_before
		;;
	*)
		# The public key is known to everybody: as the secret of an HMAC it must not count.
		secret_before=$secret alg=HS256 secret=$mine
		vector hmac-with-the-public-key unsigned "an HMAC whose secret is the text of the public key" "$(made "$(header)" "$good_claims")" event
		vector hmac-named-as-a-signature malformed "the same under the name of the right algorithm" "$(made "$good_header" "$good_claims")" event
		alg=$alg_before secret=$secret_before key=other-key.pem
		vector wrong-key mismatch "the signature of another key" "$(made "$good_header" "$good_claims")" event
		key=
		;;
	esac

	# The token's header.
	more() { header | sed "s|}\$|,$1}|"; }
	vector type-of-an-access-token malformed "another typ" "$(made "$(header | sed 's/"typ":"JWT"/"typ":"at+jwt"/')" "$good_claims")" event
	vector key-url malformed "a URL of keys in the header" "$(made "$(more '"jku":"https://evil.example/keys"')" "$good_claims")" event
	vector key-inside malformed "a key in the header" "$(made "$(more '"jwk":{"kty":"oct","k":"AAAA"}')" "$good_claims")" event
	vector critical malformed "an extension that must be understood" "$(made "$(more '"crit":["exp"]')" "$good_claims")" event
	vector algorithm-twice malformed "the algorithm stands there twice" "$(made "$(more '"alg":"none"')" "$good_claims")" event
	vector header-with-more malformed "something behind the header" "$(made "$(header){}" "$good_claims")" event

	# The claims.
	vector claim-twice malformed "a claim stands there twice" "$(made "$good_header" "$(printf '%s' "$good_claims" | sed -E 's/^\{("[^"]*":[^,}]*)/{\1,\1/')")" event
	vector claims-with-more malformed "something behind the claims" "$(made "$good_header" "$good_claims{}")" event
	vector claims-of-another-kind malformed "the claims are a list" "$(made "$good_header" "[$good_claims]")" event

	# The time.
	[ -n "$timed" ] || { received=$((at + 31536000)); vector a-year-later accept "no time is signed: a year later it still verifies" "$event"; return; }
	past=${timed%,*} future=${timed#*,}
	received=$((at + past)); vector oldest accept "as old as it may be" "$event"
	received=$((at + past + 1)); vector too-old too_old "one second older than it may be" "$event" event
	received=$((at - future)); vector newest accept "as far ahead as it may be" "$event"
	received=$((at - future - 1)); vector too-new too_new "one second further ahead than it may be" "$event" event
	tamper time-as-text malformed "the time is a text" "s/(\"(iat|nbf)\":)([0-9]+)/\1\"\3\"/"
	tamper no-time malformed "the time is missing" "s/\"(iat|nbf)\":/\"x\1\":/"
}
