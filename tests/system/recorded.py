# SPDX-License-Identifier: GPL-2.0-or-later
"""A recorder that runs, and what a reader sees of its record."""

import ctypes
import os
import pathlib
import select
import signal
import socket
import subprocess
import time

import pytest

from hosts import until


class Recorder:
    """`doorward record` as a process of the test's own."""

    def __init__(self, doorward, db, *options, prefix=(), environment=None):
        self.doorward, self.db, self.options = doorward, pathlib.Path(db), options
        self.prefix, self.environment = list(prefix), environment
        self.process, self.said = None, ""

    def start(self, *options):
        """It is up when this returns: every source is attached, and what is open is in the record."""
        self.launch(*options)
        self.expect("recording into")
        return self

    def launch(self, *options):
        self.said = ""
        self.process = subprocess.Popen(
            [*self.prefix, *self.doorward.prefix, self.doorward.path, "record", "--db", self.db, *self.options,
             *map(str, options)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, "XDG_CONFIG_HOME": "/nonexistent", **(self.environment or {})})

    def expect(self, words, limit=30):
        """Reads what it says until those words stand in it."""
        end = time.monotonic() + limit
        while words not in self.said:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stderr], [], [], left)[0]:
                raise AssertionError(f"{words!r} did not come: {self.said!r}")
            piece = os.read(self.process.stderr.fileno(), 65536)
            if not piece:
                raise AssertionError(f"ended with {self.process.wait()}: {self.said!r}")
            self.said += piece.decode(errors="replace")
        return self.said

    def stop(self, how=signal.SIGTERM):
        """Its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.said += self.process.stderr.read().decode(errors="replace")
        return self.process.wait(30)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process:
            self.process.stderr.close()

    # ---- what a reader sees ----

    def history(self, *args, statuses=(0, 1)):
        return self.doorward.json("history", "--db", self.db, *args, statuses=statuses)

    def intervals(self, *args):
        return self.history(*args)["intervals"]

    def status(self):
        return self.doorward.json("record", "--status", "--db", self.db)

    def until(self, filter_text, holds=lambda interval: True, limit=10):
        """The one interval of that filter for which it holds, once it is there."""
        def look():
            found = [i for i in self.intervals(filter_text) if holds(i)]
            assert len(found) <= 1, found
            return found
        try:
            return until(look, f"the interval of {filter_text}", limit)[0]
        except AssertionError as wrong:
            raise AssertionError(f"{wrong}: it said {self.said!r}, {self.status()}") from wrong

    def closed(self, filter_text):
        return self.until(filter_text, lambda interval: interval["closed"])

    def at(self, moment, *args, command="list", statuses=(0, 1)):
        return self.doorward.json(command, "--at", f"@{moment:.9f}", "--db", self.db, *args, statuses=statuses)


CLONE_NEWNET = 0x40000000


@pytest.fixture
def own_network():
    """The test itself goes into a network of its own: what others do on this host is not recorded with it."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(CLONE_NEWNET) < 0:
            pytest.skip(f"no network namespaces here: {os.strerror(ctypes.get_errno())}")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield
    finally:
        assert libc.setns(before, CLONE_NEWNET) == 0
        os.close(before)


@pytest.fixture
def recorder(doorward, tmp_path, own_network):
    """recorder(): one that is up, of the test's own network. More may be made; all are gone after the test."""
    made = []

    def start(*options, **how):
        made.append(Recorder(how.pop("program", doorward), how.pop("db", tmp_path / "history.db"), "--netns", "self",
                             *options, **how))
        return made[-1].start()

    start.made = made
    yield start
    for one in made:
        one.close()


def listener(address="127.0.0.1", port=0):
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    made.listen()
    return made


def port_of(made):
    return made.getsockname()[1]


def nanoseconds(text):
    """RFC 3339 with nanoseconds, as Unix nanoseconds."""
    import datetime
    whole, rest = text.split(".")
    digits = rest.rstrip("Z")
    assert text.endswith("Z") and len(digits) == 9, text
    seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
    return int(seconds) * 10**9 + int(digits)


def corrupt(path):
    path.write_bytes(b"this is no database" * 1000)
