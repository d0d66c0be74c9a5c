# Functions for the testdata/sign.sh of a sender, which makes its vectors with openssl:
# by a second program, in another language, that shares nothing with the engine. A sign.sh
# says how the sender signs, has a body or two, and calls flaws:
#
#	cd "$(dirname "$0")" && . "$(go list -f '{{.Dir}}' github.com/hooknotary/hooknotary/providers/providertest/vector)/sign.sh"
#	path=/hooks/acme
#	first='{"event":"invoice.paid","id":"evt_1"}'
#	second='{"event":"invoice.voided","id":"evt_2"}'
#	signed() { printf '%s.' "$ts"; cat "$body"; }
#	heads() { line Acme-Signature "v1=$sig"; line Acme-Timestamp "$ts"; }
#	timed=300,300
#	flaws
#
# Run it with bash. It writes .http files beside itself; it removes none.
#
# What a sign.sh may set (defaults in parentheses):
#
#	signed     function: writes what is signed; reads $ts, $id, $url and the file $body
#	heads      function: writes the header lines with line NAME VALUE; reads $sig, $ts, $id
#	stamp      function: stamp EPOCH writes the signed time (decimal seconds)
#	encode     function: encodes a signature of stdin (lower-case hex)
#	signature  function: writes the encoded signature (HMAC of signed, with $hash and $secret)
#	hash       sha256, sha512 or sha1 (sha256)
#	keyform    text, base64 or hex: how $secret encodes the key; cut is a prefix of it (text)
#	timed      the ends of the window in seconds, PAST,FUTURE, if a time is signed ("")
#	header     the name of the signature's header (the first one of heads: write it first, or set this)
#	type       the Content-Type (application/json)
#	secret, other_secret     two secrets of the right form
#	first, second            two bodies; first_id and second_id are their signed ids ("")
#	url, options             the signed URL; lines "# option: …", one a line ("")
#	privatekey for a sender that signs with a private key: see below
#	skip       names of standard vectors that do not fit, with blanks around each ("")
set -eu -o pipefail
export LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

path=/hooks/in
hash=sha256
keyform=text
cut=
timed=
type=application/json
secret=5d1f0c6a9b3e47d28c50f1ae6b7d9243
other_secret=e0417c9bd2a85f36917be4c80d2f6a15
first_id=
second_id=
url=
options=
header=
skip=
at=1773480413 # 2026-03-14T09:26:53Z

line() { printf '%s: %s\r\n' "$1" "$2"; }
hex() { od -An -v -tx1 | tr -d ' \n'; }
base64of() { openssl base64 -A; }
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
encode() { hex; }
stamp() { printf '%s' "$1"; }
iso() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ; } # iso EPOCH is RFC 3339
newid() { printf 'msg_%s' "$1"; }

# keyhex writes the key of $secret in hexadecimal.
keyhex() {
	text=${secret#"$cut"}
	case $keyform in
	text) printf '%s' "$text" | hex ;;
	base64) printf '%s' "$text" | openssl base64 -d -A | hex ;;
	hex) printf '%s' "$text" ;;
	esac
}

# mac writes the HMAC of stdin, raw.
mac() { openssl dgst "-$hash" -mac HMAC -macopt "hexkey:$(keyhex)" -binary; }
signature() { signed | mac | encode; }

# privatekey KIND FORM has the sender sign with a private key of the folder keys, which
# protects nothing. KIND is ed25519, ecdsa or rsa; FORM is how the endpoint holds the
# public key: der is DER in base64, raw64 and rawhex are the 32 bytes of Ed25519. What
# flaws takes out of $secret and $other_secret are public keys then.
here=$(dirname "${BASH_SOURCE[0]}")
privatekey() {
	keyfile=$here/keys/$1.pem keyform=$2
	secret=$(openssl pkey -in "$keyfile" -pubout -outform DER | publicform)
	other_secret=$(openssl pkey -pubin -in "$here/keys/$1-other.pem" -outform DER | publicform)
	case $1 in
	ed25519) raw() { openssl pkeyutl -sign -rawin -inkey "$keyfile" -in "$1"; } ;;
	*) raw() { openssl dgst -sha256 -sign "$keyfile" -binary "$1"; } ;;
	esac
	# A message is signed once: ECDSA makes another signature each time.
	mac() {
		cat >"$work/message"
		made=$work/$(openssl dgst -sha256 -r "$work/message" | cut -c1-64)
		[ -s "$made" ] || raw "$work/message" >"$made"
		cat "$made"
	}
	[ "$1" != ecdsa ] || skip="$skip all-zeros " # which are no numbers
}
publicform() {
	case $keyform in
	der) base64of ;;
	raw64) tail -c 32 | base64of ;;
	rawhex) tail -c 32 | hex ;;
	esac
}

# content TEXT makes TEXT the body, byte for byte; printf escapes count.
content() { body=$work/body; printf "$1" >"$body"; }
# plain TEXT makes TEXT the body, without escapes.
plain() { body=$work/body; printf '%s' "$1" >"$body"; }

# sign signs the body at $at, and leaves the lines of the head in $work/head.
sign() {
	ts=$(stamp "$at")
	sig=$(signature)
	heads >"$work/head"
	[ -n "$header" ] || header=$(head -n 1 "$work/head" | sed 's/:.*//')
}

