"""A second, independent DSKPP (RFC 6063) four-pass peer, for tests only.

Written from the RFC and docs/profile.md, sharing no code with the Rust crates, on nothing but the Python
standard library: DSKPP-PRF-SHA256, RSA (v1.5 and OAEP) and the XOR encryption of K_SHARED. It is small, slow and
not meant to protect anything.
"""

import base64
import hashlib
import hmac
import os
import shutil
import struct
import subprocess
import tempfile
import xml.etree.ElementTree as ET

DSKPP = "urn:ietf:params:xml:ns:keyprov:dskpp"
PSKC = "urn:ietf:params:xml:ns:keyprov:pskc"
DS = "http://www.w3.org/2000/09/xmldsig#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
RSA_1_5 = "http://www.w3.org/2001/04/xmlenc#rsa-1_5"
RSA_OAEP = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
RSA_OAEP_11 = "http://www.w3.org/2009/xmlenc11#rsa-oaep"
PRF_SHA256 = f"{DSKPP}:prf-sha256"
PRF_AES = f"{DSKPP}:prf-aes-128"
PSKC_PACKAGE = f"{DSKPP}:pskc-key-container"
HOTP = f"{PSKC}:hotp"
TOTP = f"{PSKC}:totp"


def b64(octets):
    return base64.b64encode(octets).decode()


def unb64(text):
    return base64.b64decode("".join(text.split()))


# --- Appendix D.3, §3.4.1.2, §4.1.2 ---------------------------------------------------------------

def prf(k, s, length):
    out, i = b"", 0
    while len(out) < length:
        i += 1
        out += hmac.new(k, struct.pack(">I", i) + s, hashlib.sha256).digest()
    return out[:length]


def ad_mac(password, client_id, url_s, r_c, r_s, k, iterations):
    k_ac = hashlib.pbkdf2_hmac("sha1", password.encode(), r_c + k, iterations, 16)
    return prf(k_ac, client_id.encode() + url_s.encode() + r_c + r_s, 16)


def derive(r_c, k, r_s, key_len):
    """K_MAC and K_TOKEN of profile P4."""
    half = max(key_len, 32)
    k_prov = prf(r_c, b"Key generation" + k + r_s, 2 * half)
    return k_prov[:32], k_prov[half:half + key_len]


def mac_1(k_mac, messages):
    return prf(k_mac, b"MAC 1 computation" + hashlib.sha256(b"".join(messages)).digest(), 32)


def hotp(key, counter, digits=6):
    h = hmac.new(key, struct.pack(">Q", counter), hashlib.sha1).digest()
    o = h[-1] & 15
    return str((struct.unpack(">I", h[o:o + 4])[0] & 0x7FFFFFFF) % 10**digits).zfill(digits)


# --- RSA, textbook over Python integers -----------------------------------------------------------

