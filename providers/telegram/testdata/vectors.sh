cd "$(dirname "$0")" && . ../../token/vectors.sh
path=/hooks/telegram
header=X-Telegram-Bot-Api-Secret-Token
first='{"update_id":10000,"message":{"message_id":1365,"date":1773480412,"chat":{"id":1111111,"type":"private"},"text":"/start"}}'
second='{"update_id":10001,"callback_query":{"id":"4382bfdwdsb323b2d9","data":"yes"}}'
flaws
