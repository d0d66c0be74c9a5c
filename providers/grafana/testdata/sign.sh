# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/grafana
first='{"receiver":"ops","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"High latency"},"fingerprint":"c6eadffa33fcdf37"}],"orgId":1,"groupKey":"{}:{alertname=High latency}"}'
second='{"receiver":"ops","status":"resolved","alerts":[{"status":"resolved","labels":{"alertname":"High latency"},"fingerprint":"c6eadffa33fcdf37"}],"orgId":1,"groupKey":"{}:{alertname=High latency}"}'
signed() { cat "$body"; }
heads() { line X-Grafana-Alerting-Signature "$sig"; }
flaws
