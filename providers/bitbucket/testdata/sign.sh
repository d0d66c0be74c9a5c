# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/bitbucket
first='{"push":{"changes":[{"new":{"type":"branch","name":"main","target":{"hash":"9f1c2d3e4b5a69788796a5b4c3d2e1f001122334"}}}]},"repository":{"full_name":"acme/site"},"actor":{"display_name":"Jo"}}'
second='{"pullrequest":{"id":7,"title":"Fix the header","state":"OPEN"},"repository":{"full_name":"acme/site"},"actor":{"display_name":"Al"}}'
signed() { cat "$body"; }
heads() {
	line X-Hub-Signature "sha256=$sig"
	line X-Event-Key "repo:push"
	line X-Request-UUID "3b6c1b53-4d2f-4d6f-9a0b-7a1d5f0e9c21"
}
flaws
