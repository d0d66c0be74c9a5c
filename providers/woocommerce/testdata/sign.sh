# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/woocommerce
first='{"id":727,"number":"727","status":"processing","currency":"EUR","total":"29.35","line_items":[{"id":315,"name":"Beanie","quantity":1}]}'
second='{"id":728,"number":"728","status":"pending","currency":"EUR","total":"12.00","line_items":[{"id":316,"name":"Cap","quantity":2}]}'
signed() { cat "$body"; }
encode() { base64of; }
heads() {
	line X-WC-Webhook-Signature "$sig"
	line X-WC-Webhook-Topic "order.created"
	line X-WC-Webhook-Delivery-ID "4711"
}
flaws
