# Makes the vectors of Adyen's standard webhooks with openssl. Run it with bash.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/adyen
keyform=hex
secret=5D1F0C6A9B3E47D28C50F1AE6B7D92435D1F0C6A9B3E47D28C50F1AE6B7D9243
other_secret=E0417C9BD2A85F36917BE4C80D2F6A15E0417C9BD2A85F36917BE4C80D2F6A15
id=
: >"$work/head"

# The values of an item, in the order in which they are signed.
payment() { psp=T7FD4VM4D3RZNN82 original= account=ShopEU reference=order-4711 value=1990 currency=EUR event=AUTHORISATION success=true date=2026-03-14T10:26:53+01:00; }
refund() { payment; psp=X3GWNS6KJ8NKGK82 original=T7FD4VM4D3RZNN82 event=REFUND; }
seal() { sig=$(printf '%s:%s:%s:%s:%s:%s:%s:%s' "$psp" "$original" "$account" "$reference" "$value" "$currency" "$event" "$success" | mac | base64of); }
item() {
	printf '{"NotificationRequestItem":{"additionalData":{"hmacSignature":"%s","expiryDate":"03/2030"},"amount":{"currency":"%s","value":%s},' "$sig" "$currency" "$value"
	printf '"eventCode":"%s","eventDate":"%s","merchantAccountCode":"%s","merchantReference":"%s",' "$event" "$date" "$account" "$reference"
	[ -z "$original" ] || printf '"originalReference":"%s",' "$original"
	printf '"paymentMethod":"visa","pspReference":"%s","success":"%s"}}' "$psp" "$success"
}
write() { plain "{\"live\":\"false\",\"notificationItems\":[$1]}"; }
cook() { sed -E "$1" "$body" >"$work/cooked" && mv "$work/cooked" "$body"; }
made() { seal; write "$(item)"; vector "$@"; }
forged() { write "$(item)"; vector "$1" mismatch "$2" event; }

refund; made another-event accept "a refund"
refund; seal; second_item=$(item)
payment; made event accept "a payment"
payment; seal; write "$(item),$second_item"; vector two-items malformed "two items, each with a good signature" event
payment; seal; write "$(item),$(item)"; vector item-twice malformed "one item twice" event
payment; reference='a:b//c'; made reference-with-colon accept "a colon in the merchant's reference"
payment; seal; date=2020-01-01T00:00:00Z; write "$(item)"; vector date-changed accept "another date, which is not signed"

payment; seal; psp=X3GWNS6KJ8NKGK82; forged psp-changed "another pspReference under the signature"
payment; seal; original=X3GWNS6KJ8NKGK82; forged original-added "an originalReference that was added"
payment; seal; account=ShopUS; forged account-changed "another account under the signature"
payment; seal; reference=order-4712; forged reference-changed "another reference under the signature"
payment; seal; value=1; forged amount-changed "another amount under the signature"
payment; seal; currency=JPY; forged currency-changed "another currency under the signature"
payment; seal; event=CAPTURE; forged event-changed "another event under the signature"
payment; seal; success=false; forged success-changed "another success under the signature"
payment; sig=$(printf x | mac | tr '\000-\377' '\000' | base64of); forged all-zeros "a signature of zeros"

payment; seal; write "$(item)"; cook 's/"hmacSignature":"[^"]*",//'; vector no-signature unsigned "there is no signature" event
payment; sig=; write "$(item)"; vector empty-signature unsigned "the signature is empty" event
payment; write ""; vector no-items unsigned "there is no item" event
payment; seal; sig=${sig%=}; write "$(item)"; vector signature-without-padding malformed "the padding of the signature is missing" event
payment; sig=$(printf 'x' | mac | hex); write "$(item)"; vector signature-in-hex malformed "a signature in hexadecimal" event
payment; seal; write "$(item)"; cook 's/"success":"true"/&,"success":"true"/'; vector success-twice malformed "success stands there twice" event
payment; seal; write "$(item)"; cook 's/"success":"true"/&,"Success":"false"/'; vector success-in-two-cases malformed "success stands there once more in upper case" event
payment; success=TRUE; made success-in-upper-case malformed "a success in upper case" event
payment; value=19.90; made amount-with-fraction malformed "an amount with a fraction" event
payment; account=Shop:EU; made colon-in-account malformed "a colon where there must be none" event
payment; seal; write "$(item)"; printf '{}' >>"$body"; vector two-texts malformed "something behind the body" event
payment; seal; write "$(item)"; cook 's/}$//'; vector body-truncated malformed "the end of the body is missing" event
payment; seal; write "$(item)"; secrets="$other_secret $secret"; vector old-secret-still-listed accept "a rotation: the old key signs, and is still listed"
payment; seal; write "$(item)"; secrets=$other_secret; vector wrong-secret mismatch "the endpoint has another key" event
payment; seal; write "$(item)"; received=$((at + 31536000)); vector a-year-later accept "no time is signed: a year later it still verifies"
