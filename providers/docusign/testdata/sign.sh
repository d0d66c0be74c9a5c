# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/docusign
first='{"event":"envelope-sent","apiVersion":"v2.1","retryCount":0,"configurationId":10149836,"generatedDateTime":"2026-03-14T09:26:51.0890000Z","data":{"accountId":"a1","envelopeId":"8d1c2e3f"}}'
second='{"event":"envelope-completed","apiVersion":"v2.1","retryCount":0,"configurationId":10149836,"generatedDateTime":"2026-03-14T09:27:51.0890000Z","data":{"accountId":"a1","envelopeId":"8d1c2e3f"}}'
header=X-DocuSign-Signature-1
signed() { cat "$body"; }
encode() { base64of; }
heads() { line X-DocuSign-Signature-1 "$sig"; }
flaws
# Several keys.
fresh; good=$sig; secret=$other_secret; sign; mine=$sig; secret=5d1f0c6a9b3e47d28c50f1ae6b7d9243; fresh
{ line X-DocuSign-Signature-1 "$mine"; line X-DocuSign-Signature-2 "$good"; } >"$work/head"
vector second-key-matches accept "two active keys, and the endpoint has the second one"
{ line X-DocuSign-Signature-2 "$good"; } >"$work/head"
vector second-header-alone accept "the first key is gone, and the second keeps its number"
{ line X-DocuSign-Signature-1 "$mine"; line X-DocuSign-Signature-2 "$mine"; } >"$work/head"
vector no-key-matches mismatch "two signatures of a key that the endpoint does not have" second-key-matches
{ line X-DocuSign-Signature-2 "$good"; line X-DocuSign-Signature-9 "$good"; } >"$work/head"
vector number-too-large-beside accept "a header whose number nobody reads, beside another one"
{ line X-DocuSign-Signature-9 "$good"; } >"$work/head"
vector number-too-large unsigned "a header whose number nobody reads, alone" number-too-large-beside
