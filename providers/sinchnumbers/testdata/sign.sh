# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/sinchnumbers
first='{"eventId":"01hpa0mww4m79q8j2dwn3ggbgz","timestamp":"2026-03-14T09:26:51.000Z","projectId":"37b62a7b","resourceId":"+46700000001","resourceType":"ACTIVE_NUMBER","eventType":"PROVISIONING_TO_VOICE_PLATFORM","status":"SUCCEEDED"}'
second='{"eventId":"01hpa0mww4m79q8j2dwn3ggbh0","timestamp":"2026-03-14T09:27:51.000Z","projectId":"37b62a7b","resourceId":"+46700000002","resourceType":"ACTIVE_NUMBER","eventType":"DEPROVISIONING_FROM_CAMPAIGN","status":"FAILED"}'
first_id=01hpa0mww4m79q8j2dwn3ggbgz
second_id=01hpa0mww4m79q8j2dwn3ggbh0
hash=sha1
signed() { cat "$body"; }
heads() { line X-Sinch-Signature "$sig"; }
flaws
