# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/circleci
first='{"type":"workflow-completed","id":"3888f21b-eaa7-38e3-8f3d-75a63bba8895","happened_at":"2026-03-14T09:26:51.177Z","webhook":{"id":"cf8c4fdd","name":"CI"},"workflow":{"name":"build","status":"success"}}'
second='{"type":"job-completed","id":"4999032c-fbb8-49f4-904e-86b74ccb9906","happened_at":"2026-03-14T09:27:51.177Z","webhook":{"id":"cf8c4fdd","name":"CI"},"job":{"name":"test","status":"failed"}}'
first_id=3888f21b-eaa7-38e3-8f3d-75a63bba8895
second_id=4999032c-fbb8-49f4-904e-86b74ccb9906
skip=quoted
signed() { cat "$body"; }
heads() { line Circleci-Signature "v1=$sig"; }
flaws
fresh; edit "s/^($header: )(.*)\r/\1\"\2\"\r/"; vector in-quotes unsigned "quotes around the list, so that it has no item of the version" event
