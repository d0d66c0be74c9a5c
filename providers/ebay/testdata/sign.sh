# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/ebay
privatekey ecdsa der
raw() { openssl dgst -sha1 -sign "$keyfile" -binary "$1"; }
encode() { base64of; }
first='{"metadata":{"topic":"MARKETPLACE_ACCOUNT_DELETION","schemaVersion":"1.0","deprecated":false},"notification":{"notificationId":"3f0c9a52-8a7e-4b1e-9d53-2f6c7b8a9e10_6b1d","eventDate":"2026-03-14T09:26:52.104Z","publishDate":"2026-03-14T09:26:53.018Z","publishAttemptCount":1,"data":{"username":"someone","userId":"kq2mz7xwv","eiasToken":"AAAA"}}}'
second='{"metadata":{"topic":"MARKETPLACE_ACCOUNT_DELETION","schemaVersion":"1.0","deprecated":false},"notification":{"notificationId":"90b7e1d4-51c2-4f7a-b8a6-0e4d9c2f6a15_77aa","eventDate":"2026-03-14T09:20:11.530Z","publishDate":"2026-03-14T09:26:53.018Z","publishAttemptCount":2,"data":{"username":"another","userId":"pz84rtnve","eiasToken":"BBBB"}}}'
first_id=3f0c9a52-8a7e-4b1e-9d53-2f6c7b8a9e10_6b1d
second_id=90b7e1d4-51c2-4f7a-b8a6-0e4d9c2f6a15_77aa
alg=ecdsa digest=SHA1 kid=5c1e7d02-94ab-4c60-8f3e-b7a1d2c3e4f5 more=
signed() { cat "$body"; }
object() { printf '{"alg":"%s","kid":"%s","signature":"%s","digest":"%s"%s}' "$alg" "$kid" "$sig" "$digest" "$more"; }
heads() { line X-EBAY-SIGNATURE "$(object | base64of)"; }
flaws

# change NAME VALUE writes the head anew with another value in the JSON.
change() { fresh; eval "old=\$$1"; eval "$1=\$2"; with "$sig"; eval "$1=\$old"; }
change kid 11111111-2222-3333-4444-555555555555; vector another-key-id accept "the id of another key, which is not signed"
change more ',"version":"2"'; vector another-member accept "a member that decides nothing"
change alg none; vector another-algorithm malformed "the sender names another algorithm" event
change alg ECDSA; vector algorithm-in-upper-case malformed "the algorithm in another spelling" event
change digest SHA256; vector another-digest malformed "the sender names another hash" event
change kid ../../identity; vector key-id-of-another-path malformed "the id of the key leads to another path" event
change kid ""; vector key-id-empty malformed "the id of the key is empty" event
change more ',"alg":"ecdsa"'; vector algorithm-twice malformed "the algorithm stands there twice" event
change more ',"Kid":"x"'; vector key-id-in-two-cases malformed "the id of the key also stands there under a name in another case" event
fresh; edit "s/=*\r$/\r/"; cmp -s <(heads) "$work/head" || vector header-without-padding malformed "the header has no padding" event
fresh; edit "s|^(X-EBAY-SIGNATURE: ).*|\1$sig\r|"; vector signature-alone malformed "the header is the signature alone" event
fresh; with "$(signed | openssl dgst -sha256 -sign "$keyfile" -binary | base64of)"; vector signed-with-sha-256 mismatch "the signature is over the SHA-256 of the body" event
fresh; with "$(printf '%s' "$good" | tr '+/' '-_')"; [ "$sig" = "$good" ] || vector signature-url-safe malformed "the signature in the other alphabet of base64" event
