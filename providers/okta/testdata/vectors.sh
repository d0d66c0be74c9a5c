cd "$(dirname "$0")" && . ../../token/vectors.sh
path=/hooks/okta
header=Authorization
first='{"eventType":"com.okta.event_hook","eventId":"b5a188b9-5ece-4636-b041-482ffda96311","eventTime":"2026-03-14T09:26:53.000Z"}'
second='{"eventType":"com.okta.event_hook","eventId":"0f1b6a70-0a5e-4bdb-8e2c-1f5f2a4f9d11","eventTime":"2026-03-14T09:26:53.000Z"}'
flaws
