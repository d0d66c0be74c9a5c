# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/razorpay
first='{"entity":"event","account_id":"acc_BFQ7uQEaa7j2z7","event":"payment.captured","contains":["payment"],"payload":{"payment":{"entity":{"id":"pay_DESlfW9H8K9uqM","amount":100,"currency":"INR","status":"captured"}}},"created_at":1773480412}'
second='{"entity":"event","account_id":"acc_BFQ7uQEaa7j2z7","event":"payment.failed","contains":["payment"],"payload":{"payment":{"entity":{"id":"pay_DESmT0aB1cDeFg","amount":250,"currency":"INR","status":"failed"}}},"created_at":1773480500}'
signed() { cat "$body"; }
heads() {
	line X-Razorpay-Signature "$sig"
	line X-Razorpay-Event-Id "LZ5bQ8rT1uVw2x"
}
flaws
