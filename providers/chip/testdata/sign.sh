# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/chip
privatekey rsa der
first='{"id":"9b1f3e52-2f2e-4d0a-9a3a-0a9b1f3e522f","type":"purchase","event_type":"purchase.paid","status":"paid","purchase":{"total":1200,"currency":"MYR"}}'
second='{"id":"9b1f3e52-2f2e-4d0a-9a3a-0a9b1f3e522f","type":"purchase","event_type":"purchase.refunded","status":"refunded","purchase":{"total":1200,"currency":"MYR"}}'
encode() { base64of; }
signed() { cat "$body"; }
heads() { line X-Signature "$sig"; }
flaws
