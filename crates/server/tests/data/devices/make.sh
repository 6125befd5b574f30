#!/bin/sh
# Makes the certificates and CRLs in this folder with OpenSSL 3. Private keys are discarded.
set -eu
data=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > ca.cnf <<'END'
[ca]
default_ca = this
[this]
dir = $ENV::CA
database = $dir/index
serial = $dir/serial
crlnumber = $dir/crlnumber
new_certs_dir = $dir
certificate = $dir/ca.pem
private_key = $dir/key
default_md = sha256
policy = any
unique_subject = no
crl_extensions = crl
[any]
commonName = supplied
[crl]
authorityKeyIdentifier = keyid
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[device]
keyUsage = critical, keyEncipherment
extendedKeyUsage = clientAuth
[signer]
keyUsage = critical, digitalSignature
[any_usage]
basicConstraints = CA:false
END

folder() { mkdir "$1"; : > "$1/index"; echo 1000 > "$1/serial"; echo 01 > "$1/crlnumber"; }
# NAME SUBJECT: a self-signed CA
root() {
    folder "$1"
    openssl ecparam -name prime256v1 -genkey -noout -out "$1/key"
    openssl req -new -key "$1/key" -subj "/CN=$2" -out "$1/req"
    CA=$1 openssl ca -batch -config ca.cnf -selfsign -extensions root -notext -in "$1/req" -out "$1/ca.pem" \
        -startdate 20200101000000Z -enddate 29990101000000Z
}
# CA NAME EXTENSIONS KEY OPTIONS...
issue() {
    ca=$1 name=$2 extensions=$3; shift 3
    openssl genpkey -quiet "$@" -out "$name.key"
    openssl req -new -key "$name.key" -subj "/CN=device $name" -out "$name.req"
    CA=$ca openssl ca -batch -config ca.cnf -extensions "$extensions" -notext -in "$name.req" -out "$name.pem" \
        -startdate 20250101000000Z -enddate 29980101000000Z
}
# CA NAME LAST NEXT
list() {
    CA=$1 openssl ca -config ca.cnf -gencrl -crl_lastupdate "$3" -crl_nextupdate "$4" -out "$2.crl.pem"
}
rsa="-algorithm RSA -pkeyopt rsa_keygen_bits:2048"

root root "Device Root"
root other "Other Root"
root namesake "Device Root"
folder middle
issue root middle root -algorithm EC -pkeyopt ec_paramgen_curve:P-256
mv middle.key middle/key; cp middle.pem middle/ca.pem

issue root good device $rsa
issue root any_usage any_usage $rsa
issue root signer signer $rsa
issue root revoked device $rsa
issue root short device -algorithm RSA -pkeyopt rsa_keygen_bits:1024
issue root curve device -algorithm EC -pkeyopt ec_paramgen_curve:P-256
issue other stranger device $rsa
issue middle below device $rsa
issue middle below_revoked device $rsa

list root early 20250101000000Z 29900101000000Z
CA=root openssl ca -config ca.cnf -revoke revoked.pem
CA=middle openssl ca -config ca.cnf -revoke below_revoked.pem
list root root 20260101000000Z 29900101000000Z
list middle middle 20260101000000Z 29900101000000Z
list other other 20260101000000Z 29900101000000Z
list namesake namesake 20260101000000Z 29900101000000Z
CA=root openssl ca -config ca.cnf -revoke middle.pem
list root no_middle 20260201000000Z 29900101000000Z
openssl crl -in root.crl.pem -outform DER -out root.crl

cp root/ca.pem "$data/root.pem"
cp other/ca.pem "$data/other.pem"
cp good.pem any_usage.pem signer.pem revoked.pem short.pem curve.pem stranger.pem middle.pem below.pem \
    below_revoked.pem ./*.crl.pem root.crl "$data"
