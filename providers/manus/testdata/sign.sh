# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/manus
url='https://hooks.example.com/hooks/manus?tenant=7'
privatekey rsa der
first='{"event_id":"task_created_1","event_type":"task_created","task_detail":{"task_id":"t1","task_title":"Report"}}'
second='{"event_id":"task_stopped_2","event_type":"task_stopped","task_detail":{"task_id":"t1","stop_reason":"finish"}}'
encode() { base64of; }
signed() { printf '%s.%s.%s' "$ts" "$url" "$(openssl dgst -sha256 -r "$body" | cut -c1-64)"; }
heads() { line X-Webhook-Signature "$sig"; line X-Webhook-Timestamp "$ts"; }
timed=300,300
flaws
fresh; url='https://hooks.example.com/hooks/manus?tenant=8'; vector another-url mismatch "the endpoint is registered under another URL" event
