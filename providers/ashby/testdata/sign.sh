# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/ashby
first='{"action":"applicationSubmit","data":{"application":{"id":"a1","createdAt":"2026-03-14T09:26:51.567Z","status":"Active","candidate":{"id":"c1"}}}}'
second='{"action":"candidateStageChange","data":{"application":{"id":"a1","updatedAt":"2026-03-14T09:27:51.567Z","status":"Active","candidate":{"id":"c1"}}}}'
signed() { cat "$body"; }
heads() { line Ashby-Signature "sha256=$sig"; }
flaws
