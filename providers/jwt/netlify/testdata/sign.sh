# Makes the vectors of this folder: bash providers/jwt/netlify/testdata/sign.sh
cd "$(dirname "$0")" && . ../../vectors.sh
name=X-Webhook-Signature
path=/hooks/netlify
first='{"id":"65f2c1d0a4b7e90008c3d1aa","site_id":"0d1c2b3a-1111-4222-8333-abcdefabcdef","state":"ready"}'
second='{"id":"65f2c1d0a4b7e90008c3d1ab","site_id":"0d1c2b3a-1111-4222-8333-abcdefabcdef","state":"error"}'
claims() { printf '{"iss":"netlify","sha256":"%s"}' "$(sum | hex)"; }
flaws
tamper issuer mismatch "another issuer" 's/"netlify"/"Netlify"/'
tamper no-issuer malformed "no issuer" 's/"iss"/"is"/'
tamper no-body-hash malformed "no hash of the body" 's/"sha256"/"sha1"/'
plain "$first"
vector no-type accept "a token without typ" "$(made '{"alg":"HS256"}' "$(claims)")"
