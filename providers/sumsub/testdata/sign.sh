# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/sumsub
first='{"applicantId":"5cb56e8e0a975a35f333cb83","correlationId":"req-a260b669","type":"applicantCreated","reviewStatus":"init","createdAtMs":"2026-03-14 09:26:51.704"}'
second='{"applicantId":"5cb56e8e0a975a35f333cb83","correlationId":"req-b371c77a","type":"applicantReviewed","reviewStatus":"completed","createdAtMs":"2026-03-14 09:27:51.704"}'
signed() { cat "$body"; }
heads() {
	line X-Payload-Digest "$sig"
	line X-Payload-Digest-Alg "HMAC_SHA256_HEX"
}
flaws
# The algorithm.
fresh; edit "s/^(X-Payload-Digest-Alg: ).*/\1HMAC_SHA1_HEX\r/"; vector another-algorithm malformed "the header names another algorithm" event
fresh; edit "/^X-Payload-Digest-Alg:/d"; vector no-algorithm malformed "the header with the algorithm is missing" event
