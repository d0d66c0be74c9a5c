# Makes the .http files beside it with openssl: bash sign.sh
cd "$(dirname "$0")" && . "$(go list -f '{{.Dir}}' github.com/hooknotary/hooknotary/providers/providertest/vector)/sign.sh"
path=/hooks/acme
first='{"event_id":"evt_17","type":"order.paid","total":4900}'
second='{"event_id":"evt_18","type":"order.refunded","total":4900}'
first_id=evt_17
second_id=evt_18
timed=300,300
signed() { printf '%s.' "$ts"; cat "$body"; }
heads() { line Acme-Signature "t=$ts,v1=$sig"; }
skip="blank-inside"
flaws
