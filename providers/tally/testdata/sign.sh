# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/tally
first='{"eventId":"a4cb511e-d513-4fa5-baee-b815d718dfd1","eventType":"FORM_RESPONSE","createdAt":"2026-03-14T09:26:51.823Z","data":{"responseId":"r1","formId":"f1","formName":"Contact","fields":[]}}'
second='{"eventId":"b5dc622f-e624-50b6-cbff-c926e829e0e2","eventType":"FORM_RESPONSE","createdAt":"2026-03-14T09:27:51.823Z","data":{"responseId":"r2","formId":"f1","formName":"Contact","fields":[]}}'
first_id=a4cb511e-d513-4fa5-baee-b815d718dfd1
second_id=b5dc622f-e624-50b6-cbff-c926e829e0e2
signed() { cat "$body"; }
encode() { base64of; }
heads() { line Tally-Signature "$sig"; }
flaws