# with SIGNATURE writes the head anew with another text of the signature.
with() { sig=$1; heads >"$work/head"; }

# edit ARGUMENTS edits the lines of the head with sed.
edit() { sed -E "$@" "$work/head" >"$work/edited" && mv "$work/edited" "$work/head"; }

# vector NAME EXPECT NOTE [TWIN] writes NAME.http of the head and the body. $received is
# when it arrives (two seconds after $at), $secrets what the endpoint has ($secret), $id the
# signed id of an accepted one.
vector() {
	case " $skip " in *" $1 "*) received= secrets=; return ;; esac
	{
		printf '# note: %s\n# received: %s\n' "$3" "$(iso "${received:-$((at + 2))}")"
		for s in ${secrets:-$secret}; do printf '# secret: %s\n' "$s"; done
		[ -z "$options" ] || printf '%s\n' "$options"
		[ -z "$url" ] || printf '# option: url %s\n' "$url"
		printf '# expect: %s\n' "$2"
		[ -z "${4:-}" ] || printf '# twin: %s.http\n' "$4"
		[ "$2" != accept ] || [ -z "$id" ] || printf '# id: %s\n' "$id"
		printf '\nPOST %s HTTP/1.1\r\nHost: hooks.example.com\r\n' "$path"
		[ -z "$type" ] || line Content-Type "$type"
		cat "$work/head"
		printf 'Content-Length: %s\r\n\r\n' "$(($(wc -c <"$body")))"
		cat "$body"
	} >"$1.http"
	received= secrets=
}

# flaws writes the standard vectors.
flaws() {
	received= secrets=
	id=$second_id; plain "$second"; sign; other_sig=$sig
	vector another-event accept "another event"
	id=$first_id; plain "$first"; sign; good=$sig
	vector event accept "an event"

	# The body.
	fresh() { id=$first_id; plain "$first"; sign; }
	plain "${first%?}"; vector body-truncated mismatch "the last byte of the body is missing" event
	plain "$first
"; vector newline-appended mismatch "a line feed behind the body" event
	plain " $first"; vector blank-in-front mismatch "a blank in front of the body" event
	plain "$second"; vector body-of-another-event mismatch "the body of another event under this signature" event
	plain ""; vector body-empty mismatch "the body is gone" event
	plain "$first$first"; vector body-twice mismatch "the body stands there twice" event
	plain "$(printf '%s' "$first" | tr 'a-z' 'b-za')"; vector letters-changed mismatch "each letter of the body is another one" event

	# The signature.
	fresh; with "$other_sig"; vector signature-of-another-body mismatch "the signature of another body" event
	fresh; edit "/^$header:/d"; vector no-signature unsigned "the header of the signature is missing" event
	fresh; edit "s/^($header: ).*/\1\r/"; vector empty-signature unsigned "the header of the signature is empty" event
	fresh; edit "s/^($header: .*)/\1\n\1/"; vector signature-twice malformed "the header of the signature stands there twice" event
	fresh; edit "s/^($header: )(.*)\r/\1\"\2\"\r/"; vector quoted malformed "quotes around the header of the signature" event
	fresh; with "$(zeros)"; vector all-zeros mismatch "a signature of zeros" event
	fresh; with "${good%????}"; vector signature-too-short malformed "the signature is cut" event
	fresh; with "$good$(printf '%s' "$good" | cut -c1-4)"; vector signature-too-long malformed "something behind the signature" event
	fresh; with "?${good#?}"; vector not-decodable malformed "a character in the signature that is none of its alphabet" event
	fresh; with "$(printf '%s' "$good" | sed -E 's/^(.{8})(.*)/\1 \2/')"; vector blank-inside malformed "a blank in the signature" event
	case $good in
	*[g-zG-Z+/_-]*) ;;
	*) fresh; with "$(printf '%s' "$good" | tr 'a-f' 'A-F')"; vector upper-case-hex malformed "the signature in upper case" event ;;
	esac
	fresh; with "$(signed_alone | mac | encode)"; cmp -s <(signed) "$body" || vector signature-of-the-body-alone mismatch "the signature is over the body alone" event

	# The secret.
	fresh; secrets="$other_secret $secret"; vector old-secret-still-listed accept "a rotation: the old secret signs, and is still listed"
	fresh; secrets=$other_secret; vector wrong-secret mismatch "the endpoint has another secret" event

	# The time.
	[ -n "$timed" ] || { fresh; received=$((at + 31536000)); vector a-year-later accept "no time is signed: a year later it still verifies"; return; }
	past=${timed%,*} future=${timed#*,}
	fresh; received=$((at + past)); vector oldest-in-window accept "as old as it may be"
	fresh; received=$((at + past + 1)); vector too-old too_old "one second older than it may be" event
	fresh; received=$((at - future)); vector newest-in-window accept "as far ahead as it may be"
	fresh; received=$((at - future - 1)); vector too-new too_new "one second further ahead than it may be" event
	fresh; old=$ts; new=$(stamp $((at + 1))); edit "s/$(printf '%s' "$old" | sed 's/[.+]/\\&/g')/$new/"; vector time-changed mismatch "the time is a second later than the one that was signed" event
}

# signed_alone writes the body alone.
signed_alone() { cat "$body"; }

# zeros writes a signature of zeros that is as long as a good one.
zeros() { signed | mac | tr '\000-\377' '\000' | encode; }
