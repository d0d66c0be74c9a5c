# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/commercelayer
first='{"data":{"id":"PVMhOZvXRB","type":"orders","attributes":{"number":"2485","status":"placed","updated_at":"2026-03-14T09:26:51.456Z"}},"included":[]}'
second='{"data":{"id":"QWNiPawYSC","type":"orders","attributes":{"number":"2486","status":"approved","updated_at":"2026-03-14T09:27:51.456Z"}},"included":[]}'
header=X-CommerceLayer-Signature
signed() { cat "$body"; }
encode() { base64of; }
heads() {
	line X-CommerceLayer-Signature "$sig"
	line X-CommerceLayer-Topic "orders.place"
}
flaws
