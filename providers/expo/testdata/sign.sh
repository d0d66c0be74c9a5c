# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/expo
first='{"id":"147a3212-49fd-446f-b4e3-a6519acf264a","accountName":"acme","projectName":"site","platform":"ios","status":"finished","completedAt":"2026-03-14T09:26:51.003Z"}'
second='{"id":"258b4323-50ae-557a-c5f4-b7620bdf375b","accountName":"acme","projectName":"site","platform":"android","status":"errored","completedAt":"2026-03-14T09:27:51.003Z"}'
hash=sha1
signed() { cat "$body"; }
heads() { line Expo-Signature "sha1=$sig"; }
flaws
