# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/segment
first='{"type":"track","messageId":"m1","event":"Order Completed","userId":"019mr8mf4r","properties":{"total":49},"timestamp":"2026-03-14T09:26:51.276Z"}'
second='{"type":"identify","messageId":"m2","userId":"019mr8mf4r","traits":{"plan":"team"},"timestamp":"2026-03-14T09:27:51.276Z"}'
hash=sha1
signed() { cat "$body"; }
heads() { line X-Signature "$sig"; }
flaws
