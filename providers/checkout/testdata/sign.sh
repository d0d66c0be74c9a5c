# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/checkout
first='{"id":"evt_az5sblvku4ge3dwpztvyizgcau","type":"payment_captured","version":"1.0.0","created_on":"2026-03-14T09:26:51.6363136Z","data":{"id":"pay_1","amount":100,"currency":"EUR","reference":"ORD-1"}}'
second='{"id":"evt_bz6tcmwlv5hf4exqauwzjahdbv","type":"payment_declined","version":"1.0.0","created_on":"2026-03-14T09:27:51.6363136Z","data":{"id":"pay_2","amount":250,"currency":"EUR","reference":"ORD-2"}}'
first_id=evt_az5sblvku4ge3dwpztvyizgcau
second_id=evt_bz6tcmwlv5hf4exqauwzjahdbv
signed() { cat "$body"; }
heads() { line Cko-Signature "$sig"; }
flaws
