# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/fastspring
first='{"events":[{"id":"NPsWK0vOTyOD1W4zTzZTcw","live":true,"processed":false,"type":"order.completed","created":1773480411182,"data":{"order":"o1","total":49.0,"currency":"EUR"}}]}'
second='{"events":[{"id":"OQtXL1wPUzPE2X5aUaAUdx","live":true,"processed":false,"type":"subscription.deactivated","created":1773480471182,"data":{"subscription":"s1"}}]}'
header=X-FS-Signature
signed() { cat "$body"; }
encode() { base64of; }
heads() { line X-FS-Signature "$sig"; }
flaws
