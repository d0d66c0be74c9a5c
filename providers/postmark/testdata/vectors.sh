cd "$(dirname "$0")" && . ../../token/vectors.sh
path=/hooks/postmark
basic=yes
secret=hooks:5d1f0c6a9b3e47d28c50f1ae6b7d9243
other_secret=hooks:e0417c9bd2a85f36917be4c80d2f6a15
first='{"RecordType":"Delivery","MessageID":"883953f4-6105-42a2-a16a-77a8eac79483","Recipient":"john@example.com"}'
second='{"RecordType":"Bounce","ID":4323372036854775807,"Type":"HardBounce","Email":"jane@example.com"}'
flaws
