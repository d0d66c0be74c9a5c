# Makes the vectors beside it: bash sign.sh
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/sms
type=application/x-www-form-urlencoded
id=
: >"$work/head"

fresh() {
	ts=$at options= hash=sha256
	fields='msisdn=15550100&to=15550199&messageId=0B000000A1B2C3D4&text=Yes%2C+8+o%27clock&type=text&keyword=YES&message-timestamp=2026-03-14+09%3A26%3A53'
}
# joined writes what is signed for the fields.
joined() {
	printf '%s&timestamp=%s' "$fields" "$ts" | tr '&' '\n' | while IFS= read -r pair || [ -n "$pair" ]; do
		pair=${pair//+/ }
		printf '%b\t%b\n' "${pair%%=*}" "$(printf '%s' "${pair#*=}" | sed 's/%26/_/g; s/%3D/_/g; s/%/\\x/g')"
	done | sort -t "$(printf '\t')" -k1,1 | while IFS="$(printf '\t')" read -r name value; do printf '&%s=%s' "$name" "$value"; done
}
seal() { sig=$(joined | mac | hex | tr a-f A-F); }
write() { plain "$fields&timestamp=$ts&sig=$sig"; }
made() { write; vector "$@"; }

fresh; fields='msisdn=15550100&to=15550199&messageId=0B000000A1B2C3D5&status=delivered&scts=2603140926&err-code=0'; seal; made another-event accept "a delivery receipt"
fresh; seal; made event accept "a message"
fresh; seal; sig=$(printf '%s' "$sig" | tr A-F a-f); made lower-case-hex accept "the signature in lower case"
fresh; hash=sha512 options='# option: sha512'; seal; made sha512 accept "an account that signs with SHA-512"
fresh; hash=sha1 options='# option: sha1'; seal; made sha1 accept "an account that signs with SHA-1"
fresh; seal; plain "sig=$sig&timestamp=$ts&$fields"; vector another-order accept "the order of the fields is not signed"
fresh; seal; fields=${fields//+/%20}; made blanks-escaped accept "a blank is + or %20"
fresh; fields="$fields&udh=a%26b%3Dc"; seal; made separators-in-a-value accept "an ampersand and an equals sign in a value"
fresh; fields="$fields&udh=a%26b%3Dc"; seal; fields=$(printf '%s' "$fields" | sed 's/a%26b%3Dc/a_b%26c/'); made separators-changed accept "they are signed as _, so they are one message"

fresh; seal; fields=${fields/Yes/No}; made text-changed mismatch "another text" event
fresh; seal; fields=${fields/15550100/15550101}; made sender-changed mismatch "another sender" event
fresh; seal; fields=${fields/&keyword=YES/}; made field-missing mismatch "a field is missing" event
fresh; seal; fields="$fields&x=1"; made field-added mismatch "one field more" event
fresh; seal; fields="$fields&Type=text"; made name-in-another-case mismatch "one field more, whose name is in upper case" event
fresh; seal; ts=$((at + 1)); made time-changed mismatch "another time" event
fresh; seal; sig=$(printf '%064d' 0); made all-zeros mismatch "a signature of zeros" event
fresh; seal; secrets=$other_secret; made wrong-secret mismatch "the endpoint has another secret" event
fresh; seal; secrets="$other_secret $secret"; made old-secret-still-listed accept "a rotation: the old secret signs, and is still listed"
fresh; seal; plain "$fields&timestamp=$ts"; vector no-signature unsigned "there is no signature" event
fresh; sig=; made empty-signature unsigned "the signature is empty" event
fresh; seal; sig=$(printf '%s' "$sig" | sed 's/A/a/'); made mixed-case malformed "the digits of the signature in two cases" event
fresh; seal; sig=${sig%??}; made signature-short malformed "a signature that is cut" event
fresh; hash=sha1; seal; made weak-algorithm malformed "SHA-1, where the endpoint wants SHA-256" event
fresh; hash=md5; seal; made weakest-algorithm malformed "MD5" event
fresh; seal; plain "$fields&sig=$sig"; vector no-time malformed "there is no time" event
fresh; seal; write; printf '&sig=%s' "$sig" >>"$body"; vector signature-twice malformed "two signatures" event
fresh; seal; fields="$fields&type=text"; made field-twice malformed "a field twice" event
fresh; seal; write; printf '&' >>"$body"; vector open-end malformed "an empty field at the end" event
fresh; seal; fields=${fields/&to=/;to=}; made semicolon malformed "a semicolon, which some parsers take for a separator" event
fresh; seal; fields="$fields&a%26b=1"; made separator-in-a-name malformed "an ampersand in the name of a field" event
fresh; seal; write; type=application/json; vector media-type media_type "another media type than the endpoint's" event; type=application/x-www-form-urlencoded

fresh; seal; received=$((at + 90000)); made oldest-in-window accept "as old as it may be"
fresh; seal; received=$((at + 90001)); made too-old too_old "one second older than it may be" event
fresh; seal; received=$((at - 300)); made newest-in-window accept "as far ahead as it may be"
fresh; seal; received=$((at - 301)); made too-new too_new "one second further ahead than it may be" event
fresh; seal; ts=0$at; made time-with-zero malformed "a zero in front of the time" event
