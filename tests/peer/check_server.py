#!/usr/bin/env python3
"""Runs `dskpp serve` and meets it with the independent peer: whole runs and hostile ones, over TLS.

usage: check_server.py PATH_TO_DSKPP        Exit code 0 when every case behaves as RFC 6063 and the profile say.
"""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

import dskpp_peer as peer

XML = "application/dskpp+xml"


class Server:
    """A `dskpp serve` of its own, with a data folder that goes with it."""

    def __init__(self, binary):
        self.data = tempfile.TemporaryDirectory()
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.process = subprocess.Popen(
            [binary, "serve", "--data-dir", self.data.name, "--listen", f"127.0.0.1:{self.port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.emitted = []
        self.url_s = f"https://localhost:{self.port}/dskpp"
        for _ in range(200):
            try:
                self.tls = ssl.create_default_context(cafile=f"{self.data.name}/tls/ca.pem")
                if self.request("GET", "/readyz")[0] == 200:
                    break
            except OSError:
                time.sleep(0.05)
        else:
            raise SystemExit("the server does not get ready")
        with open(f"{self.data.name}/admin-token") as f:
            self.token = f.read().strip()

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPSConnection("localhost", self.port, context=self.tls, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            self.headers = answer.headers
            return answer.status, answer.read()
        finally:
            connection.close()

    def post(self, body, content_type=XML):
        status, answer = self.request("POST", "/dskpp", body, {"Content-Type": content_type})
        if status == 200:
            self.emitted.append(answer)
        return status, answer

    def api(self, method, path, body=None, expect=(200, 201)):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        status, answer = self.request(method, "/api/v1" + path, None if body is None else json.dumps(body), headers)
        assert status in expect, (method, path, status, answer)
        return json.loads(answer) if answer else None

    def enrol(self, user, key_type="hotp", **fields):
        return self.api("POST", "/enrolments", {"user": user, "key_type": key_type, **fields})

    def state(self, enrolment):
        return self.api("GET", f"/enrolments/{enrolment['id']}")["state"]

    def keys(self, user):
        return self.api("GET", f"/keys?user={user}")["items"]

    def secret(self, key_id):
        return self.api("GET", f"/keys/{key_id}/secret")["secret_hex"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0, "SIGTERM did not end the server in order"
        self.data.cleanup()


CASES = []


def case(f):
    CASES.append(f)
    return f


def run_of(server, user, fields=None, **options):
    e = server.enrol(user, **(fields or {}))
    return e, peer.Run(server.post, server.url_s, e["client_id"], e["password"], **options)


def refused(answer, status):
    """A failure is KeyProvServerFinished with Version, Status and SessionID, and nothing else (profile P22)."""
    finished, k_token = answer
    assert k_token is None and finished.status == status, finished.status
    assert finished.name == "KeyProvServerFinished" and len(finished.root) == 0, finished.octets
    assert finished.version == "1.0"


@case
def four_pass_with_every_rsa_scheme(server):
    for i, scheme in enumerate((peer.RSA_1_5, peer.RSA_OAEP, peer.RSA_OAEP_11)):
        e, run = run_of(server, f"rsa{i}", encryption=scheme)
        assert run.hello().status == "Continue"
        finished, k_token = run.finish(run.nonce())
        assert finished.status == "Success", (scheme, finished.status)
        assert server.secret(finished.key_id()) == k_token.hex()
        assert server.state(e) in ("active", "provisioned")
        first = server.api("POST", "/validate", {"user": f"rsa{i}", "otp": peer.hotp(k_token, 0)})
        assert first["valid"] is True and first["key_id"] == finished.key_id(), first
        again = server.api("POST", "/validate", {"user": f"rsa{i}", "otp": peer.hotp(k_token, 0)})
        assert again["valid"] is False, "an OTP was good twice"


@case
def four_pass_with_a_shared_key(server):
    device = {"manufacturer": "Peer", "serial": "1"}
    shared = os.urandom(16)
    server.api("POST", "/devices", {**device, "key_name": "peer-1", "shared_key_hex": shared.hex()})
    e, run = run_of(server, "shared", {"device": device}, shared=shared, encryption=peer.PRF_SHA256)
    hello = run.hello(device=("Peer", "1"))
    assert hello.status == "Continue" and hello.text("KeyName", peer.DS) == "peer-1", hello.octets
    finished, k_token = run.finish(run.nonce())
    assert finished.status == "Success" and server.secret(finished.key_id()) == k_token.hex()


@case
def p12_iterations(server):
    for count, real in ((99999, None), (1, None), (0, 100000), (-1, 100000), (1000001, 100000), (2**31 - 1, 100000)):
        e, run = run_of(server, "iterations")
        run.hello()
        refused(run.finish(run.nonce(iterations=count, real_iterations=real)), "AuthenticationDataInvalid")
    e, run = run_of(server, "iterations")
    run.hello()
    assert run.finish(run.nonce(iterations=None))[0].status == "Success", "an absent count means 100000"


@case
def p12_nonce_in_client_nonce(server):
    e, run = run_of(server, "nonce-sent")
    run.hello()
    refused(run.finish(run.nonce(nonce=run.r_c)), "AuthenticationDataInvalid")
    assert server.state(e) == "open"


@case
def p12a_other_mac_algorithm(server):
    e, run = run_of(server, "other-mac")
    run.hello()
    refused(run.finish(run.nonce(algorithm=peer.PRF_AES)), "MalformedRequest")


@case
def p16_same_answer_for_unknown_wrong_and_spent(server):
    e, run = run_of(server, "wrong")
    run.hello()
    run.password = "0" * len(run.password)
    refused(run.finish(run.nonce()), "AuthenticationDataInvalid")
    assert server.state(e) == "open" and not server.keys("wrong")
    unknown = peer.Run(server.post, server.url_s, "FFFFFFFF", "00")
    unknown.hello()
    refused(unknown.finish(unknown.nonce()), "AuthenticationDataInvalid")
    right = peer.Run(server.post, server.url_s, e["client_id"], e["password"])
    right.hello()
    assert right.finish(right.nonce())[0].status == "Success"
    spent = peer.Run(server.post, server.url_s, e["client_id"], e["password"])
    spent.hello()
    refused(spent.finish(spent.nonce()), "AuthenticationDataInvalid")


@case
def p16_expired(server):
    e, run = run_of(server, "expired", {"expires_in_s": 1})
    e2, wrong = run_of(server, "expired", {"expires_in_s": 1})
    time.sleep(2.1)
    run.hello()
    refused(run.finish(run.nonce()), "ProvisioningPeriodExpired")
    wrong.password = "00"
    wrong.hello()
    refused(wrong.finish(wrong.nonce()), "AuthenticationDataInvalid")


@case
def p20_wrong_padding_is_a_wrong_mac(server):
    e, run = run_of(server, "padding")
    run.hello()
    run.keys()
    garbage = (int.from_bytes(os.urandom(255), "big") % run.n).to_bytes(len(run.k), "big")
    refused(run.finish(run.nonce(encrypted=garbage)), "AuthenticationDataInvalid")
    assert server.state(e) == "open"


@case
def p5_length_of_r_c(server):
    for length in (0, 15, 65):
        e, run = run_of(server, "short")
        run.hello()
        run.r_c = os.urandom(length)
        refused(run.finish(run.nonce()), "InitializationFailed")
        assert server.state(e) == "open"
    for length in (16, 64):
        e, run = run_of(server, "short")
        run.hello()
        run.r_c = os.urandom(length)
        finished, k_token = run.finish(run.nonce())
        assert finished.status == "Success" and server.secret(finished.key_id()) == k_token.hex()


@case
def p13_url_s(server):
    e, run = run_of(server, "url")
    run.hello()
    refused(run.finish(run.nonce(url_s=server.url_s + "/")), "AuthenticationDataInvalid")
    e, run = run_of(server, "url2")
    run.hello()
    assert run.finish(run.nonce(url_s=f"https://127.0.0.1:{server.port}/dskpp"))[0].status == "Success"


@case
def p28_retransmission(server):
    e, run = run_of(server, "again")
    run.hello()
    request = run.nonce()
    first, k_token = run.finish(request)
    assert first.status == "Success"
    assert server.post(request) == (200, first.octets), "an identical ClientNonce gets the identical answer"
    refused(run.finish(run.nonce()), "Abort")
    assert len(server.keys("again")) == 1


@case
def sessions_cannot_be_swapped_or_forged(server):
    (_, a), (e, b) = run_of(server, "swap-a"), run_of(server, "swap-b")
    a.hello()
    b.hello()
    info = a.server_hello.extension("ServerInfoType")
    for misuse in ({"info": info}, {"info": None}, {"info": b""}, {"info": b"\0" * 64},
                   {"info": bytes([info[0] ^ 1]) + info[1:]}, {"session_id": "none"},
                   {"session_id": a.server_hello.session_id}):
        b.messages = b.messages[:2]
        finished, k_token = b.finish(b.nonce(**misuse))
        assert k_token is None and finished.status not in ("Success", "Continue"), misuse
    assert server.state(e) == "open" and not server.keys("swap-b")


@case
def p17_p22_p23_negotiation(server):
    def ask(**options):
        status, answer = server.post(peer.client_hello(**options))
        assert status == 200
        return peer.Message(answer)
    two = ("<dskpp:SupportedProtocolVariants><dskpp:TwoPass><dskpp:SupportedKeyProtectionMethod>urn:x</dskpp:"
           "SupportedKeyProtectionMethod></dskpp:TwoPass></dskpp:SupportedProtocolVariants>")
    for expected, options in (
        ("UnsupportedVersion", {"version": "2.0"}),
        ("UnsupportedVersion", {"version": "0.9"}),
        ("NoSupportedKeyTypes", {"key_types": ("urn:example:none",)}),
        ("NoSupportedEncryptionAlgorithms", {"encryption": ("urn:example:none",)}),
        ("NoSupportedMacAlgorithms", {"macs": ("urn:example:none",)}),
        ("NoSupportedKeyPackages", {"packages": ("urn:example:none",)}),
        ("NoProtocolVariants", {"variants": "<dskpp:SupportedProtocolVariants/>"}),
        ("AccessDenied", {"device": ("Nobody", "0")}),
        ("UnknownCriticalExtension", {"extensions": '<dskpp:Extensions><dskpp:Extension xmlns:x="urn:x" '
                                      'xsi:type="x:Odd" Critical="true"/></dskpp:Extensions>'}),
    ):
        answer = ask(**options)
        assert answer.status == expected, (expected, answer.status)
        four_pass_offered = expected != "NoProtocolVariants"
        assert answer.name == ("KeyProvServerHello" if four_pass_offered else "KeyProvServerFinished"), answer.octets
        assert len(answer.root) == 0, answer.octets
    only_two = ask(variants=two)
    assert only_two.name == "KeyProvServerFinished" and only_two.status not in ("Success", "Continue"), only_two.octets
    assert ask(version="1.7").version == "1.0"
    assert ask(version="01.00").status == "Continue", "leading zeros are ignored"
    assert ask(variants="", packages=()).status == "Continue", "absent lists mean four-pass and PSKC"
    assert ask(key_types=("urn:x", peer.TOTP, peer.HOTP)).text("KeyType") == peer.TOTP, "the client's order decides"
    skipped = ask(extensions='<dskpp:Extensions><dskpp:Extension xmlns:x="urn:x" xsi:type="x:Odd"/></dskpp:Extensions>')
    assert skipped.status == "Continue"


@case
def s6_1_client_info_comes_back(server):
    e, run = run_of(server, "info")
    hello = run.hello(extensions=f"<dskpp:Extensions>{peer.client_info(b'first')}</dskpp:Extensions>")
    assert hello.extension("ClientInfoType") == b"first"
    finished, _ = run.finish(run.nonce(extra=peer.client_info(b"second")))
    assert finished.status == "Success" and finished.extension("ClientInfoType") == b"second"


@case
def s7_2_http(server):
    hello = peer.client_hello()
    assert server.request("GET", "/dskpp")[0] == 405
    assert server.request("PUT", "/dskpp", hello, {"Content-Type": XML})[0] == 405
    assert server.post(hello, "text/xml")[0] == 400
    assert server.post(hello, f"{XML}; charset=utf-8")[0] == 200
    for body in (b"", b"hello", b"<a/>", b'<KeyProvClientHello Version="1.0"/>', b"\xff\xfe" + "<a/>".encode("utf-16-le"),
                 peer.document("KeyProvServerHello", 'Version="1.0" Status="Continue"', "")):
        assert server.post(body)[0] == 400, body
    for bad in (peer.document("KeyProvClientHello", "", ""), peer.document("KeyProvClientHello", 'Version="1"', ""),
                hello.replace(b"</dskpp:SupportedKeyTypes>", b"</dskpp:SupportedKeyTypes><dskpp:Odd/>"), hello[:-5],
                peer.document("KeyProvClientNonce", 'Version="1.0" SessionID="x"', "")):
        status, answer = server.post(bad)
        assert status == 200 and peer.Message(answer).status == "MalformedRequest", (bad, status)
    server.post(hello)
    assert server.headers["Content-Type"].startswith(XML)
    assert "no-cache" in server.headers["Cache-Control"] and server.headers["Pragma"] == "no-cache"
    assert server.headers["ETag"] is None and server.headers["Last-Modified"] is None


@case
def p25_hostile_xml(server):
    hello = peer.client_hello()
    head, body = hello.split(b"?>", 1)
    deep = b"<dskpp:a>" * 40 + b"</dskpp:a>" * 40
    for hostile in (
        head + b'?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + body,
        head + b'?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + body,
        head + b"?><?php echo 1 ?>" + body,
        hello.replace(b"UTF-8", b"ISO-8859-1"),
        hello.replace(b"<dskpp:SupportedKeyTypes>", deep + b"<dskpp:SupportedKeyTypes>"),
        hello.replace(b"</dskpp:KeyProvClientHello>", b" " * 70000 + b"</dskpp:KeyProvClientHello>"),
        hello.replace(b"keyprov:pskc:hotp", b"keyprov:pskc:&hotp;"),
        hello + b"<a/>",
        hello.replace(b"hotp", b"\xff\xfe"),
    ):
        status, answer = server.post(hostile)
        assert status in (400, 413) or (status == 200 and peer.Message(answer).status == "MalformedRequest"), (
            status, hostile[:200])


@case
def admin_api_needs_its_token(server):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic " + server.token}):
        status, answer = server.request("GET", "/api/v1/keys", headers=headers)
        assert status == 401 and b"hex" not in answer, status
    server.api("POST", "/users", {"name": "twice"})
    server.api("POST", "/users", {"name": "twice"}, expect=(409,))


@case
def s8_a_trigger_and_every_answer_are_valid_by_the_schema(server):
    e = server.enrol("trigger")
    path = e["trigger_url"].split(str(server.port))[1]
    status, trigger = server.request("GET", path, headers={"Accept": XML})
    assert status == 200 and server.headers["Content-Type"].startswith(XML), status
    assert e["password"].encode() not in trigger
    faults = peer.schema_faults(server.emitted + [trigger])
    assert not faults, faults
    if faults is not None:
        print(f"        {len(set(server.emitted))} different answers and a trigger were valid")


@case
def wrong_codes_back_off(server):
    e, _ = run_of(server, "guess")
    seen = set()
    for _ in range(14):
        run = peer.Run(server.post, server.url_s, e["client_id"], "AA")
        run.hello()
        status, answer = server.post(run.nonce())
        seen.add(status)
        if status == 429:
            assert int(server.headers["Retry-After"]) >= 1
            break
        assert peer.Message(answer).status == "AuthenticationDataInvalid"
    assert seen == {200, 429}, "guessing was never slowed down"


def main():
    server = Server(os.path.abspath(sys.argv[1]))
    failed = 0
    for test in CASES:
        try:
            test(server)
            print(f"ok      {test.__name__}")
        except Exception as error:  # a report of every case is worth more than the first failure
            failed += 1
            print(f"FAILED  {test.__name__}: {type(error).__name__}: {error}")
    assert server.process.poll() is None, "the server died"
    server.stop()
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
