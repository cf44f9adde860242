# SPDX-License-Identifier: GPL-2.0-or-later
"""A running `doorward serve`, and HTTP as a test wants it: well formed by Page.get and Page.post, byte by byte by Page.raw."""

import contextlib
import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import types

import pytest

from conftest import NOBODY

LIMIT = 30  # seconds until something that must come is given up


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Stream:
    """The lines of /api/stream as they come."""

    def __init__(self, page, target):
        self.connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=LIMIT)
        self.connection.request("GET", target, headers=page.headers())
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()

    def line(self):
        text = self.response.readline()
        assert text, "the stream has ended"
        return json.loads(text)

    def until(self, is_it):
        """The first line of which @is_it is true, and all before it."""
        for _ in range(1000):
            line = self.line()
            if is_it(line):
                return line
        raise AssertionError("it did not come")

    def window(self):
        return self.until(lambda line: line["type"] == "window")

    def close(self):
        self.response.close()
        self.connection.close()


class Page:
    """The server; what it printed is .address, .port, .token."""

    def __init__(self, doorward, *options, environment=None):
        self.doorward = doorward
        self.process = subprocess.Popen([*doorward.prefix, doorward.path, "serve", *map(str, options)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env={**os.environ, **(environment or {})})
        assert select.select([self.process.stdout], [], [], LIMIT)[0], "it does not say its address"
        self.address = self.process.stdout.readline().decode().strip()
        if not self.address:
            _, err = self.process.communicate(timeout=LIMIT)
            raise RuntimeError(f"serve ended with {self.process.returncode}: {err.decode()}")
        found = re.fullmatch(r"https?://([^/]+):(\d+)/#token=([0-9a-f]{64})", self.address)
        self.host, self.port, self.token = found[1], int(found[2]), found[3]

    def headers(self, **others):
        return {"Authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in others.items()}}

    def ask(self, method, target, body=None, headers=None):
        """A request with exactly these headers, and Host."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)) as connection:
            connection.request(method, target, body=body, headers=headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def get(self, target, **headers):
        return self.ask("GET", target, headers=self.headers(**headers))

    def post(self, target, body, **headers):
        origin = {"Origin": f"http://127.0.0.1:{self.port}", "Content-Type": "application/json"}
        return self.ask("POST", target, json.dumps(body), {**self.headers(), **origin, **headers})

    def raw(self, data):
        """What comes back to these bytes, until the other side closes."""
        with self.connect() as sock:
            with contextlib.suppress(OSError):
                sock.sendall(data)
            return read_all(sock)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT)

    def stream(self, parameters=""):
        return Stream(self, "/api/stream" + parameters)

    @property
    def processes(self):
        """The desk, then its children."""
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [pid, *map(int, file.read().split())]

    def end(self, number=signal.SIGINT):
        """(status, what it said on standard error)"""
        if self.process.poll() is None:
            self.process.send_signal(number)
        _, err = self.process.communicate(timeout=LIMIT)
        return self.process.returncode, err.decode()


def read_all(sock):
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := sock.recv(65536):
            data += piece
    return data


def status_of(data):
    """Of the first answer in @data; None where there is none."""
    found = re.match(rb"HTTP/1\.[01] (\d+)", data)
    return int(found[1]) if found else None


def answers_in(data):
    return len(re.findall(rb"HTTP/1\.[01] \d+ ", data))


@pytest.fixture
def serve(doorward):
    """serve(*options): it serves when this returns, and has ended after the test."""
    running = []

    def start(*options, by=None, **how):
        running.append(Page(by or doorward, *options, **how))
        return running[-1]

    yield start
    said = [page.end()[1] for page in running]
    for page in running:
        page.process.stdout.close()
        page.process.stderr.close()
    assert not any("Sanitizer" in text or "runtime error" in text for text in said), said


@pytest.fixture(scope="module")
def page(doorward):
    """One that all tests of a module share."""
    shared = Page(doorward)
    yield shared
    status, err = shared.end()
    assert (status, err) == (0, "")


def as_another_user(code):
    """Python @code run as nobody; what it printed."""
    words = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "/usr/bin/python3", "-c", code]
    return subprocess.run(words, capture_output=True, text=True, timeout=LIMIT * 2, check=True).stdout


def namespace(**facts):
    return types.SimpleNamespace(**facts)
