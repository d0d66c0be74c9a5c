# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/intercom
first='{"type":"notification_event","app_id":"a86dr8yl","id":"notif_78c122d0-23ba-11e4-9464-79b01267cc2e","topic":"conversation.user.created","created_at":1773480411,"data":{"type":"notification_event_data","item":{"type":"conversation","id":"147"}}}'
second='{"type":"notification_event","app_id":"a86dr8yl","id":"notif_89d233e1-34cb-22f5-a575-8ac12378dd3f","topic":"conversation.admin.closed","created_at":1773480471,"data":{"type":"notification_event_data","item":{"type":"conversation","id":"147"}}}'
first_id=notif_78c122d0-23ba-11e4-9464-79b01267cc2e
second_id=notif_89d233e1-34cb-22f5-a575-8ac12378dd3f
hash=sha1
signed() { cat "$body"; }
heads() { line X-Hub-Signature "sha1=$sig"; }
flaws
