# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/yousign
first='{"event_id":"b6c63685-c556-4a30-8fe9-b6f2b187d936","event_name":"signature_request.activated","event_time":"1773480411","subscription_id":"s1","sandbox":false,"data":{"signature_request":{"id":"r1","status":"approval"}}}'
second='{"event_id":"c7d74796-d667-5b41-90fa-c703c298ea47","event_name":"signature_request.done","event_time":"1773480471","subscription_id":"s1","sandbox":false,"data":{"signature_request":{"id":"r1","status":"done"}}}'
first_id=b6c63685-c556-4a30-8fe9-b6f2b187d936
second_id=c7d74796-d667-5b41-90fa-c703c298ea47
signed() { cat "$body"; }
heads() { line X-Yousign-Signature-256 "sha256=$sig"; }
flaws
