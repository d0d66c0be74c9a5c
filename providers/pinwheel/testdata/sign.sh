# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/pinwheel
first='{"event":"account.added","event_id":"71d1f0c6-9b3e-47d2-8c50-f1ae6b7d9243","payload":{"account_id":"a71","connected":true}}'
second='{"event":"paystubs.fully_synced","event_id":"70d1f0c6-9b3e-47d2-8c50-f1ae6b7d9243","payload":{"account_id":"a70"}}'
first_id=71d1f0c6-9b3e-47d2-8c50-f1ae6b7d9243
second_id=70d1f0c6-9b3e-47d2-8c50-f1ae6b7d9243
signed() { printf 'v2:%s:' "$ts"; cat "$body"; }
heads() { line x-pinwheel-signature "v2=$sig"; line x-timestamp "$ts"; }
timed=300,300
flaws
fresh; edit "/^x-timestamp:/d"; vector no-time malformed "the time is missing" event
fresh; edit "s/^(x-timestamp: .*)/\1\n\1/"; vector time-twice malformed "the time stands there twice" event
