# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/vercel
first='{"id":"evt_1aB2cD3e","type":"deployment.created","createdAt":1773480412000,"payload":{"deployment":{"id":"dpl_9xYz","name":"site","url":"site-9xyz.example.com"}}}'
second='{"id":"evt_2fG3hI4j","type":"deployment.succeeded","createdAt":1773480500000,"payload":{"deployment":{"id":"dpl_9xYz","name":"site","url":"site-9xyz.example.com"}}}'
first_id=evt_1aB2cD3e
second_id=evt_2fG3hI4j
hash=sha1
signed() { cat "$body"; }
heads() { line X-Vercel-Signature "$sig"; }
flaws
