cd "$(dirname "$0")" && . ../../token/vectors.sh
path=/hooks/chargebee
basic=yes
secret=hooks:5d1f0c6a9b3e47d28c50f1ae6b7d9243
other_secret=hooks:e0417c9bd2a85f36917be4c80d2f6a15
first='{"id":"ev_16BHbhF4s42tO2lK","event_type":"subscription_created","api_version":"v2","content":{}}'
second='{"id":"ev_16BHbhF4s42tO2lM","event_type":"invoice_generated","api_version":"v2","content":{}}'
flaws
