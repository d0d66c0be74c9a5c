# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/logto
first='{"hookId":"h1","event":"PostRegister","createdAt":"2026-03-14T09:26:51.000Z","userId":"u1","ip":"192.0.2.7"}'
second='{"hookId":"h1","event":"PostSignIn","createdAt":"2026-03-14T09:27:51.000Z","userId":"u1","ip":"192.0.2.7"}'
signed() { cat "$body"; }
heads() { line Logto-Signature-Sha-256 "$sig"; }
flaws
