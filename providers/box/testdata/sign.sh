# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/box
first='{"type":"webhook_event","id":"eb0c4e06-751f-442c-86f8-fd5bb404dbec","created_at":"2026-03-14T09:26:52Z","trigger":"FILE.UPLOADED","webhook":{"id":"71","type":"webhook"},"source":{"id":"73835521473","type":"file"}}'
second='{"type":"webhook_event","id":"eb0c4e06-751f-442c-86f8-fd5bb404dbed","created_at":"2026-03-14T09:26:50Z","trigger":"FILE.TRASHED","webhook":{"id":"71","type":"webhook"},"source":{"id":"73835521472","type":"file"}}'
first_id=eb0c4e06-751f-442c-86f8-fd5bb404dbec
second_id=eb0c4e06-751f-442c-86f8-fd5bb404dbed
stamp() { iso "$1"; }
encode() { base64of; }
signed() { cat "$body"; printf '%s' "$ts"; }
heads() { line box-signature-primary "$sig"; line box-signature-version 1; line box-signature-algorithm HmacSHA256; line box-delivery-timestamp "$ts"; line box-delivery-id f96bb54b-ee16-4fc5-aa65-8c2d9e5b546f; }
timed=600,600
flaws
fresh; edit "/^box-delivery-timestamp:/d"; vector no-time malformed "the time is missing" event
fresh; edit "s/^(box-delivery-timestamp: .*)/\1\n\1/"; vector time-twice malformed "the time stands there twice" event
fresh; edit "s/^box-signature-primary:/box-signature-secondary:/"; vector secondary-alone accept "the signature stands in the second header alone"
fresh; edit "s/^(box-signature-version: ).*/\12\r/"; vector another-version malformed "the signature is of another version" event
fresh; edit "s/^(box-signature-algorithm: ).*/\1HmacSHA1\r/"; vector another-algorithm malformed "the request names another algorithm" event
fresh; edit "/^box-signature-version:/d"; vector no-version malformed "the version is missing" event
fresh; with "$(cat <(printf '%s' "$ts") "$body" | mac | encode)"; vector time-in-front mismatch "the time is signed in front of the body" event