def mgf1(seed, length):
    out = b""
    for i in range((length + 19) // 20):
        out += hashlib.sha1(seed + struct.pack(">I", i)).digest()
    return out[:length]


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def rsa_encrypt(algorithm, n, e, message):
    size = (n.bit_length() + 7) // 8
    if algorithm == RSA_1_5:
        padding = bytes(b or 1 for b in os.urandom(size - 3 - len(message)))
        em = b"\0\2" + padding + b"\0" + message
    else:
        label = hashlib.sha1(b"").digest()
        db = label + bytes(size - 2 * 20 - 2 - len(message)) + b"\1" + message
        seed = os.urandom(20)
        masked_db = xor(db, mgf1(seed, len(db)))
        em = b"\0" + xor(seed, mgf1(masked_db, 20)) + masked_db
    return pow(int.from_bytes(em, "big"), e, n).to_bytes(size, "big")


def rsa_decrypt_1_5(n, d, ciphertext):
    size = (n.bit_length() + 7) // 8
    em = pow(int.from_bytes(ciphertext, "big"), d, n).to_bytes(size, "big")
    if em[:2] != b"\0\2" or 0 not in em[10:]:
        raise ValueError("padding")
    return em[em.index(0, 2) + 1:]


# --- messages -------------------------------------------------------------------------------------

def document(name, attributes, body):
    spaces = f'xmlns:dskpp="{DSKPP}" xmlns:pskc="{PSKC}" xmlns:ds="{DS}" xmlns:xsi="{XSI}"'
    return f'<?xml version="1.0" encoding="UTF-8"?><dskpp:{name} {spaces} {attributes}>{body}</dskpp:{name}>'.encode()


def listed(outer, inner, values):
    return f"<dskpp:{outer}>" + "".join(f"<dskpp:{inner}>{v}</dskpp:{inner}>" for v in values) + f"</dskpp:{outer}>"


def device_xml(device):
    maker, serial = device
    return (f"<dskpp:DeviceIdentifierData><dskpp:DeviceId><pskc:Manufacturer>{maker}</pskc:Manufacturer>"
            f"<pskc:SerialNo>{serial}</pskc:SerialNo></dskpp:DeviceId></dskpp:DeviceIdentifierData>")


def client_hello(key_types=(HOTP, TOTP), encryption=(RSA_1_5,), macs=(PRF_SHA256,), version="1.0", device=None,
                 key_id=None, variants="<dskpp:SupportedProtocolVariants><dskpp:FourPass/></dskpp:SupportedProtocolVariants>",
                 packages=(PSKC_PACKAGE,), authentication="", extensions=""):
    body = device_xml(device) if device else ""
    if key_id is not None:
        body += f"<dskpp:KeyID>{b64(key_id.encode())}</dskpp:KeyID>"
    body += listed("SupportedKeyTypes", "Algorithm", key_types)
    body += listed("SupportedEncryptionAlgorithms", "Algorithm", encryption)
    body += listed("SupportedMacAlgorithms", "Algorithm", macs)
    body += variants
    if packages:
        body += listed("SupportedKeyPackages", "KeyPackageFormat", packages)
    return document("KeyProvClientHello", f'Version="{version}"', body + authentication + extensions)


def client_info(data, critical=None):
    flag = "" if critical is None else f' Critical="{critical}"'
    return f'<dskpp:Extension xsi:type="dskpp:ClientInfoType"{flag}><dskpp:Data>{b64(data)}</dskpp:Data></dskpp:Extension>'


def server_info(data):
    return f'<dskpp:Extension xsi:type="dskpp:ServerInfoType"><dskpp:Data>{b64(data)}</dskpp:Data></dskpp:Extension>'


def authentication_data(client_id, mac, iterations=100000, nonce=None, algorithm=PRF_SHA256):
    inner = f"<dskpp:Nonce>{b64(nonce)}</dskpp:Nonce>" if nonce else ""
    if iterations is not None:
        inner += f"<dskpp:IterationCount>{iterations}</dskpp:IterationCount>"
    named = f' MacAlgorithm="{algorithm}"' if algorithm else ""
    return (f"<dskpp:AuthenticationData><dskpp:ClientID>{client_id}</dskpp:ClientID><dskpp:AuthenticationCodeMac>{inner}"
            f"<dskpp:Mac{named}>{b64(mac)}</dskpp:Mac></dskpp:AuthenticationCodeMac></dskpp:AuthenticationData>")


def client_nonce(session_id, encrypted, authentication, info, extra=""):
    carried = (server_info(info) if info is not None else "") + extra
    extensions = f"<dskpp:Extensions>{carried}</dskpp:Extensions>" if carried else ""
    body = f"<dskpp:EncryptedNonce>{b64(encrypted)}</dskpp:EncryptedNonce>" + authentication + extensions
    return document("KeyProvClientNonce", f'Version="1.0" SessionID="{session_id}"', body)


class Message:
    """A parsed response: status, session and whatever is asked for by element name."""

    def __init__(self, octets):
        self.octets = octets
        self.root = ET.fromstring(octets)
        self.name = self.root.tag.split("}")[1]
        self.status = self.root.get("Status")
        self.session_id = self.root.get("SessionID")
        self.version = self.root.get("Version")

    def text(self, name, ns=DSKPP):
        found = self.root.find(f".//{{{ns}}}{name}")
        return None if found is None else "".join((found.text or "").split())

    def extension(self, kind):
        for e in self.root.iter(f"{{{DSKPP}}}Extension"):
            if e.get(f"{{{XSI}}}type").split(":")[-1] == kind:
                return unb64(e.find(f"{{{DSKPP}}}Data").text)
        return None

    def key_id(self):
        found = self.root.find(f".//{{{PSKC}}}Key")
        return None if found is None else found.get("Id")


class Run:
    """One four-pass run from the client's side, open to every kind of misuse between its steps."""

    def __init__(self, post, url_s, client_id, password, shared=None, encryption=RSA_1_5):
        self.post, self.url_s, self.client_id, self.password = post, url_s, client_id, password
        self.shared, self.encryption = shared, encryption
        self.r_c = os.urandom(32)
        self.messages = []

    def hello(self, **options):
        request = client_hello(encryption=(self.encryption,), **options)
        status, answer = self.post(request)
        assert status == 200, status
        self.server_hello = Message(answer)
        self.messages = [request, answer]
        return self.server_hello

    def keys(self):
        hello = self.server_hello
        self.r_s = unb64(hello.text("Nonce"))
        if self.shared:
            self.k = self.shared
        else:
            self.n = int.from_bytes(unb64(hello.text("Modulus", DS)), "big")
            self.e = int.from_bytes(unb64(hello.text("Exponent", DS)), "big")
            self.k = self.n.to_bytes((self.n.bit_length() + 7) // 8, "big")

    def nonce(self, iterations=100000, real_iterations=None, mac=None, encrypted=None, url_s=None, ad=None, **misuse):
        """The ClientNonce of this run; arguments bend one thing each."""
        self.keys()
        if encrypted is None:
            if self.shared:
                encrypted = xor(self.r_c, prf(self.shared, b"Encryption" + self.r_s, len(self.r_c)))
            else:
                encrypted = rsa_encrypt(self.encryption, self.n, self.e, self.r_c)
        if mac is None:
            count = real_iterations or (100000 if iterations is None else iterations)
            mac = ad_mac(self.password, self.client_id, url_s or self.url_s, self.r_c, self.r_s, self.k, count)
        if ad is None:
            ad = authentication_data(self.client_id, mac, iterations, misuse.get("nonce"),
                                     misuse.get("algorithm", PRF_SHA256))
        return client_nonce(misuse.get("session_id", self.server_hello.session_id), encrypted, ad,
                            misuse.get("info", self.server_hello.extension("ServerInfoType")), misuse.get("extra", ""))

    def finish(self, request, key_len=20):
        """Sends a ClientNonce, checks the key confirmation, and returns the answer with K_TOKEN or None."""
        status, answer = self.post(request)
        assert status == 200, status
        finished = Message(answer)
        if finished.status != "Success":
            return finished, None
        self.k_mac, k_token = derive(self.r_c, self.k, self.r_s, key_len)
        expected = mac_1(self.k_mac, self.messages + [request])
        assert hmac.compare_digest(unb64(finished.text("Mac")), expected), "the server's MAC is wrong"
        return finished, k_token


# --- schema ---------------------------------------------------------------------------------------

def schema_faults(messages):
    """What xmllint says against the messages that the program under test emitted; None where it cannot be asked."""
    schema = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../shared/schema/dskpp.xsd")
    if not (os.path.exists(schema) and shutil.which("xmllint")):
        assert os.environ.get("DSKPP_SCHEMA_CHECKS") != "required", "xmllint and ../shared/schema are missing"
        return None
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for i, message in enumerate(sorted(set(messages))):
            names.append(f"{folder}/{i}.xml")
            with open(names[-1], "wb") as f:
                f.write(message)
        done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", schema, *names], capture_output=True, text=True)
    return [line for line in done.stderr.splitlines() if not line.endswith(" validates")]
