# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/clickup
first='{"event":"taskCreated","history_items":[{"id":"2800763136717140857","type":1,"date":"1773480411431","field":"status"}],"task_id":"1vj37mc","webhook_id":"7fa3ec74-69a8-4530-a251-8a13730bd204"}'
second='{"event":"taskUpdated","history_items":[{"id":"2800768061568222238","type":1,"date":"1773480471963","field":"content"}],"task_id":"1vj37mc","webhook_id":"7fa3ec74-69a8-4530-a251-8a13730bd204"}'
signed() { cat "$body"; }
heads() { line X-Signature "$sig"; }
flaws
