"""The C interface from Python, with ctypes, and a program over it.

    dskpp.py enroll STORE URL CODE VARIANT RENEW      VARIANT: four-pass, two-pass or -; RENEW: a key's id or -
    dskpp.py otp STORE ID

The library is DSKPP_LIBRARY. STORE is a file in the clear: only a test may do that.
"""

import ctypes
import json
import os
import pathlib
import secrets
import sys
import time
import urllib.request

OK, ERROR, MISUSE, BUG = range(4)


class Octets(ctypes.Structure):
    _fields_ = [("ptr", ctypes.POINTER(ctypes.c_uint8)), ("len", ctypes.c_size_t)]


class DskppError(Exception):
    def __init__(self, number, fault):
        super().__init__(fault["message"])
        self.number, self.code, self.fault = number, fault["code"], fault


def load(path=os.environ.get("DSKPP_LIBRARY")):
    c = ctypes.CDLL(path)
    handle, place, octets = ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(Octets)
    data = [ctypes.c_char_p, ctypes.c_size_t]
    signatures = {
        "dskpp_new": [*data, place, octets],
        "dskpp_store": [handle, octets],
        "dskpp_list": [handle, ctypes.c_double, octets],
        "dskpp_otp": [handle, *data, octets],
        "dskpp_change": [handle, *data, octets],
        "dskpp_activation": [handle, *data, octets],
        "dskpp_renewal": [handle, *data, octets],
        "dskpp_otpauth": [handle, *data, octets],
        "dskpp_enroll": [handle, *data, ctypes.c_char_p, place, octets],
        "dskpp_step": [handle, *data, *data, octets, octets],
        "dskpp_apply": [handle, *data, octets],
        "dskpp_check_code": [*data, octets],
        "dskpp_argon2id": [*data, *data, octets],
    }
    for name, arguments in signatures.items():
        getattr(c, name).argtypes = arguments
        getattr(c, name).restype = ctypes.c_int32
    for name in ["dskpp_free", "dskpp_free_enrolment"]:
        getattr(c, name).argtypes, getattr(c, name).restype = [handle], None
    c.dskpp_free_octets.argtypes, c.dskpp_free_octets.restype = [ctypes.POINTER(ctypes.c_uint8), ctypes.c_size_t], None
    return c


def taken(c, octets):
    """A copy of the library's octets, which are freed."""
    copy = ctypes.string_at(octets.ptr, octets.len) if octets.len else b""
    c.dskpp_free_octets(octets.ptr, octets.len)
    return copy


def call(c, name, *arguments, message=None):
    out = Octets()
    places = [message, out] if message is not None else [out]
    number = getattr(c, name)(*arguments, *[ctypes.byref(place) for place in places])
    answer = taken(c, out)
    if number != OK:
        raise DskppError(number, json.loads(answer))
    return answer


def data(value):
    octets = value if isinstance(value, bytes) else json.dumps(value).encode()
    return octets, len(octets)


class Tokens:
    def __init__(self, c, store=b""):
        self.c, self.handle = c, ctypes.c_void_p()
        call(c, "dskpp_new", *data(store), ctypes.byref(self.handle))

    def store(self):
        return call(self.c, "dskpp_store", self.handle)

    def list(self, now=None):
        return json.loads(call(self.c, "dskpp_list", self.handle, time.time() if now is None else now))

    def otp(self, id, **more):
        return json.loads(call(self.c, "dskpp_otp", self.handle, *data({"id": id, "now": time.time(), **more})))

    def change(self, **change):
        call(self.c, "dskpp_change", self.handle, *data(change))

    def activation(self, id, otp):
        return call(self.c, "dskpp_activation", self.handle, *data({"id": id, "otp": otp})).decode()

    def renewal(self, id, otp):
        return call(self.c, "dskpp_renewal", self.handle, *data({"id": id, "otp": otp})).decode()

    def otpauth(self, id):
        return call(self.c, "dskpp_otpauth", self.handle, *data({"id": id})).decode()

    def free(self):
        self.c.dskpp_free(self.handle)
        self.handle = ctypes.c_void_p()

    def enroll(self, request, send, save, ask=lambda change: False, seed=None):
        """`send(url, body)` returns octets or raises OSError, `save(apply)` stores what `apply(current)` returns."""
        c, run = self.c, ctypes.c_void_p()
        seed = secrets.token_bytes(32) if seed is None else seed
        call(c, "dskpp_enroll", self.handle, *data(request), seed, ctypes.byref(run))
        given, body = {"input": "begin"}, b""
        try:
            while True:
                message = Octets()
                try:
                    step = call(c, "dskpp_step", run, *data({**given, "now": time.time()}), *data(body), message=message)
                finally:
                    message = taken(c, message)
                step, body = json.loads(step), b""
                match step["step"]:
                    case "send":
                        try:
                            given, body = {"input": "answer"}, send(step["url"], message)
                        except OSError as why:
                            given = {"input": "lost", "why": str(why)}
                    case "ask":
                        given = {"input": "consent", "consent": ask(step["change"])}
                    case "store":
                        try:
                            save(lambda current: call(c, "dskpp_apply", run, *data(current)))
                            given = {"input": "stored"}
                        except OSError as why:
                            given = {"input": "notStored", "why": str(why)}
                    case "done":
                        return step["enrolled"]
        finally:
            c.dskpp_free_enrolment(run)


def post(url, body):
    request = urllib.request.Request(url, body, {"Content-Type": "application/dskpp+xml"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read()


def main(command, path, *arguments):
    path = pathlib.Path(path)
    stored = path.read_bytes() if path.exists() else b""
    tokens = Tokens(load(), stored)
    if command == "otp":
        otp = tokens.otp(arguments[0])
        path.write_bytes(tokens.store())
        print(otp["code"])
        return
    url, code, variant, renew = arguments
    request = {"url": url, "code": code} | ({"variant": variant} if variant != "-" else {})
    request |= {"renew": renew} if renew != "-" else {}

    def save(apply):
        path.write_bytes(apply(path.read_bytes() if path.exists() else b""))

    print(tokens.enroll(request, post, save)["keyId"])


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except DskppError as error:
        sys.exit(json.dumps(error.fault))
