# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/meta
first='{"object":"page","entry":[{"id":"1040001","time":1773480412,"changes":[{"field":"feed","value":{"item":"post","verb":"add","message":"Caf\u00e9"}}]}]}'
second='{"object":"whatsapp_business_account","entry":[{"id":"2040002","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","messages":[{"id":"wamid.ONE","type":"text","text":{"body":"hello"}}]}}]}]}'
signed() { cat "$body"; }
heads() { line X-Hub-Signature-256 "sha256=$sig"; }
flaws
