# Makes the vectors of Braintree with openssl. Run it with bash.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/braintree
type=application/x-www-form-urlencoded
hash=sha1
public=k7wz2m4xq9v3n6bp
id=
: >"$work/head"
# The key is the SHA-1 of the secret.
keyhex() { printf '%s' "$secret" | openssl dgst -sha1 -binary | hex; }

first='<notification><timestamp type="datetime">2026-03-14T09:26:53Z</timestamp><kind>subscription_canceled</kind><subject><subscription><id>sub_4711</id></subscription></subject></notification>'
second='<notification><timestamp type="datetime">2026-03-14T09:27:10Z</timestamp><kind>dispute_opened</kind><subject><dispute><id>dp_815</id></dispute></subject></notification>'
short='<notification/>'

# payload XML makes $work/payload, in lines of 60 characters.
payload() { printf '%s' "$1" | base64 -w 60 >"$work/payload"; }
seal() { sig=$public\|$(mac <"$work/payload" | hex); }
escape() { sed -e 's/%/%25/g; s/+/%2B/g; s/\//%2F/g; s/=/%3D/g; s/|/%7C/g; s/&/%26/g; s/ /+/g' | sed -e ':a;N;$!ba;s/\n/%0A/g'; }
write() { plain "bt_signature=$(printf '%s' "$sig" | escape)&bt_payload=$(escape <"$work/payload")%0A$1"; }
cook() { sed -E "$1" "$body" >"$work/cooked" && mv "$work/cooked" "$body"; }
fresh() { payload "$first"; seal; }
made() { write ""; vector "$@"; }

payload "$second"; seal; second_sig=$sig; made another-event accept "a dispute"
fresh; made event accept "the end of a subscription"
fresh; good=$sig; sig="other|$(printf x | mac | hex)&$good"; made two-pairs accept "a pair of another key in front"
fresh; write ""; cook 's/%0A$//'; vector last-line-feed-gone accept "the payload lost its last line feed, which Braintree's libraries accept"

fresh; payload "$second"; made payload-of-another-event mismatch "another payload under the signature" event
fresh; sig=$second_sig; made signature-of-another-event mismatch "the signature of another payload" event
fresh; sig="$public|$(printf '%040d' 0)"; made all-zeros mismatch "a signature of zeros" event
fresh; secrets=$other_secret; made wrong-secret mismatch "the endpoint has another private key" event
fresh; secrets="$other_secret $secret"; made old-secret-still-listed accept "a rotation: the old key signs, and is still listed"
fresh; write ""; cook 's/%0A/%0A%0A/'; vector line-feed-added mismatch "a line feed more in the payload" event
fresh; write ""; cook 's/bt_signature=[^&]*&//'; vector no-signature unsigned "there is no signature" event
fresh; sig=; made empty-signature unsigned "the signature is empty" event
fresh; write ""; cook 's/&bt_payload=.*//'; vector no-payload malformed "there is no payload" event
fresh; write "&bt_payload=x"; vector two-payloads malformed "two payloads" event
fresh; write "&kind=dispute_won"; vector another-field malformed "a field that is not signed" event
fresh; sig=${sig#*|}; made no-public-key malformed "a signature without a public key" event
fresh; sig=$public\|$(printf '%s' "${sig#*|}" | tr a-f A-F); made upper-case-hex malformed "a signature in upper case" event
fresh; sig=${sig%??}; made signature-short malformed "a signature that is cut" event
fresh; sig="$sig&"; made pair-empty malformed "an empty pair" event
payload "$short"; seal; made short-payload malformed "a payload that is as short as a challenge" event
fresh; write ""; cook 's/bt_payload=..../&%20/'; vector blank-in-payload malformed "a blank in the payload" event
fresh; write ""; cook 's/%0A$/A/'; vector payload-no-base64 malformed "a payload that is no base64" event
fresh; write ""; type=application/json; vector media-type media_type "another media type than the endpoint's" event; type=application/x-www-form-urlencoded
fresh; received=$((at + 31536000)); made a-year-later accept "no time is signed: a year later it still verifies"
