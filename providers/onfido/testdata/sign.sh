# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/onfido
first='{"payload":{"resource_type":"check","action":"check.completed","object":{"id":"5345badb-f4bf-4240-9f3b-ffb998bda09e","status":"complete","completed_at_iso8601":"2026-03-14T09:26:51Z"}}}'
second='{"payload":{"resource_type":"report","action":"report.awaiting_approval","object":{"id":"c1f2badb-f4bf-4240-9f3b-ffb998bda0aa","status":"awaiting_approval","completed_at_iso8601":"2026-03-14T09:27:51Z"}}}'
header=X-SHA2-Signature
signed() { cat "$body"; }
heads() { line X-SHA2-Signature "$sig"; }
flaws
