# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/zoom
first='{"event":"meeting.started","event_ts":1773480412987,"payload":{"account_id":"AAAAAABBBB","object":{"id":"1234567890","uuid":"4444AAAiAAAAAiAiAiiAii==","topic":"Review"}}}'
second='{"event":"meeting.ended","event_ts":1773480410987,"payload":{"account_id":"AAAAAABBBB","object":{"id":"1234567889","uuid":"4444AAAiAAAAAiAiAiiAij==","topic":"Standup"}}}'
signed() { printf 'v0:%s:' "$ts"; cat "$body"; }
heads() { line x-zm-signature "v0=$sig"; line x-zm-request-timestamp "$ts"; }
timed=300,300
flaws
fresh; edit "/^x-zm-request-timestamp:/d"; vector no-time malformed "the time is missing" event
fresh; edit "s/^(x-zm-request-timestamp: .*)/\1\n\1/"; vector time-twice malformed "the time stands there twice" event
