# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/nylas
first='{"specversion":"1.0","type":"message.created","source":"/google/emails/realtime","id":"5KyrA3qYLRKh7iXGGLk8","time":1773480410,"webhook_delivery_attempt":1,"data":{"application_id":"app-1","object":{"grant_id":"grant-1","id":"msg-1","object":"message","subject":"Hello"}}}'
second='{"specversion":"1.0","type":"grant.expired","source":"/nylas/system","id":"9TzwB4rXMQJg6hWFFKj7","time":1773480411,"webhook_delivery_attempt":1,"data":{"application_id":"app-1","object":{"grant_id":"grant-2","object":"grant"}}}'
first_id=5KyrA3qYLRKh7iXGGLk8
second_id=9TzwB4rXMQJg6hWFFKj7
signed() { cat "$body"; }
heads() { line X-Nylas-Signature "$sig"; [ -z "$encoding" ] || line Content-Encoding "$encoding"; }
encoding=
flaws

# Compressed: the gzip bytes are signed.
encoding=gzip
id=$first_id
plain "$first"; of_the_text=$(signature)
gzip -n -9 -c "$body" >"$work/packed"; body=$work/packed; sign; good=$sig
vector compressed accept "a compressed event"
with "$of_the_text"; vector compressed-text-signed mismatch "compressed, and the signature is over what it holds" compressed
with "$good"; edit 's/^(Content-Encoding: ).*/\1deflate\r/'; vector deflate media_type "another encoding" compressed
with "$good"; edit 's/^(Content-Encoding: ).*/\1gzip, gzip\r/'; vector two-layers media_type "two layers of gzip" compressed
with "$good"; edit '/^Content-Encoding:/d'; vector compressed-without-saying-so accept "the encoding is not signed, and the gzip tells itself"
{ cat "$work/packed"; printf x; } >"$work/longer"; body=$work/longer; with "$good"; vector compressed-and-more mismatch "a byte behind the gzip" compressed
