# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/ably
first='{"items":[{"webhookId":"w1","source":"channel.message","serial":"a7bcdEFghIjklm123456789:4","timestamp":1773480411210,"name":"channel.message","data":{"channelId":"orders","site":"eu-west-1-A","messages":[]}}]}'
second='{"items":[{"webhookId":"w1","source":"channel.presence","serial":"a7bcdEFghIjklm123456789:5","timestamp":1773480471210,"name":"presence.message","data":{"channelId":"orders","site":"eu-west-1-A","presence":[]}}]}'
signed() { cat "$body"; }
encode() { base64of; }
heads() {
	line X-Ably-Signature "$sig"
	line X-Ably-Key "appId.keyId"
}
flaws
