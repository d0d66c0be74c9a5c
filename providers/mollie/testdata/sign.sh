# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/mollie
first='{"resource":"event","id":"event_GvJ8WHrp5isUdRub9CJyH","type":"payment-link.paid","entityId":"pl_qng5gbbv8NAZ5gpM5ZYgx","createdAt":"2026-03-14T09:26:51.0Z"}'
second='{"resource":"event","id":"event_HwK9XIsq6jtVeSvc0DKzI","type":"profile.blocked","entityId":"pfl_1","createdAt":"2026-03-14T09:27:51.0Z"}'
first_id=event_GvJ8WHrp5isUdRub9CJyH
second_id=event_HwK9XIsq6jtVeSvc0DKzI
skip=signature-twice
signed() { cat "$body"; }
heads() { line X-Mollie-Signature "sha256=$sig"; }
flaws
# Two secrets.
fresh; good=$sig; secret=$other_secret; sign; mine=$sig; secret=5d1f0c6a9b3e47d28c50f1ae6b7d9243; fresh
{ line X-Mollie-Signature "sha256=$mine"; line X-Mollie-Signature "sha256=$good"; } >"$work/head"
vector two-secrets accept "a rotation: the header stands there once for each secret"
{ line X-Mollie-Signature "sha256=$mine"; line X-Mollie-Signature "sha256=$mine"; } >"$work/head"
vector two-other-secrets mismatch "two signatures, and the endpoint has none of the secrets" two-secrets
