# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/opnform
first='{"form_id":12,"form_title":"Contact","form_slug":"contact-abc","submission_id":"s1","data":{"f1":{"name":"Name","value":"Jo"}}}'
second='{"form_id":12,"form_title":"Contact","form_slug":"contact-abc","submission_id":"s2","data":{"f1":{"name":"Name","value":"Al"}}}'
signed() { cat "$body"; }
heads() { line X-Webhook-Signature "sha256=$sig"; }
flaws
