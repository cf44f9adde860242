# SPDX-License-Identifier: GPL-2.0-or-later
"""A process that listens, and a stream of serve, for the tests of it."""

import contextlib
import socket
import subprocess
import sys
import urllib.parse

import pytest

from pages import LIMIT


def quoted(text):
    return urllib.parse.quote(text)


@contextlib.contextmanager
def listening(port=0):
    with socket.create_server(("127.0.0.1", port)) as sock:
        yield sock.getsockname()[1]


@contextlib.contextmanager
def streaming(page, parameters=""):
    stream = page.stream(parameters)
    try:
        yield stream
    finally:
        stream.close()


SERVER = """
import socket, sys
sock = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(sock.getsockname()[1], flush=True)
sys.stdin.read()
"""


class Server:
    """A process of its own that listens."""

    def __init__(self, port=0):
        self.process = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        self.pid = self.process.pid

    def end(self):
        self.process.stdin.close()
        self.process.wait(LIMIT)
        self.process.stdout.close()


@pytest.fixture
def server():
    running = []

    def start(port=0):
        running.append(Server(port))
        return running[-1]

    yield start
    for one in running:
        if one.process.stdout.closed:
            continue
        one.end()
