# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/discourse
first='{"topic":{"id":78,"title":"A button is too small","created_at":"2026-03-14T09:26:51.035Z","user_id":2,"archetype":"regular"}}'
second='{"post":{"id":179,"username":"jo","created_at":"2026-03-14T09:27:51.035Z","cooked":"<p>It is.</p>","topic_id":78}}'
signed() { cat "$body"; }
heads() {
	line X-Discourse-Event-Signature "sha256=$sig"
	line X-Discourse-Event "topic_created"
	line X-Discourse-Event-Id "4711"
}
flaws
