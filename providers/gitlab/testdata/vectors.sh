cd "$(dirname "$0")" && . ../../token/vectors.sh
path=/hooks/gitlab
header=X-Gitlab-Token
more() { line X-Gitlab-Event "Push Hook"; line Idempotency-Key f5e5f430-f57b-4e6e-9fac-d9128cd7232f; }
first='{"object_kind":"push","ref":"refs/heads/main","checkout_sha":"da1560886d4f094c3e6c9ef40349f7d38b5d27d7","project_id":15}'
second='{"object_kind":"issue","event_type":"issue","object_attributes":{"id":301,"action":"open"}}'
flaws
