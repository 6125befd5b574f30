#!/usr/bin/env python3
"""Serves `dskpp enroll` from the independent peer: whole runs, and a server that lies in every way it can.

usage: check_client.py PATH_TO_DSKPP        Exit code 0 when every case behaves as RFC 6063 and the profile say.
"""

import base64
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading

import dskpp_peer as peer

CODE = "108AC00000A20A3582AF0C3E304EA4C"
CLIENT_ID, PASSWORD = "AC00000A", "3582AF0C3E"
HERE = os.path.dirname(os.path.abspath(__file__))


def test_key():
    """n and d of the published test key, out of its PKCS #8 DER."""
    with open(f"{HERE}/../../crates/dskpp/tests/vectors/dskpp/four_pass_rsa.json") as f:
        pem = json.load(f)["cases"][0]["server_private_key"]
    der = base64.b64decode("".join(line for line in pem.splitlines() if "-----" not in line))
    numbers, i = [], 0
    while i < len(der) and len(numbers) < 5:
        tag, length, i = der[i], der[i + 1], i + 2
        if length & 0x80:
            octets = length & 0x7F
            length, i = int.from_bytes(der[i:i + octets], "big"), i + octets
        if tag == 0x02:
            numbers.append(int.from_bytes(der[i:i + length], "big"))
            i += length
        elif tag not in (0x30, 0x04):  # into sequences and the octet string, past all else
            i += length
    _, _, n, _, d = numbers
    return n, d


