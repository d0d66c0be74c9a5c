# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/msteams
secret=K1phUlJNQzgrbXBuZkdhR3NCT21rSUZ0OThidHRMNVk=
other_secret=cTNwMnRYZ2NFPUFiQ2RFZkdoSWpLbE1uT3BRclN0VXY=
first='{"type":"message","id":"1773480411000","timestamp":"2026-03-14T09:26:51.000Z","channelId":"msteams","from":{"id":"29:1a","name":"Jo"},"text":"<at>acme</at> status"}'
second='{"type":"message","id":"1773480471000","timestamp":"2026-03-14T09:27:51.000Z","channelId":"msteams","from":{"id":"29:1b","name":"Al"},"text":"<at>acme</at> help"}'
keyform=base64
signed() { cat "$body"; }
encode() { base64of; }
heads() { line Authorization "HMAC $sig"; }
flaws
