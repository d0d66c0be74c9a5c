# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/linear
secret=lin_wh_5d1f0c6a9b3e47d28c50f1ae6b7d9243
other_secret=lin_wh_e0417c9bd2a85f36917be4c80d2f6a15
first='{"action":"create","type":"Issue","createdAt":"2026-03-14T09:26:52.000Z","data":{"id":"71d1f0c6-9b3e-47d2-8c50-f1ae6b7d9243","title":"Slow reports"},"organizationId":"o1","webhookTimestamp":1773480413000,"webhookId":"w1"}'
second='{"action":"update","type":"Issue","createdAt":"2026-03-14T09:26:50.000Z","data":{"id":"70d1f0c6-9b3e-47d2-8c50-f1ae6b7d9243","title":"Slow login"},"organizationId":"o1","webhookTimestamp":1773480413000,"webhookId":"w1"}'
signed() { cat "$body"; }
heads() { line Linear-Signature "$sig"; }
timed=60,60
skip=" time-changed "
flaws
timeless='{"action":"create","type":"Issue","data":{"id":"71"},"webhookId":"w1"}'
