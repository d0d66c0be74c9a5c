cd "$(dirname "$0")" && . ../../token/vectors.sh
path=/hooks/azuredevops
basic=yes
secret=hooks:5d1f0c6a9b3e47d28c50f1ae6b7d9243
other_secret=hooks:e0417c9bd2a85f36917be4c80d2f6a15
first='{"id":"03c164c2-8912-4d5e-8009-3707d5f83734","eventType":"git.push","resource":{"pushId":14}}'
second='{"id":"4a5d99d6-1c75-4e53-91b9-ee80057d4ce3","eventType":"build.complete","resource":{"id":2}}'
flaws
