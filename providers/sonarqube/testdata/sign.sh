# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/sonarqube
first='{"serverUrl":"https://sonar.example.com","taskId":"AVh21JS2JepAEhwQ-b3u","status":"SUCCESS","analysedAt":"2026-03-14T09:26:51+0000","project":{"key":"acme","name":"Acme"},"qualityGate":{"name":"default","status":"OK"}}'
second='{"serverUrl":"https://sonar.example.com","taskId":"AWi32KT3KfqBFixR-c4v","status":"SUCCESS","analysedAt":"2026-03-14T09:27:51+0000","project":{"key":"acme","name":"Acme"},"qualityGate":{"name":"default","status":"ERROR"}}'
header=X-Sonar-Webhook-HMAC-SHA256
signed() { cat "$body"; }
heads() {
	line X-Sonar-Webhook-HMAC-SHA256 "$sig"
	line X-SonarQube-Project "acme"
}
flaws
