# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/gitea
first='{"ref":"refs/heads/main","before":"28e1879d029cb852e4844d9c718537df08844e03","after":"bffeb74224043ba2feb48d137756c8a9331c449a","repository":{"id":140,"full_name":"acme/site"},"pusher":{"login":"jo"}}'
second='{"action":"opened","number":7,"issue":{"id":11,"title":"A button is too small","state":"open"},"repository":{"id":140,"full_name":"acme/site"},"sender":{"login":"al"}}'
signed() { cat "$body"; }
heads() {
	line X-Gitea-Signature "$sig"
	line X-Gitea-Event "push"
	line X-Gitea-Delivery "f6266f16-1bf3-46a5-9ea4-602e06ead473"
}
flaws
