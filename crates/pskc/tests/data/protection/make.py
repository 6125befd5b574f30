#!/usr/bin/env python3
"""Makes the files of this folder anew, in the folder where it runs: with python-pskc 1.4, and what that cannot make
with openssl (RSA) and the Python package cryptography (key wrap with padding).

Every file holds the same secret and counter. Keys are the octets 00 01 02 ..., the password below, and the RSA key of
../signature, which are for tests only.
"""

import base64
import subprocess
import warnings

from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from pskc import PSKC

warnings.simplefilter("ignore")

SECRET, COUNTER, PASSWORD = b"12345678901234567890abcd", 300, "correct horse"


def write(name, setup, mac=None):
    container = PSKC()
    key = container.add_key(id="1", algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp")
    key.secret, key.counter = SECRET, COUNTER
    if mac:
        container.mac.setup(algorithm=mac)
    setup(container.encryption)
    container.write(f"{name}.xml")


def preshared(algorithm, length, **more):
    return lambda e: e.setup_preshared_key(key=bytes(range(length)), key_name="k", algorithm=algorithm, **more)


for name, length in [("aes128", 16), ("aes192", 24), ("aes256", 32), ("tripledes", 24), ("tripledes", 16),
                     ("camellia128", 16), ("camellia192", 24), ("camellia256", 32)]:
    stem = f"{name}-{length}" if name == "tripledes" else name
    write(f"{stem}-cbc", preshared(f"{name}-cbc", length))
    write(f"kw-{stem}", preshared(f"kw-{name}", length))
for bits in [1, 224, 256, 384, 512]:
    write(f"hmac-sha{bits}", preshared("aes128-cbc", 16), mac=f"hmac-sha{bits}")
write("all-fields", preshared("aes128-cbc", 16, fields=["secret", "counter"]))
for bits in [None, 1, 256, 384, 512]:
    prf = f"hmac-sha{bits}" if bits else None
    write(f"pbkdf2-{prf or 'default'}", lambda e: e.setup_pbkdf2(
        PASSWORD, key_name="a password", algorithm="aes128-cbc", iterations=50, salt=bytes(range(16)), prf=prf))
write("pbkdf2-aes256-cbc", lambda e: e.setup_pbkdf2(
    PASSWORD, key_name="a password", algorithm="aes256-cbc", iterations=50, salt=bytes(range(16))))


def template(name, algorithm, cipher_value, key_info, parameters=""):
    with open(f"{name}.xml", "w") as f:
        f.write(f"""<KeyContainer xmlns="urn:ietf:params:xml:ns:keyprov:pskc" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"
    xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" xmlns:xenc11="http://www.w3.org/2009/xmlenc11#" Version="1.0">
  <EncryptionKey>{key_info}</EncryptionKey>
  <KeyPackage><Key Id="1" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp"><Data><Secret><EncryptedValue>
    <xenc:EncryptionMethod Algorithm="{algorithm}">{parameters}</xenc:EncryptionMethod>
    <xenc:CipherData><xenc:CipherValue>{base64.b64encode(cipher_value).decode()}</xenc:CipherValue></xenc:CipherData>
  </EncryptedValue></Secret><Counter><PlainValue>{COUNTER}</PlainValue></Counter></Data></Key></KeyPackage>
</KeyContainer>
""")


for bits in (128, 192, 256):
    wrapped = aes_key_wrap_with_padding(bytes(range(bits // 8)), SECRET[:21])
    template(f"kw-aes-{bits}-pad", f"http://www.w3.org/2009/xmlenc11#kw-aes-{bits}-pad", wrapped, "<ds:KeyName>k</ds:KeyName>")

with open("../signature/rsa.pem") as f:
    certificate = "".join(line.strip() for line in f if not line.startswith("-"))
recipient = f"<ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data>"
XENC, XENC11 = "http://www.w3.org/2001/04/xmlenc#", "http://www.w3.org/2009/xmlenc11#"
SHA256 = f'<ds:DigestMethod Algorithm="{XENC}sha256"/>'
MGF256 = f'<xenc11:MGF Algorithm="{XENC11}mgf1sha256"/>'
for name, algorithm, parameters, options in [
    ("rsa-1_5", f"{XENC}rsa-1_5", "", ["pkcs1"]),
    ("rsa_1_5", f"{XENC}rsa_1_5", "", ["pkcs1"]),
    ("rsa-oaep-mgf1p", f"{XENC}rsa-oaep-mgf1p", "", ["oaep"]),
    ("rsa-oaep", f"{XENC11}rsa-oaep", "", ["oaep"]),
    ("rsa-oaep-sha256", f"{XENC11}rsa-oaep", SHA256 + MGF256, ["oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256"]),
    # A mixture that we refuse.
    ("rsa-oaep-mixed", f"{XENC11}rsa-oaep", SHA256, ["oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha1"]),
]:
    command = ["openssl", "pkeyutl", "-encrypt", "-certin", "-inkey", "../signature/rsa.pem"]
    for option in [f"rsa_padding_mode:{options[0]}", *options[1:]]:
        command += ["-pkeyopt", option]
    sealed = subprocess.run(command, input=SECRET, capture_output=True, check=True).stdout
    template(name, algorithm, sealed, recipient, parameters)
