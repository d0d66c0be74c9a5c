# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/line
first='{"destination":"U0123","events":[{"type":"message","webhookEventId":"01HRA5XQ3ZC9","deliveryContext":{"isRedelivery":false},"timestamp":1773480412000,"source":{"type":"user","userId":"U4567"},"message":{"id":"468","type":"text","text":"hello"}}]}'
second='{"destination":"U0123","events":[]}'
signed() { cat "$body"; }
encode() { base64of; }
heads() { line X-Line-Signature "$sig"; }
flaws
