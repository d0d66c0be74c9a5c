cd "$(dirname "$0")" && . ../../token/vectors.sh
path=/hooks/cloudflare
header=cf-webhook-auth
first='{"name":"Hooks","text":"The origin of shop.example.com is unhealthy","ts":1773480412}'
second='{"name":"Hooks","text":"The certificate of shop.example.com expires soon","ts":1773480413}'
flaws
