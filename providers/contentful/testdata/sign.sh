# Makes the vectors beside it: bash sign.sh
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh

type=application/vnd.contentful.management.v1+json
path='/hooks/contentful?space=s7'
url='https://shop.example/hooks/contentful?space=s7'
target='/hooks/contentful?space%253Ds7' # as the path and the query are signed
secret=5d1f0c6a9b3e47d28c50f1ae6b7d92435d1f0c6a9b3e47d28c50f1ae6b7d9243
other_secret=e0417c9bd2a85f36917be4c80d2f6a15e0417c9bd2a85f36917be4c80d2f6a15
topic=ContentManagement.Entry.publish
names=content-type,x-contentful-idempotency-key,x-contentful-signed-headers,x-contentful-timestamp,x-contentful-topic
first='{"sys":{"type":"Entry","id":"5KsDBWseXY6QegucYAoacS","space":{"sys":{"id":"s7"}}},"fields":{"title":{"en-US":"Plants"}}}'
second='{"sys":{"type":"DeletedEntry","id":"2hQx6Fv1oYk0Cwy8S6KqQe","space":{"sys":{"id":"s7"}}}}'
first_id=0c2f6b1e9d4a7035c8e1f6b3a2d9074e0c2f6b1e9d4a7035c8e1f6b3a2d9074e
second_id=7035c8e1f6b3a2d9074e0c2f6b1e9d4a7035c8e1f6b3a2d9074e0c2f6b1e9d4a
stamp() { printf '%s000' "$1"; }
timed=300,300
values() { printf 'content-type:%s;x-contentful-idempotency-key:%s;x-contentful-signed-headers:%s;x-contentful-timestamp:%s;x-contentful-topic:%s' "$type" "$id" "$names" "$ts" "$topic"; }
signed() { printf 'POST\n%s\n%s\n' "$target" "$(values)"; cat "$body"; }
heads() {
	line X-Contentful-Signature "$sig"; line X-Contentful-Signed-Headers "$names"; line X-Contentful-Timestamp "$ts"
	line X-Contentful-Topic "$topic"; line X-Contentful-Idempotency-Key "$id"; line X-Contentful-Webhook-Name "rebuild"
}
flaws

# The headers that are signed.
fresh; edit 's/^(X-Contentful-Topic: .*)publish\r/\1unpublish\r/'; vector topic-changed mismatch "another topic" event
fresh; edit '/^X-Contentful-Topic:/d'; vector topic-missing malformed "a header that is signed is missing" event
fresh; edit 's/^(X-Contentful-Topic: .*)/\1\n\1/'; vector topic-twice malformed "a header that is signed stands there twice" event
fresh; edit 's/^(X-Contentful-Topic: .*)\r/\1;x-other:1\r/'; vector topic-with-another-header malformed "a value that looks like a further header" event
fresh; edit 's/^(X-Contentful-Idempotency-Key: .*)e\r/\1f\r/'; vector id-changed mismatch "another id" event
fresh; edit 's/^(X-Contentful-Webhook-Name: ).*/\1other\r/'; vector name-of-webhook-changed accept "a header that is not signed"
fresh; edit '/^X-Contentful-Signed-Headers:/d'; vector no-names malformed "the list of names is missing" event
fresh; edit 's/^(X-Contentful-Signed-Headers: .*),x-contentful-topic/\1/'; vector name-gone mismatch "a name is gone" event
fresh; edit 's/content-type,x-contentful-idempotency-key/x-contentful-idempotency-key,content-type/'; vector names-not-sorted malformed "names that are not sorted" event
fresh; edit 's/content-type,/content-type,content-type,/'; vector name-twice malformed "a name twice" event
fresh; edit 's/content-type,/Content-Type,/'; vector name-in-upper-case malformed "a name in upper case" event
fresh; edit 's/,x-contentful-timestamp,/,/'; vector time-not-signed malformed "a list without the time" event
fresh; edit 's/,x-contentful-signed-headers,/,/'; vector names-not-signed malformed "a list without itself" event

# The time.
fresh; edit '/^X-Contentful-Timestamp:/d'; vector time-missing malformed "the time is missing" event
fresh; edit 's/^(X-Contentful-Timestamp: .*)000\r/\1\r/'; vector time-in-seconds malformed "a time in seconds" event
fresh; edit 's/^(X-Contentful-Timestamp: )/\10/'; vector time-with-zero malformed "a zero in front of the time" event

# The URL.
fresh; path='/hooks/contentful?space=s8'; vector query-changed malformed "the query is not the one of the endpoint" event
path='/hooks/contentful'; vector query-missing malformed "the query is missing" event
path='/behind/a/proxy?space=s7'; vector another-path accept "the path of the request is what a proxy made of it"
path='/hooks/contentful?space=s7'
keep=$target; target='/hooks/contentful?space=s7'; fresh; target=$keep; vector signed-with-query-as-it-is mismatch "signed with the query as it is" event
target=/hooks/other; fresh; target=$keep; vector signed-for-another-path mismatch "signed for another path" event

# Options.
options='# option: require X-Contentful-Topic'; fresh; vector required accept "a header that the endpoint requires is signed"
options='# option: require X-Contentful-CRN'; fresh; vector required-not-signed malformed "a header that the endpoint requires is not signed" event
options=
