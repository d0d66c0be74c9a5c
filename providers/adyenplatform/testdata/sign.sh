# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/adyenplatform
secret=5D1F0C6A9B3E47D28C50F1AE6B7D92433FA2917BE4C80D2F6A15C0E3B7D94826
other_secret=E0417C9BD2A85F36917BE4C80D2F6A158C50F1AE6B7D92435D1F0C6A9B3E47D2
first='{"type":"balancePlatform.accountHolder.created","environment":"test","timestamp":"2026-03-14T10:26:51+01:00","data":{"balancePlatform":"Acme","accountHolder":{"id":"AH1","status":"active"}}}'
second='{"type":"balancePlatform.transfer.updated","environment":"test","timestamp":"2026-03-14T10:27:51+01:00","data":{"balancePlatform":"Acme","id":"TR1","status":"booked","sequenceNumber":3}}'
keyform=hex
signed() { cat "$body"; }
encode() { base64of; }
heads() {
	line HmacSignature "$sig"
	line Protocol "HmacSHA256"
}
flaws
