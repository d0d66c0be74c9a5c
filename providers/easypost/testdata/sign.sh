# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/easypost
first='{"id":"evt_1c2d3e4f","object":"Event","mode":"production","description":"tracker.updated","status":"pending","result":{"id":"trk_1","object":"Tracker","status":"in_transit","weight":13.0}}'
second='{"id":"evt_2d3e4f5a","object":"Event","mode":"production","description":"batch.created","status":"pending","result":{"id":"batch_1","object":"Batch","state":"creating"}}'
first_id=evt_1c2d3e4f
second_id=evt_2d3e4f5a
signed() { cat "$body"; }
heads() { line X-Hmac-Signature "hmac-sha256-hex=$sig"; }
flaws
