# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/aftership
first='{"event":"tracking_update","event_id":"06dbf7af-30ee-4cd6-b5a6-1b6d2f8ee4f1","msg":{"id":"t1","tracking_number":"1Z999","tag":"InTransit"},"ts":1773480411}'
second='{"event":"tracking_update","event_id":"17ecf8b0-41ff-5de7-c6b7-2c7e3a9ff5a2","msg":{"id":"t1","tracking_number":"1Z999","tag":"Delivered"},"ts":1773480471}'
header=Aftership-Hmac-Sha256
signed() { cat "$body"; }
encode() { base64of; }
heads() { line Aftership-Hmac-Sha256 "$sig"; }
flaws
