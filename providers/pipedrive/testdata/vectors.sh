cd "$(dirname "$0")" && . ../../token/vectors.sh
path=/hooks/pipedrive
basic=yes
secret=hooks:5d1f0c6a9b3e47d28c50f1ae6b7d9243
other_secret=hooks:e0417c9bd2a85f36917be4c80d2f6a15
first='{"meta":{"action":"create","entity":"deal","entity_id":"1","id":"c0a3e2b6-5c1a-4a3e-9d0e-3b1d5c0f2a11"},"data":{"id":1}}'
second='{"meta":{"action":"delete","entity":"person","entity_id":"7","id":"7e1d9f42-0b7d-4f0c-8c33-52f0b7a9e6d4"},"data":null}'
flaws
