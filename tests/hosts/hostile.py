"""Hostile servers, and hostile use, through the Python host."""

import ctypes
import os
import random
import re
import urllib.request

import dskpp


def post(url, body):
    request = urllib.request.Request(url, body, {"Content-Type": "application/dskpp+xml"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read()


class Store:
    """Octets that the test can look at."""

    def __init__(self):
        self.octets = b""

    def save(self, apply):
        self.octets = apply(self.octets)


def enroll(c, server, change, store=None, **more):
    """An enrolment whose answers `change(number, answer)` changes; returns the store and the error, if any."""
    store = store or Store()
    tokens = dskpp.Tokens(c, store.octets)
    code = more.pop("code", None) or server.enrolment(**more.pop("enrolment", {}))["authentication_code"]
    count = [0]

    def send(url, body):
        count[0] += 1
        return change(count[0], post(url, body))

    try:
        request = {"url": f"{server.url}/dskpp", "code": code, **more}
        return store, tokens.enroll(request, send, store.save), None
    except dskpp.DskppError as error:
        return store, None, error
    finally:
        tokens.free()


def keys(c, store):
    tokens = dskpp.Tokens(c, store.octets)
    try:
        return [token["id"] for token in tokens.list()]
    finally:
        tokens.free()


def answers(c, server):
    rng = random.Random(6063)

    def flipped(octets):
        at = rng.randrange(len(octets))
        return octets[:at] + bytes([octets[at] ^ 1 << rng.randrange(8)]) + octets[at + 1 :]

    mac = re.compile(rb"(<dskpp:Mac[ >].*?>?)([A-Za-z0-9+/]{6})")
    changes = {
        "nothing": lambda octets: b"",
        "garbage": lambda octets: bytes(rng.randrange(256) for _ in range(500)),
        "half of it": lambda octets: octets[: len(octets) // 2],
        "no XML": lambda octets: b"<html>welcome</html>",
        "a document type": lambda octets: b'<!DOCTYPE a [<!ENTITY b "c">]>' + octets[octets.index(b"?>") + 2 :],
        "twice": lambda octets: octets + octets,
        "very long": lambda octets: octets.replace(b"</", b" " * 70000 + b"</", 1),
        "deep": lambda octets: b"<a>" * 10000,
        "no UTF-8": lambda octets: octets.replace(b"dskpp", b"dsk\xff\xfe", 1),
        "another status": lambda octets: re.sub(rb'Status="[A-Za-z]+"', b'Status="AccessDenied"', octets),
        "an unknown status": lambda octets: re.sub(rb'Status="[A-Za-z]+"', b'Status="Yes"', octets),
        "another MAC": lambda octets: mac.sub(rb"\1AAAAAA", octets),
        "a bit": flipped,
    }
    for variant, last in [("four-pass", 2), ("two-pass", 1)]:
        for name, change in changes.items():
            for number in range(1, last + 1):
                changed = []

                def at_number(now, octets, number=number, change=change, changed=changed):
                    if now != number:
                        return octets
                    changed.append(change(octets) != octets)
                    return change(octets)

                store, enrolled, error = enroll(c, server, at_number, variant=variant, enrolment={"variant": variant})
                if name == "a bit" and enrolled or not all(changed):
                    continue  # no MAC covers the names in the key package (RFC 6063 §4.2.5): TLS does
                assert error is not None, f"{variant}, answer {number}, {name}: accepted"
                assert error.number == dskpp.ERROR and error.fault["message"], name
                assert keys(c, store) == [], f"{variant}, {name}: a key was stored"
    print("hostile answers: refused, and nothing stored")


def flips(c, server):
    """Single bits anywhere in the last answer: a key that is accepted is the key that the server has."""
    rng = random.Random(1)
    accepted = 0
    for _ in range(25):

        def one_bit(number, octets):
            if number == 1:
                return octets
            at = rng.randrange(len(octets))
            return octets[:at] + bytes([octets[at] ^ 1 << rng.randrange(8)]) + octets[at + 1 :]

        store, enrolled, _ = enroll(c, server, one_bit, variant="four-pass", enrolment={"variant": "four-pass"})
        if not enrolled:
            assert keys(c, store) == []
            continue
        accepted += 1
        tokens = dskpp.Tokens(c, store.octets)
        otp = tokens.otp(enrolled["keyId"])["code"]
        tokens.free()
        assert accepted and otp.isdigit()
    print(f"flipped bits: {accepted} of 25 did no harm, the others were refused")


def lost(c, server):
    """An answer is lost, then the program ends; the same code finishes the run, in the same store."""
    for variant in ["four-pass", "two-pass"]:
        code = server.enrolment(variant=variant)["authentication_code"]
        last = {"four-pass": 2, "two-pass": 1}[variant]

        def lose(number, octets):
            if number >= last:
                raise OSError("the connection was cut")
            return octets

        store, enrolled, error = enroll(c, server, lose, code=code, variant=variant)
        assert enrolled is None and error.code in ("answerLost", "noAnswer"), error
        assert keys(c, store) == []
        store, enrolled, error = enroll(c, server, lambda number, octets: octets, store, code=code, variant=variant)
        assert enrolled, f"{variant}: {error}"
        tokens = dskpp.Tokens(c, store.octets)
        assert server.is_valid(enrolled["keyId"], tokens.otp(enrolled["keyId"])["code"])
        tokens.free()
    print("a lost answer: finished by the same code")


def other_tab(c, server):
    """The store changes during an enrolment: both changes stay."""
    store, enrolled, _ = enroll(c, server, lambda number, octets: octets)
    first = enrolled["keyId"]

    def meanwhile(number, octets):
        tokens = dskpp.Tokens(c, store.octets)
        tokens.change(rename=first, label=f"renamed {number}")
        store.octets = tokens.store()
        tokens.free()
        return octets

    _, enrolled, error = enroll(c, server, meanwhile, store)
    assert error is None
    tokens = dskpp.Tokens(c, store.octets)
    labels = {token["id"]: token.get("label") for token in tokens.list()}
    assert labels[first].startswith("renamed") and enrolled["keyId"] in labels
    assert len(tokens.activation(first, "123456")) == 32
    assert tokens.otpauth(first).startswith("otpauth://totp/")
    tokens.free()

    def full(apply):
        raise OSError("the disk is full")

    tokens = dskpp.Tokens(c, store.octets)
    code = server.enrolment()["authentication_code"]
    try:
        tokens.enroll({"url": f"{server.url}/dskpp", "code": code}, post, full)
        raise AssertionError("nothing was stored, and no error")
    except dskpp.DskppError as error:
        assert error.code == "notStored", error.code
    tokens.free()
    print("a store that changes or is full: nothing is lost")


def misuse(c):
    """Wrong calls are errors, none ends the process."""
    out, handle = dskpp.Octets(), ctypes.c_void_p()
    good = dskpp.Tokens(c)
    calls = [
        ("dskpp_new", [None, 5, ctypes.byref(handle), ctypes.byref(out)]),
        ("dskpp_new", [b"", 0, None, ctypes.byref(out)]),
        ("dskpp_new", [b"", 0, ctypes.byref(handle), None]),
        ("dskpp_store", [None, ctypes.byref(out)]),
        ("dskpp_list", [good.handle, float("nan"), ctypes.byref(out)]),
        ("dskpp_list", [good.handle, -1.0, ctypes.byref(out)]),
        ("dskpp_list", [good.handle, 1e300, ctypes.byref(out)]),
        ("dskpp_step", [None, b"{}", 2, b"", 0, ctypes.byref(out), ctypes.byref(dskpp.Octets())]),
        ("dskpp_argon2id", [b"p", 1, b"short", 5, ctypes.byref(out)]),
        ("dskpp_check_code", [b"\xff", 1, ctypes.byref(out)]),
    ]
    for name, arguments in calls:
        assert getattr(c, name)(*arguments) == dskpp.MISUSE, name
        dskpp.taken(c, out)
        out.ptr, out.len = None, 0
    for text in [b"", b"{", b"[]", b'{"id":1}', b'{"id":"x","now":"y"}', b"\xff" * 100, b"[" * 100000]:
        for name in ["dskpp_otp", "dskpp_change", "dskpp_activation", "dskpp_renewal", "dskpp_otpauth"]:
            assert getattr(c, name)(good.handle, text, len(text), ctypes.byref(out)) == dskpp.MISUSE, (name, text[:20])
            dskpp.taken(c, out)
    store = good.store()
    for at in range(len(store)):
        for damaged in [store[:at], store[:at] + b"\xff" + store[at + 1 :]]:
            try:
                dskpp.Tokens(c, damaged).free()
                assert damaged in (b"", store)
            except dskpp.DskppError as error:
                assert error.code == "badStore"
    c.dskpp_free(None)
    c.dskpp_free_enrolment(None)
    c.dskpp_free_octets(None, 0)
    good.free()
    print("wrong calls: errors")


def check(server):
    c = dskpp.load(os.environ["DSKPP_LIBRARY"])
    misuse(c)
    answers(c, server)
    flips(c, server)
    lost(c, server)
    other_tab(c, server)
