# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/paystack
first='{"event":"charge.success","data":{"id":302961,"domain":"live","status":"success","reference":"qTPrJoy9Bx","amount":10000,"paid_at":"2026-03-14T09:26:51.000Z","currency":"NGN"}}'
second='{"event":"transfer.failed","data":{"id":302962,"domain":"live","status":"failed","reference":"rUQsKpz0Cy","amount":20000,"updated_at":"2026-03-14T09:27:51.000Z","currency":"NGN"}}'
hash=sha512
signed() { cat "$body"; }
heads() { line X-Paystack-Signature "$sig"; }
flaws
