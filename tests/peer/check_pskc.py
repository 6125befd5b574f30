#!/usr/bin/env python3
"""Key files written by `dskpp pskc` read by other tools, and theirs by `dskpp pskc`.

usage: check_pskc.py PATH_TO_DSKPP        Exit code 0 when nothing disagrees.

Needs python-pskc, pskctool, xmlsec1 and openssl; what is missing is skipped with a word, unless
DSKPP_PEER_CHECKS=required.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")
REQUIRED = os.environ.get("DSKPP_PEER_CHECKS") == "required"
DSKPP = os.path.abspath(sys.argv[1])
HOTP, TOTP = "urn:ietf:params:xml:ns:keyprov:pskc:hotp", "urn:ietf:params:xml:ns:keyprov:pskc:totp"
failed = 0

# Every kind of value that the tools have in common.
KEYS = [
    {"id": "hotp-1", "algorithm": HOTP, "secret_hex": "3132333435363738393031323334353637383930", "counter": 42,
     "response_encoding": "DECIMAL", "response_length": 6, "manufacturer": "Firma Ä", "serial": "1", "issuer": "I & Co"},
    {"id": "totp-1", "algorithm": TOTP, "algorithm_suite": "HMAC-SHA256", "secret_hex": "00" * 31 + "ff",
     "time_offset": 0, "time_interval": 60, "time_drift": 4, "response_encoding": "DECIMAL", "response_length": 8,
     "friendly_name": "Mein Schlüssel", "model": "M", "issue_no": "2", "key_userid": "CN=alice",
     "policy": {"start_date": "2026-01-01T00:00:00Z", "expiry_date": "2036-01-01T00:00:00Z", "key_usage": ["OTP"],
                "number_of_transactions": 1000}},
    {"id": "aes-1", "algorithm": "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
     "secret_hex": "000102030405060708090a0b0c0d0e0f"},
] + [{"id": f"odd-{n}", "algorithm": HOTP, "secret_hex": "ab" * n, "counter": 0} for n in (1, 7, 33, 64)]


def check(name, right, detail=""):
    global failed
    failed += not right
    print(f"{'ok  ' if right else 'FAIL'} {name}{'' if right else ': ' + str(detail)}")


def skip(what):
    check(f"{what} is installed", not REQUIRED, "it is needed here") if REQUIRED else print(f"skip {what} is not installed")


def run(*args, stdin=None):
    return subprocess.run(args, capture_output=True, text=True, input=stdin, timeout=120)


def dskpp(*args):
    done = run(DSKPP, "pskc", *args)
    if done.returncode != 0:
        check(" ".join(args), False, done.stderr.strip())
    return done


def inspect(path, *args):
    for lenient in ((), ("--lenient",)):
        done = run(DSKPP, "pskc", "inspect", path, "--json", "--show-secrets", *args, *lenient)
        if done.returncode == 0:
            return json.loads(done.stdout)["keys"]
    check(f"inspect {path}", False, done.stderr.strip())
    return []


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


def protections(folder):
    """Name, arguments to write, arguments to read, and what python-pskc needs to open it."""
    yield "plain", [], [], {}
    for size in (16, 24, 32):
        key = bytes(range(size))
        path = write(f"{folder}/key{size}", key.hex())
        for cipher in ("cbc", "wrap"):
            yield (f"{cipher}-{8 * size}", ["--to-key-file", path, "--cipher", cipher], ["--key-file", path], {"key": key})
    path = write(f"{folder}/password", "qwerty\n")
    for name, more in (("password", []), ("password of old", ["--for-old-readers"])):
        yield name, ["--to-password-file", path, *more], ["--password-file", path], {"password": "qwerty"}


def theirs(container):
    """What python-pskc found, with the names of `inspect`."""
    names = {"id": "id", "algorithm": "algorithm", "counter": "counter", "issuer": "issuer", "serial": "serial",
             "manufacturer": "manufacturer", "model": "model", "issue_no": "issue_no", "time_interval": "time_interval",
             "time_drift": "time_drift", "algorithm_suite": "algorithm_suite", "friendly_name": "friendly_name",
             "response_length": "response_length", "response_encoding": "response_encoding", "key_userid": "key_userid"}
    keys = []
    for key in container.keys:
        found = {ours: getattr(key, name) for name, ours in names.items() if getattr(key, name, None) is not None}
        found["secret_hex"] = key.secret.hex()
        if key.policy.key_usage:
            found["policy"] = {"key_usage": list(key.policy.key_usage),
                               "number_of_transactions": key.policy.number_of_transactions,
                               "start_date": key.policy.start_date.strftime("%Y-%m-%dT%H:%M:%SZ"),
                               "expiry_date": key.policy.expiry_date.strftime("%Y-%m-%dT%H:%M:%SZ")}
        keys.append(found)
    return keys


def without(keys, *names):
    return [{name: value for name, value in key.items() if name not in names} for key in keys]


def ours_read_by_python_pskc(folder, source):
    import pskc
    for name, to, by, unlock in protections(folder):
        path = f"{folder}/ours-{name}.xml"
        dskpp("convert", source, "--from", "json", "-o", path, *to)
        check(f"{name}: we read our own", inspect(path, *by) == KEYS)
        container = pskc.PSKC(path)
        if "key" in unlock:
            container.encryption.key = unlock["key"]
        if "password" in unlock:
            container.encryption.derive_key(unlock["password"])
        # python-pskc gives no value where a time begins in 1970.
        found, expected = theirs(container), without(KEYS, "time_offset")
        check(f"{name}: python-pskc reads ours", found == expected, (found, expected))


def ours_read_by_pskctool(folder):
    if not shutil.which("pskctool"):
        return skip("pskctool")
    done = run("pskctool", "--info", "--verbose", f"{folder}/ours-plain.xml")
    check("pskctool reads ours", done.returncode == 0, done.stderr)
    for key in KEYS:
        secret = bytes.fromhex(key["secret_hex"])
        there = key["id"] in done.stdout and base64.b64encode(secret).decode() in done.stdout
        check(f"pskctool finds {key['id']} and its secret", there, done.stdout)
    print("skip pskctool reads no encrypted key files")


def theirs_read_by_us(folder):
    import pskc
    from pskc.encryption import algorithm_key_lengths as known
    key_bytes = bytes(range(32))
    for algorithm in ("aes128-cbc", "aes192-cbc", "aes256-cbc", "kw-aes128", "kw-aes192", "kw-aes256", "tripledes-cbc",
                      "kw-tripledes", "camellia128-cbc", "camellia256-cbc", "kw-camellia128", "kw-camellia256", "pbkdf2", ""):
        container = pskc.PSKC()
        secrets = []
        # A key wrap is not for secrets of 8 octets (RFC 3394 section 2.2.1), for which python-pskc has a form of its own.
        lengths = {"kw-tripledes": (16, 24)}.get(algorithm, (16, 20, 64) if algorithm.startswith("kw-") else (8, 16, 20, 64))
        for n in lengths:
            secret = bytes((7 * i + n) % 256 for i in range(n))
            container.add_key(id=f"k{n}", serial=f"s{n}", secret=secret, algorithm=HOTP, counter=n, response_length=6)
            secrets.append((f"k{n}", secret.hex(), n))
        by = []
        if algorithm == "pbkdf2":
            container.encryption.setup_pbkdf2("qwerty", iterations=1000)
            by = ["--password-file", f"{folder}/password"]
        elif algorithm:
            length = known(pskc.algorithms.normalise_algorithm(algorithm) if hasattr(pskc, "algorithms") else algorithm)[-1]
            key = key_bytes[:length]
            container.encryption.setup_preshared_key(key=key, key_name="K", algorithm=algorithm)
            by = ["--key-hex", key.hex()]
        path = f"{folder}/theirs-{algorithm or 'plain'}.xml"
        container.write(path)
        found = [(key.get("id"), key.get("secret_hex"), key.get("counter")) for key in inspect(path, *by)]
        check(f"{algorithm or 'plain'}: we read python-pskc's", found == secrets, (found, secrets))


def signatures(folder):
    if not shutil.which("xmlsec1") or not shutil.which("openssl"):
        return skip("xmlsec1 or openssl")
    for kind, options in (("rsa", ["rsa:2048"]), ("p256", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])):
        key, certificate = f"{folder}/{kind}.key", f"{folder}/{kind}.pem"
        made = run("openssl", "req", "-x509", "-nodes", "-subj", "/CN=signer", "-days", "30", "-keyout", key, "-out",
                   certificate, "-newkey", *options)
        check(f"{kind}: a key was made", made.returncode == 0, made.stderr)
        ours = f"{folder}/signed-{kind}.xml"
        dskpp("sign", f"{folder}/ours-cbc-128.xml", "--key", key, "--certificate", certificate, "-o", ours)
        xmlsec = ("xmlsec1", "--verify", "--id-attr:Id", "KeyContainer", "--trusted-pem", certificate)
        check(f"{kind}: xmlsec1 verifies ours", run(*xmlsec, ours).returncode == 0)
        with open(ours) as f:
            text = f.read()
        changed = write(f"{folder}/changed-{kind}.xml", text.replace("hotp-1", "hotp-2"))
        check(f"{kind}: xmlsec1 refuses ours when changed", run(*xmlsec, changed).returncode != 0)
        verify = (DSKPP, "pskc", "verify", "--ca", certificate)
        check(f"{kind}: we refuse ours when changed", run(*verify, changed).returncode == 1)
        # The same template, signed by xmlsec1.
        begin, end = text.index("<ds:SignatureValue>"), text.index("</ds:SignatureValue>")
        template = text[:begin] + "<ds:SignatureValue>" + text[end:]
        begin, end = template.index("<ds:DigestValue>"), template.index("</ds:DigestValue>")
        template = write(f"{folder}/template-{kind}.xml", template[:begin] + "<ds:DigestValue>" + template[end:])
        signed = f"{folder}/xmlsec-{kind}.xml"
        done = run("xmlsec1", "--sign", "--id-attr:Id", "KeyContainer", "--privkey-pem", f"{key},{certificate}", "--output",
                   signed, template)
        check(f"{kind}: xmlsec1 signs", done.returncode == 0, done.stderr)
        done = run(*verify, signed)
        check(f"{kind}: we verify xmlsec1's", done.returncode == 0, done.stderr)
        with open(signed) as f:
            changed = write(f"{folder}/xmlsec-changed-{kind}.xml", f.read().replace("hotp-1", "hotp-2"))
        check(f"{kind}: we refuse xmlsec1's when changed", run(*verify, changed).returncode == 1)


def main():
    with tempfile.TemporaryDirectory() as folder:
        source = write(f"{folder}/keys.json", json.dumps({"keys": KEYS}))
        write(f"{folder}/password", "qwerty\n")
        try:
            import pskc  # noqa: F401
        except ImportError:
            skip("python-pskc")
            dskpp("convert", source, "--from", "json", "-o", f"{folder}/ours-plain.xml")
            write(f"{folder}/key16", bytes(range(16)).hex())
            dskpp("convert", source, "--from", "json", "-o", f"{folder}/ours-cbc-128.xml", "--to-key-file", f"{folder}/key16")
        else:
            ours_read_by_python_pskc(folder, source)
            theirs_read_by_us(folder)
        ours_read_by_pskctool(folder)
        signatures(folder)
    print(f"{failed} disagreements")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
