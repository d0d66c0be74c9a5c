# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/xero
first='{"events":[{"resourceUrl":"https://api.example.com/Contacts/1","resourceId":"717f2bfc","eventDateUtc":"2026-03-14T09:26:51.080","eventType":"UPDATE","eventCategory":"CONTACT","tenantId":"c2cc9b6e"}],"firstEventSequence":1,"lastEventSequence":1,"entropy":"S0m3R4nd0mT3xt"}'
second='{"events":[],"firstEventSequence":0,"lastEventSequence":0,"entropy":"An0th3rT3xt"}'
signed() { cat "$body"; }
encode() { base64of; }
heads() { line X-Xero-Signature "$sig"; }
flaws
