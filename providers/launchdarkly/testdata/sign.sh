# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/launchdarkly
first='{"_id":"57c0a8e29969090743529965","date":1773480411000,"kind":"flag","name":"New checkout","titleVerb":"turned on the flag","member":{"email":"jo@example.com"}}'
second='{"_id":"57c0a8e29969090743529966","date":1773480471000,"kind":"flag","name":"New checkout","titleVerb":"turned off the flag","member":{"email":"jo@example.com"}}'
first_id=57c0a8e29969090743529965
second_id=57c0a8e29969090743529966
signed() { cat "$body"; }
heads() { line X-LD-Signature "$sig"; }
flaws
