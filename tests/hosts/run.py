"""Runs the hosts of crates/ffi against a real server: run.py DSKPP HOST…, each HOST a command line.

Every host enrols by four-pass and by two-pass, renews, and makes codes that the server accepts. Then hostile servers try
the library through Python.
"""

import contextlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import hostile


class Server:
    def __init__(self, program, folder):
        args = [program, "serve", "--http", "--listen", "127.0.0.1:0", "--data-dir", folder / "data"]
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen(args, stderr=self.log, stdout=self.log, cwd=folder)
        self.url = self.wait(folder)
        self.token = (folder / "data" / "admin-token").read_text().strip()
        self.api("users", {"name": "alice"})

    def wait(self, folder):
        import time

        for _ in range(600):
            found = re.search(r"listening on (http://[0-9.:]+)", (folder / "log").read_text())
            if found:
                return found[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        sys.exit("the server does not start: " + (folder / "log").read_text())

    def api(self, path, body):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def enrolment(self, **more):
        return self.api("enrolments", {"user": "alice", "key_type": "totp", **more})

    def is_valid(self, key_id, otp):
        return self.api("validate", {"key_id": key_id, "otp": otp})["valid"]


def program(host, *args):
    done = subprocess.run([*shlex.split(host), *args], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise SystemExit(f"{host} {args[0]} failed: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def check_host(host, server, folder):
    url = f"{server.url}/dskpp"
    store = str(folder / f"store-{abs(hash(host))}")
    for variant in ["four-pass", "two-pass"]:
        made = server.enrolment(variant=variant, key_type="hotp")
        key_id = program(host, "enroll", store, url, made["authentication_code"], variant, "-")
        otps = [program(host, "otp", store, key_id) for _ in range(2)]
        assert otps[0] != otps[1], "the counter moved, and was kept"
        assert all(server.is_valid(key_id, otp) for otp in otps), f"{host}: {variant}"
        assert not server.is_valid(key_id, otps[0]), "a code works once"
        renewal = server.enrolment(variant=variant, key_type="hotp", renews=key_id)
        renewed = program(host, "enroll", store, url, renewal["authentication_code"], variant, key_id)
        assert renewed == key_id
        assert server.is_valid(key_id, program(host, "otp", store, key_id)), f"{host}: renewal by {variant}"
    made = server.enrolment()
    key_id = program(host, "enroll", store, url, made["authentication_code"], "-", "-")
    assert server.is_valid(key_id, program(host, "otp", store, key_id)), f"{host}: TOTP, the server chooses"
    used = subprocess.run(
        [*shlex.split(host), "enroll", store, url, made["authentication_code"], "-", "-"], capture_output=True, text=True
    )
    assert used.returncode and "refused" in used.stderr, "a code is good for one key"
    print(f"{host}: four-pass, two-pass, renewals and codes")


def main(dskpp, *hosts):
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as after:
        folder = pathlib.Path(folder)
        server = Server(pathlib.Path(dskpp).absolute(), folder)
        after.callback(server.process.wait)
        after.callback(server.process.terminate)
        for host in hosts:
            check_host(host, server, folder)
        hostile.check(server)


if __name__ == "__main__":
    main(*sys.argv[1:])
