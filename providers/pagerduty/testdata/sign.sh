# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/pagerduty
first='{"event":{"id":"5ac64822-4adc-4fda-ade0-410becf0de4f","event_type":"incident.triggered","resource_type":"incident","occurred_at":"2026-03-14T09:26:51.165Z","data":{"id":"PGR0VU2","type":"incident","title":"The disk is full"}}}'
second='{"event":{"id":"6bd75933-5bed-50eb-bef1-521cfd01ef50","event_type":"incident.resolved","resource_type":"incident","occurred_at":"2026-03-14T09:27:51.165Z","data":{"id":"PGR0VU2","type":"incident","title":"The disk is full"}}}'
skip=quoted
header=X-PagerDuty-Signature
signed() { cat "$body"; }
heads() { line X-PagerDuty-Signature "v1=$sig"; }
flaws
fresh; edit "s/^($header: )(.*)\r/\1\"\2\"\r/"; vector in-quotes unsigned "quotes around the list, so that it has no item of the version" event
