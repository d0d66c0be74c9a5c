# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/acuity
first='action=scheduled&id=1023&calendarID=7&appointmentTypeID=31'
second='action=canceled&id=1024&calendarID=7&appointmentTypeID=31'
type=application/x-www-form-urlencoded
signed() { cat "$body"; }
encode() { base64of; }
heads() { line X-Acuity-Signature "$sig"; }
flaws
