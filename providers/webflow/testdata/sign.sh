# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/webflow
first='{"triggerType":"form_submission","payload":{"name":"Contact","siteId":"65427cf400e02b306eaa0471","data":{"email":"ann@example.com"}}}'
second='{"triggerType":"site_publish","payload":{"domains":["www.example.com"],"siteId":"65427cf400e02b306eaa0471"}}'
stamp() { printf '%s000' "$1"; }
signed() { printf '%s:' "$ts"; cat "$body"; }
heads() { line x-webflow-signature "$sig"; line x-webflow-timestamp "$ts"; }
timed=300,300
flaws
fresh; edit "/^x-webflow-timestamp:/d"; vector no-time malformed "the time is missing" event
fresh; edit "s/^(x-webflow-timestamp: .*)/\1\n\1/"; vector time-twice malformed "the time stands there twice" event
