# Makes the vectors of Dropbox Sign with openssl. Run it with bash.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/dropboxsign
type='multipart/form-data; boundary=b0undary'
id=
: >"$work/head"

fresh() { ts=$at kind=signature_request_signed name=json more=; }
seal() { sig=$(printf '%s%s' "$ts" "$kind" | mac | hex); }
write() {
	body=$work/body
	{
		printf -- '--b0undary\r\nContent-Disposition: form-data; name="%s"\r\n\r\n' "$name"
		printf '{"event":{"event_time":"%s","event_type":"%s","event_hash":"%s"%s},' "$ts" "$kind" "$sig" "$more"
		printf '"signature_request":{"signature_request_id":"fa5c8a0b0f492d768749333ad6fcc214c111e967"}}'
		printf '\r\n--b0undary--\r\n'
	} >"$body"
}
cook() { sed -E "$1" "$body" >"$work/cooked" && mv "$work/cooked" "$body"; }
made() { write; vector "$@"; }

fresh; kind=signature_request_viewed; seal; made another-event accept "somebody viewed a request"
fresh; seal; made event accept "somebody signed"
fresh; seal; write; cook 's/fa5c8a0b/00000000/'; vector request-changed accept "another request under the hash, which does not cover it"
fresh; seal; secrets="$other_secret $secret"; made old-secret-still-listed accept "a rotation: the old key signs, and is still listed"

fresh; seal; kind=signature_request_declined; made type-changed mismatch "another type under the hash" event
fresh; seal; ts=$((at + 1)); made time-changed mismatch "another time under the hash" event
fresh; sig=$(printf '%064d' 0); made all-zeros mismatch "a hash of zeros" event
fresh; seal; secrets=$other_secret; made wrong-secret mismatch "the endpoint has another key" event
fresh; sig=; made empty-hash unsigned "the hash is empty" event
fresh; seal; write; cook 's/"event":/"other":/'; vector no-event unsigned "there is no event" event
fresh; seal; sig=$(printf '%s' "$sig" | tr a-f A-F); made upper-case-hex malformed "the hash in upper case" event
fresh; seal; sig=${sig%??}; made hash-short malformed "a hash that is cut" event
fresh; seal; kind=${ts#?????????}$kind ts=${ts%?}; made digit-moved malformed "a digit of the time that moved into the type" event
fresh; seal; more=',"event_type":"x"'; made type-twice malformed "the type stands there twice" event
fresh; seal; name=file; made another-part malformed "a part of another name" event
fresh; seal; write; printf 'x' >>"$body"; vector something-behind malformed "something behind the parts" event

fresh; seal; received=$((at + 280800)); made oldest-in-window accept "as old as it may be"
fresh; seal; received=$((at + 280801)); made too-old too_old "one second older than it may be" event
fresh; seal; received=$((at - 300)); made newest-in-window accept "as far ahead as it may be"
fresh; seal; received=$((at - 301)); made too-new too_new "one second further ahead than it may be" event
