cd "$(dirname "$0")" && . ../../token/vectors.sh
path=/hooks/huggingface
header=X-Webhook-Secret
first='{"event":{"action":"update","scope":"repo.content"},"repo":{"type":"model","name":"acme/parrot"},"webhook":{"version":3}}'
second='{"event":{"action":"create","scope":"discussion"},"repo":{"type":"dataset","name":"acme/feathers"},"webhook":{"version":3}}'
flaws
