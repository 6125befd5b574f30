#!/bin/sh
# Makes the keys, certificates and signed documents of this folder anew, with openssl and xmlsec1,
# in the folder where it runs. Needs unsigned.xml. The keys are for tests only.
set -eu

key() { openssl genpkey -quiet -out "$1.key" -algorithm "$2" -pkeyopt "$3"; }

# issue NAME ISSUER PURPOSE: a certificate for the key NAME, in which ISSUER states the PURPOSE of it. HASH is SHA-256
# unless it is set.
issue() {
    if [ "$3" = ca ]; then
        printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n' >extensions
    else
        printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,%s\n' "$3" >extensions
    fi
    printf 'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' >>extensions
    openssl req -new -key "$1.key" -subj "/O=Test only/CN=$1" -out request
    if [ "$2" = "$1" ]; then
        openssl x509 -req -"${HASH-sha256}" -in request -signkey "$1.key" -days 36500 -extfile extensions -out "$1.pem"
    else
        openssl x509 -req -"${HASH-sha256}" -in request -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 36500 \
            -extfile extensions -out "$1.pem"
    fi
    rm -f extensions request ./*.srl
}

key root EC ec_paramgen_curve:P-256
key other-root EC ec_paramgen_curve:P-256
key intermediate RSA rsa_keygen_bits:2048
key rsa RSA rsa_keygen_bits:2048
key p256 EC ec_paramgen_curve:P-256
key p384 EC ec_paramgen_curve:P-384
issue root root ca
issue other-root other-root ca
issue intermediate root ca
issue rsa intermediate digitalSignature
issue p256 root digitalSignature
issue p384 root digitalSignature
# The key p256 again: by an authority that nobody trusts, by one that is none, and for another purpose.
for variant in "untrusted other-root digitalSignature" "from-leaf rsa digitalSignature" "agreement root keyAgreement"; do
    set -- $variant
    cp p256.key "$1.key"
    issue "$1" "$2" "$3"
    rm "$1.key"
done

# The key p256 once more: certified with SHA-1, and by an authority that is certified with it.
key sha1-root EC ec_paramgen_curve:P-256
key sha1-middle EC ec_paramgen_curve:P-256
issue sha1-root sha1-root ca
HASH=sha1 issue sha1-middle sha1-root ca
cp p256.key sha1.key
HASH=sha1 issue sha1 sha1-root digitalSignature
mv sha1.key below-sha1.key
issue below-sha1 sha1-middle digitalSignature
rm below-sha1.key sha1-root.key sha1-middle.key

DS=http://www.w3.org/2000/09/xmldsig#
MORE=http://www.w3.org/2001/04/xmldsig-more#
ENC=http://www.w3.org/2001/04/xmlenc#
EXC=http://www.w3.org/2001/10/xml-exc-c14n#
INC=http://www.w3.org/TR/2001/REC-xml-c14n-20010315
INC11=http://www.w3.org/2006/12/xml-c14n11

# signed FILE KEY,CERTIFICATES URI C14N-OF-SIGNEDINFO TRANSFORM SIGNATURE DIGEST
signed() {
    second=${5:+"<Transform Algorithm=\"$5\">${LIST-}</Transform>"}
    cat >signature <<END
<Signature xmlns="$DS" Id="S">
  <SignedInfo>
    <CanonicalizationMethod Algorithm="$4"/> <!-- a comment -->
    <SignatureMethod Algorithm="$6"/>
    <Reference URI="$3">
      <Transforms><Transform Algorithm="${DS}enveloped-signature"/>$second</Transforms>
      <DigestMethod Algorithm="$7"/>
      <DigestValue/>
    </Reference>
  </SignedInfo>
  <SignatureValue/>
  <KeyInfo><X509Data/></KeyInfo>
</Signature>
END
    sed -e '/<!-- here -->/{r signature' -e 'd}' unsigned.xml >template
    xmlsec1 --sign --id-attr:Id KeyContainer --privkey-pem "$2" --output "$1" template
    rm signature template
}

signed rsa-sha256-exc.xml rsa.key,rsa.pem,intermediate.pem "" $EXC $EXC ${MORE}rsa-sha256 ${ENC}sha256
signed rsa-sha384-default.xml rsa.key,rsa.pem,intermediate.pem "" $INC "" ${MORE}rsa-sha384 ${MORE}sha384
signed rsa-sha512-inc.xml rsa.key,intermediate.pem,rsa.pem "#KC-1" $INC $INC ${MORE}rsa-sha512 ${ENC}sha512
signed p256-exc.xml p256.key,p256.pem "" "${EXC}WithComments" "${EXC}WithComments" ${MORE}ecdsa-sha256 ${ENC}sha256
signed p384-inc11.xml p384.key,p384.pem "" "$INC11#WithComments" $INC11 ${MORE}ecdsa-sha384 ${MORE}sha384
LIST="<ec:InclusiveNamespaces xmlns:ec=\"$EXC\" PrefixList=\"t #default\"/>"
signed p256-prefixes.xml p256.key,p256.pem "#KC-1" "$EXC" "$EXC" ${MORE}ecdsa-sha256 ${ENC}sha256
LIST=
signed rsa-sha1.xml rsa.key,rsa.pem,intermediate.pem "" $EXC $EXC ${DS}rsa-sha1 ${DS}sha1
rm root.key other-root.key intermediate.key

# What was signed in one of them, as xmlsec1 digests it.
xmlsec1 --verify --id-attr:Id KeyContainer --trusted-pem root.pem --store-references p256-prefixes.xml 2>&1 |
    sed -n '/^== PreDigest data - start/,/^== PreDigest data - end/{//!p}' >content
printf %s "$(cat content)" >p256-prefixes.content
rm content