N, D = test_key()
K = N.to_bytes((N.bit_length() + 7) // 8, "big")


def server_hello(status="Continue", session='SessionID="s-1"', key_type=peer.HOTP, encryption=peer.RSA_1_5,
                 mac=peer.PRF_SHA256, r_s=bytes(range(32)), package=peer.PSKC_PACKAGE, version="1.0", extra=""):
    body = (f"<dskpp:KeyType>{key_type}</dskpp:KeyType><dskpp:EncryptionAlgorithm>{encryption}</dskpp:EncryptionAlgorithm>"
            f"<dskpp:MacAlgorithm>{mac}</dskpp:MacAlgorithm><dskpp:EncryptionKey><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>"
            f"{peer.b64(K)}</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue></dskpp:EncryptionKey>"
            f"<dskpp:KeyPackageFormat>{package}</dskpp:KeyPackageFormat><dskpp:Payload><dskpp:Nonce>{peer.b64(r_s)}"
            f"</dskpp:Nonce></dskpp:Payload><dskpp:Extensions>{peer.server_info(b'state of the server')}{extra}"
            f"</dskpp:Extensions>")
    return peer.document("KeyProvServerHello", f'Version="{version}" {session} Status="{status}"', body)


def server_finished(mac, status="Success", secret="", key_type=peer.HOTP, package=True):
    data = f"<pskc:Data>{secret}<pskc:Counter><pskc:PlainValue>0</pskc:PlainValue></pskc:Counter></pskc:Data>"
    container = ('<dskpp:KeyPackage><dskpp:ServerID>https://peer.example</dskpp:ServerID><dskpp:KeyContainer Version="1.0">'
                 f'<pskc:KeyPackage><pskc:Key Id="PEER-1" Algorithm="{key_type}"><pskc:AlgorithmParameters>'
                 '<pskc:ResponseFormat Length="6" Encoding="DECIMAL"/></pskc:AlgorithmParameters>'
                 f"{data}</pskc:Key></pskc:KeyPackage></dskpp:KeyContainer></dskpp:KeyPackage>")
    body = (container if package else "") + f'<dskpp:Mac MacAlgorithm="{peer.PRF_SHA256}">{peer.b64(mac)}</dskpp:Mac>'
    return peer.document("KeyProvServerFinished", f'Version="1.0" SessionID="s-1" Status="{status}"', body)


class Peer(http.server.BaseHTTPRequestHandler):
    """Answers as a DSKPP server would; `server.hello` and `server.finish` bend the two answers."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        request = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        server.requests.append((request, self.headers))
        EMITTED.append(request)
        if b"KeyProvClientHello" in request:
            answer = server.hello()
            server.messages = [request, answer if isinstance(answer, bytes) else b""]
        else:
            answer = server.finish(request)
        if answer is None:  # the answer is lost on the way
            self.close_connection = True
            return
        status, headers, body = answer if isinstance(answer, tuple) else (200, {}, answer)
        self.send_response(status)
        self.send_header("Content-Type", "application/dskpp+xml")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Trial:
    """One `dskpp enroll` against a peer that answers with the given functions."""

    def __init__(self, hello=server_hello, finish=None):
        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Peer)
        self.httpd.requests, self.httpd.hello = [], hello
        self.httpd.finish = finish or (lambda request: server_finished(self.mac(request)))
        self.url = f"http://127.0.0.1:{self.httpd.server_port}/dskpp"
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()

    def mac(self, request):
        nonce = peer.Message(request)
        r_c = peer.rsa_decrypt_1_5(N, D, peer.unb64(nonce.text("EncryptedNonce")))
        r_s = bytes(range(32))
        assert nonce.text("ClientID") == CLIENT_ID
        count = int(nonce.text("IterationCount"))
        expected = peer.ad_mac(PASSWORD, CLIENT_ID, self.url, r_c, r_s, K, count)
        assert peer.unb64(nonce.text("Mac")) == expected, "the client's AD is wrong"
        assert count >= 100000 and nonce.text("Nonce") is None
        assert nonce.extension("ServerInfoType") == b"state of the server" and nonce.session_id == "s-1"
        k_mac, self.k_token = peer.derive(r_c, K, r_s, 20)
        return peer.mac_1(k_mac, self.httpd.messages + [request])

    def enroll(self, code=CODE, key_type="hotp"):
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "DSKPP_STORE_PASSPHRASE": "correct horse"}
            store = ["--store", f"{folder}/tokens.db"]
            done = subprocess.run([BINARY, "enroll", self.url, "--code", code, *store, "--json"],
                                  capture_output=True, text=True, env=environment, timeout=60, stdin=subprocess.DEVNULL)
            self.error = done.stderr
            listed = subprocess.run([BINARY, "token", "export", "PEER-1", *store, "--json"], capture_output=True, text=True,
                                    env=environment, timeout=60, stdin=subprocess.DEVNULL)
            self.stored = json.loads(listed.stdout) if listed.returncode == 0 else None
            self.output = done.stdout
        self.httpd.shutdown()
        self.httpd.server_close()
        return done.returncode


CASES = []
EMITTED = []  # every request of the program under test


def case(f):
    CASES.append(f)
    return f


def fails(trial, *words):
    """The client ends with exit code 1, says why, and has stored nothing."""
    assert trial.enroll() == 1, (trial.output, trial.error)
    assert trial.stored is None, "a key was stored by a failed run"
    assert trial.error.strip() and "panicked" not in trial.error, trial.error
    for word in words:
        assert word.lower() in trial.error.lower(), (word, trial.error)


@case
def a_whole_run(_):
    trial = Trial()
    assert trial.enroll() == 0, trial.error
    assert json.loads(trial.output)["key_id"] == "PEER-1", trial.output
    assert trial.stored["secret_hex"] == trial.k_token.hex()
    for _, headers in trial.httpd.requests:
        assert headers["Content-Type"] == "application/dskpp+xml"
        assert "no-cache" in headers["Cache-Control"] and "no-store" in headers["Cache-Control"]
        assert headers["Pragma"] == "no-cache" and "application/dskpp+xml" in headers["Accept"]


@case
def s4_2_5_a_wrong_confirmation_mac_stores_nothing(_):
    fails(Trial(finish=lambda _: server_finished(bytes(32))))


@case
def s4_2_5_success_without_a_package_or_with_the_key_inside(_):
    trial = Trial()
    trial.httpd.finish = lambda request: server_finished(trial.mac(request), package=False)
    fails(trial)
    secret = f"<pskc:Secret><pskc:PlainValue>{peer.b64(bytes(20))}</pskc:PlainValue></pskc:Secret>"
    trial = Trial()
    trial.httpd.finish = lambda request: server_finished(trial.mac(request), secret=secret)
    fails(trial)


@case
def s4_2_3_what_was_not_offered_is_refused(_):
    for bent in ({"key_type": "urn:x"}, {"encryption": "urn:x"}, {"mac": "urn:x"}, {"package": "urn:x"},
                 {"r_s": bytes(8)}, {"r_s": bytes(65)}, {"version": "2.0"}, {"status": "Success"}, {"session": ""}):
        fails(Trial(hello=lambda bent=bent: server_hello(**bent)))


@case
def p18_another_key_type_in_the_package_is_refused(_):
    trial = Trial()
    trial.httpd.finish = lambda request: server_finished(trial.mac(request), key_type=peer.TOTP)
    fails(trial)


@case
def s3_3_every_failure_status_ends_the_run(_):
    for status in ("Abort", "AccessDenied", "MalformedRequest", "UnknownRequest", "UnknownCriticalExtension",
                   "AuthenticationDataMissing", "AuthenticationDataInvalid", "InitializationFailed",
                   "ProvisioningPeriodExpired", "NoSupportedKeyTypes"):
        body = peer.document("KeyProvServerHello", f'Version="1.0" Status="{status}"', "")
        fails(Trial(hello=lambda body=body: body), status)
        finished = peer.document("KeyProvServerFinished", f'Version="1.0" Status="{status}"', "")
        fails(Trial(finish=lambda _, finished=finished: finished), status)
    continued = peer.document("KeyProvServerFinished", 'Version="1.0" SessionID="s-1" Status="Continue"', "")
    fails(Trial(finish=lambda _: continued))


@case
def p24_p25_hostile_xml(_):
    good = server_hello()
    for hostile in (b"", b"<html/>", good[:-9], good.replace(b"?>", b"?><!DOCTYPE x [<!ENTITY a 'b'>]>", 1), good * 40,
                    good.replace(b'Status="Continue"', b'Status="continue"'),
                    server_hello(extra='<dskpp:Extension xmlns:x="urn:x" xsi:type="x:Odd" Critical="true"/>')):
        fails(Trial(hello=lambda hostile=hostile: hostile))


@case
def p30_redirections(_):
    target = Trial()
    for status, location in ((302, "https://127.0.0.1:1/dskpp"), (303, "https://127.0.0.1:1/dskpp"), (307, target.url)):
        fails(Trial(hello=lambda s=status, to=location: (s, {"Location": to}, b"")))
    assert not target.httpd.requests, "a redirection to http was followed"


@case
def s7_2_4_http_errors(_):
    for status in (400, 403, 404, 500, 503):
        fails(Trial(hello=lambda status=status: (status, {}, b"no")), str(status))


@case
def p28_a_lost_answer_is_asked_for_again(_):
    trial = Trial()
    lost = []

    def finish(request):
        if not lost:
            lost.append(request)
            return None
        assert request == lost[0], "the repeated ClientNonce differs"
        return server_finished(trial.mac(request))
    trial.httpd.finish = finish
    assert trial.enroll() == 0, trial.error
    assert trial.stored["secret_hex"] == trial.k_token.hex()


@case
def p11_a_mistyped_code_never_leaves_the_machine(_):
    for code in ("108AC00000A20A3582AF0C3E304EA4D", "108AC00000A20A3582AF0C3F304EA4C", "108AC00000A", "hello", ""):
        trial = Trial()
        assert trial.enroll(code=code) in (1, 2) and trial.error.strip(), code
        assert not trial.httpd.requests and trial.stored is None, code


@case
def s8_every_request_is_valid_by_the_schema(_):
    faults = peer.schema_faults(EMITTED)
    assert EMITTED and not faults, faults
    if faults is not None:
        print(f"        {len(set(EMITTED))} different requests were valid")


def main():
    global BINARY
    BINARY = os.path.abspath(sys.argv[1])
    failed = 0
    for test in CASES:
        try:
            test(None)
            print(f"ok      {test.__name__}")
        except Exception as error:  # a report of every case is worth more than the first failure
            failed += 1
            print(f"FAILED  {test.__name__}: {type(error).__name__}: {error}")
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
