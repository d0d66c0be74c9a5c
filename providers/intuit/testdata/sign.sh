# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/intuit
first='{"eventNotifications":[{"realmId":"310687","dataChangeEvent":{"entities":[{"name":"Customer","id":"1","operation":"Create","lastUpdated":"2026-03-14T09:26:51.000Z"}]}}]}'
second='{"eventNotifications":[{"realmId":"310687","dataChangeEvent":{"entities":[{"name":"Invoice","id":"7","operation":"Update","lastUpdated":"2026-03-14T09:27:51.000Z"}]}}]}'
signed() { cat "$body"; }
encode() { base64of; }
heads() { line Intuit-Signature "$sig"; }
flaws
