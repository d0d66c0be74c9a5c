# Functions for the testdata/vectors.sh of a sender that signs nothing. It says where the
# token stands, has two bodies, and calls flaws:
#
#	cd "$(dirname "$0")" && . ../../token/vectors.sh
#	path=/hooks/acme
#	first='{"event":"invoice.paid"}'
#	second='{"event":"invoice.voided"}'
#	heads() { line X-Acme-Token "$token"; }
#	flaws
#
# $prefix is what stands before the token; with basic=yes heads writes Authorization, and
# $secret is user:password.
. ../../providertest/vector/sign.sh

prefix=
basic=
more() { :; } # the sender's other headers

heads() { line "$header" "$prefix$token"; more; }

# carry TEXT makes the head of a request that carries the token TEXT.
carry() { token=$1; heads >"$work/head"; }
b64() { printf '%s' "$1" | base64of; }
spelled() { if [ -n "$basic" ]; then b64 "$1"; else printf '%s' "$1"; fi; }

flaws() {
	received= secrets= id=
	if [ -n "$basic" ]; then header=Authorization prefix='Basic '; fi
	good=$(spelled "$secret")
	plain "$second"; carry "$good"; vector another-event accept "another event"
	plain "$first"; carry "$good"; vector event accept "an event"
	fresh() { plain "$first"; carry "$good"; }

	plain '{}'; vector any-body accept "a body that nobody sent: a token covers none"
	fresh; received=$((at + 31536000)); vector a-year-later accept "a year later it still verifies"
	fresh; secrets="$other_secret $secret"; vector old-token-still-listed accept "a rotation: the old token comes, and is still listed"
	fresh; secrets=$other_secret; vector wrong-token mismatch "the endpoint has another token" event

	fresh; edit "/^$header:/d"; vector no-token unsigned "the header of the token is missing" event
	fresh; edit "s/^($header: ).*/\1\r/"; vector empty-token unsigned "the header of the token is empty" event
	fresh; edit "s/^($header: .*)/\1\n\1/"; vector token-twice malformed "the header of the token stands there twice" event
	fresh; carry "$(spelled "${secret%?}")"; vector token-cut mismatch "the last character of the token is missing" event
	fresh; carry "$(spelled "${secret}0")"; vector token-extended mismatch "a character behind the token" event
	fresh; carry "$(spelled "$(printf '%s' "$secret" | tr 'a-z' 'A-Z')")"; vector token-upper-case mismatch "the token in upper case" event
	fresh; carry "$(spelled "$(printf '%s' "$secret" | tr '0-9a-f' '0')")"; vector token-zeros mismatch "a token with zeros in the place of digits" event
	if [ -z "$basic" ] && [ -z "$prefix" ]; then
		fresh; carry "\"$secret\""; vector quoted mismatch "quotes around the token" event
		fresh; carry "Bearer $secret"; vector with-a-scheme mismatch "a word in front of the token" event
		fresh; carry "$(b64 "$secret")"; vector in-base64 mismatch "the token in base64" event
	fi
	[ -n "$basic" ] || return 0
	user=${secret%%:*} password=${secret#*:}
	fresh; carry "$(b64 "other:$password")"; vector other-user mismatch "another user with the right password" event
	fresh; carry "$(b64 "$user:")"; vector no-password mismatch "the right user without a password" event
	fresh; carry "$(b64 "$user$password")"; vector no-colon malformed "no colon between user and password" event
	fresh; carry "$secret"; vector in-plain-text malformed "user and password in plain text" event
	fresh; carry "$good="; vector padding-twice malformed "one padding too many" event
	fresh; prefix='basic '; carry "$good"; prefix='Basic '; vector scheme-in-lower-case malformed "the word in front in lower case" event
	fresh; prefix='Bearer '; carry "$good"; prefix='Basic '; vector other-scheme malformed "another word in front" event
}
