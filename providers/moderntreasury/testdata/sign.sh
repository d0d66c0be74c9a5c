# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/moderntreasury
first='{"event":"completed","data":{"id":"5d0e1a52-1f45-4b3b-8a8a-1c4c6f4e7a11","object":"payment_order","status":"completed","amount":1000,"updated_at":"2026-03-14T09:26:51Z"}}'
second='{"event":"failed","data":{"id":"7f0e1a52-1f45-4b3b-8a8a-1c4c6f4e7a22","object":"payment_order","status":"failed","amount":2500,"updated_at":"2026-03-14T09:27:51Z"}}'
signed() { cat "$body"; }
heads() { line X-Signature "$sig"; }
flaws
