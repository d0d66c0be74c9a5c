# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/greenhouse
first='{"action":"hire_candidate","payload":{"application":{"id":46194062,"status":"hired","last_activity_at":"2026-03-14T09:26:51Z","candidate":{"id":265788}}}}'
second='{"action":"reject_candidate","payload":{"application":{"id":46194063,"status":"rejected","last_activity_at":"2026-03-14T09:27:51Z","candidate":{"id":265789}}}}'
signed() { cat "$body"; }
heads() {
	line Signature "sha256 $sig"
	line Greenhouse-Event-ID "1652198492"
}
flaws
