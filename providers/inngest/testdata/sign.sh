# Makes the vectors beside it: bash sign.sh. openssl signs the canonical form of a body,
# which stands here as text.
cd "$(dirname "$0")" && . "${lib:-../../providertest/vector/sign.sh}"

path='/api/inngest?fnId=shop-welcome&stepId=step'
cut=signkey-prod-
secret=signkey-prod-5d1f0c6a9b3e47d28c50f1ae6b7d92435d1f0c6a9b3e47d28c50f1ae6b7d9243
other_secret=signkey-prod-e0417c9bd2a85f36917be4c80d2f6a15e0417c9bd2a85f36917be4c80d2f6a15
first='{"ctx":{"attempt":0,"fn_id":"shop-welcome","run_id":"01K2Z8H1M4"},"event":{"data":{"total":4.5},"name":"shop/order.paid","ts":1773480412000},"steps":{},"use_api":false}'
second='{"ctx":{"attempt":1,"fn_id":"shop-welcome","run_id":"01K2Z8H1M5"},"event":{"data":{},"name":"shop/order.void","ts":1773480412500},"steps":{},"use_api":false}'
form=
signed() { if [ -n "$form" ]; then printf '%s' "$form"; else cat "$body"; fi; printf '%s' "$ts"; }
heads() { line X-Inngest-Signature "t=$ts&s=$sig"; }
timed=300,300
flaws

# The same value in another spelling is signed, too: bodies and their canonical form.
spelled() { form=$2; plain "$3"; sign; vector "$1" accept "$4"; form=; }
changed() { form=$2; plain "$3"; sign; vector "$1" mismatch "$4" "$5"; form=; }
spelled white-space '{"a":1,"b":[2,3]}' '{ "a": 1, "b": [2, 3] }' "white space in the body is not signed"
spelled members-in-another-order '{"a":1,"b":2}' '{"b":2,"a":1}' "the order of the members is not signed"
changed member-twice '{"a":1,"b":2}' '{"b":2,"a":1,"b":2}' "a member stands twice" members-in-another-order
spelled escapes '{"a":"é/<"}' '{"a":"\u00e9\/\u003c"}' "escapes are not signed"
changed half-a-character '{"a":"é/<"}' '{"a":"\u00e9\/\u003c\ud83d"}' "half a character in an escape" escapes
spelled numbers '{"a":[1,100,0.000001,1e-7,1e+21,100000000000000000000]}' '{"a":[1.0,1e2,1e-6,1e-7,1e21,1e20]}' "the spelling of a number is not signed"
spelled largest-number '{"a":9007199254740992}' '{"a":9007199254740992}' "a number that the canonical form keeps"
changed number-with-more-digits '{"a":9007199254740992}' '{"a":9007199254740993}' "a number that the canonical form would change" largest-number
spelled names-by-code-units '{"a":1,"😀":2,"ﬀ":3}' '{"ﬀ":3,"😀":2,"a":1}' "names are sorted by their UTF-16 code units"
spelled names-in-two-cases '{"ID":1,"id":2}' '{"ID":1,"id":2}' "names that differ in case, in canonical order"
changed names-in-two-cases-turned '{"ID":1,"id":2}' '{"id":2,"ID":1}' "names that differ in case, in another order" names-in-two-cases

# The key.
fresh; secrets=${secret#"$cut"}; vector key-without-environment accept "the endpoint has the key without what stands in front"
fresh; secrets=signkey-test-${secret#"$cut"}; vector key-of-another-environment accept "the kind of environment is not part of the key"
cut=; fresh; vector key-with-environment mismatch "what stands in front is part of the key" event
