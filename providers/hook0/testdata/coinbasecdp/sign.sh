# Makes the vectors beside it: bash sign.sh
cd "$(dirname "$0")" && . ../../../providertest/vector/sign.sh

path=/hooks/coinbase
names='content-type x-event-id x-event-type'
etype=payments.transfers.completed
first='{"eventType":"payments.transfers.completed","data":{"transferId":"tr_1","amount":"1.50","currency":"usd"}}'
second='{"eventType":"payments.transfers.failed","data":{"transferId":"tr_2","amount":"7.00","currency":"usd"}}'
first_id=b1a2c3d4-7d3e-4c41-9b52-6f1d2e3a4b5c
second_id=b1a2c3d4-9e10-4a33-8c07-1a2b3c4d5e6f
older() { { printf '%s.' "$ts"; cat "$body"; } | mac | encode; }
signed() { printf '%s.%s.application/json.%s.%s.' "$ts" "$names" "$id" "$etype"; cat "$body"; }
heads() { line X-Hook0-Signature "t=$ts,v0=$v0,h=$names,v1=$sig"; line X-Event-Id "$id"; line X-Event-Type "$etype"; }
v0=9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0
timed=300,300
flaws

fresh; edit "s/,h=.*/\r/"; vector older-version-alone unsigned "both the names and v1 are gone" event
fresh; edit 's/^(X-Event-Id: .*)c\r/\1d\r/'; vector id-changed mismatch "another id" event
