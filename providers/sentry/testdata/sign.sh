# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/sentry
first='{"action":"created","installation":{"uuid":"a8e5d37a-696c-4c54-adb5-b3f28d64c7de"},"data":{"issue":{"id":"1170820242","title":"TypeError: x is undefined","status":"unresolved"}},"actor":{"type":"application","id":"sentry"}}'
second='{"action":"resolved","installation":{"uuid":"a8e5d37a-696c-4c54-adb5-b3f28d64c7de"},"data":{"issue":{"id":"1170820242","title":"TypeError: x is undefined","status":"resolved"}},"actor":{"type":"user","id":7}}'
signed() { cat "$body"; }
heads() {
	line Sentry-Hook-Signature "$sig"
	line Sentry-Hook-Resource "issue"
	line Sentry-Hook-Timestamp "1773480413"
	line Request-ID "5f0e9c213b6c4d2f9a0b7a1d4d6f1b53"
}
flaws
