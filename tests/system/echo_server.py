# SPDX-License-Identifier: GPL-2.0-or-later
"""The echo server of tests/scenes/server.c, which counts what happens to it, and traffic that wants all of it back: what
`close --by release` is tried on.

A spinning program is told by its CPU time, held against CPU time of our own: no clock decides.
"""

import contextlib
import json
import mmap
import os
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import pytest

from conftest import program

COUNTERS = "interrupted", "errors", "turns", "accepted", "gap_ns", "beats", "ready"
TICKS = os.sysconf("SC_CLK_TCK")


def await_that(true, limit=30):
    """Until @true() is; each look is an event of its own."""
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.005)


def stat_of(pid):
    """The fields of /proc/PID/stat behind the name."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rsplit(")")[-1].split()


def alive(pid):
    try:
        return stat_of(pid)[0] not in "ZX"
    except OSError:
        return False


def cpu_ticks(pid):
    """utime and stime of a process, in ticks."""
    return sum(map(int, stat_of(pid)[11:13]))


def assert_idle(*pids):
    """While we use half a second of CPU each of them uses next to none."""
    before = [cpu_ticks(pid) for pid in pids]
    end = time.process_time() + 0.5
    while time.process_time() < end:
        pass
    used = [cpu_ticks(pid) - b for pid, b in zip(pids, before)]
    assert max(used) <= TICKS // 20, f"ticks used while we used {TICKS // 2}: {used}"


def descriptors(pid):
    """What stands at each number."""
    found = {}
    for fd in sorted(os.listdir(f"/proc/{pid}/fd")):
        with contextlib.suppress(FileNotFoundError):  # closed while we look
            found[fd] = os.readlink(f"/proc/{pid}/fd/{fd}")
    return found


def maps_of(pid):
    return pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="ascii")


def status_of(pid, start):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return [line for line in lines if line.startswith(start)]


class Server:
    """The echo server, running."""

    def __init__(self, loop, static=False, user=None, prefix=(), **options):
        here = pathlib.Path(program("SCENE", "tests/scenes/scene")).parent
        self._file = tempfile.NamedTemporaryFile(prefix="doorward-counters-")
        self._file.truncate(4096)
        os.chmod(self._file.name, 0o666)
        self._map = mmap.mmap(self._file.fileno(), 4096)
        words = [*prefix, str(here / ("server-static" if static else "server")), loop, "--counters", self._file.name]
        for name, value in options.items():
            words += ["--" + name, str(value)]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, user=user, group=user,
                                        extra_groups=[] if user else None, start_new_session=True)
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            (pytest.skip if status == 77 else pytest.fail)(f"the server ended with {status}")
        said = json.loads(line)
        self.port, self.pid, self.fd = said["port"], said["pid"], said["fd"]
        self.address = "::1" if options.get("family") == 6 else "127.0.0.1"
        address = f"[{self.address}]" if ":" in self.address else self.address
        self.target = f"{'udp' if loop == 'udp' else 'tcp'}/{address}:{self.port}"

    def count(self, name):
        return struct.unpack_from("Q", self._map, 8 * COUNTERS.index(name))[0]

    def connect(self):
        return socket.create_connection((self.address, self.port), timeout=30)

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def server():
    running = []

    def start(loop, **options):
        running.append(Server(loop, **options))
        return running[-1]

    yield start
    for one in running:
        one.close()


class Traffic(threading.Thread):
    """Sends numbered lines over one connection and wants each of them back, until it is told to end."""

    def __init__(self, connection, ask=lambda n: b"%031d\n" % n, answer=lambda n: b"%031d\n" % n):
        super().__init__(daemon=True)
        self.connection, self.ask, self.answer = connection, ask, answer
        self.n, self.error, self._wanted = 0, None, True
        self.start()
        self.more()

    def run(self):
        try:
            while self._wanted:
                self.connection.sendall(self.ask(self.n))
                wanted, got = self.answer(self.n), b""
                while len(got) < len(wanted):
                    piece = self.connection.recv(len(wanted) - len(got))
                    if not piece:
                        raise EOFError("the connection ended")
                    got += piece
                assert got == wanted
                self.n += 1
        except Exception as error:  # told to who asks
            self.error = error

    def more(self, n=20):
        """At least @n more answers came."""
        end = self.n + n
        await_that(lambda: self.n >= end or self.error)
        assert not self.error, repr(self.error)

    def end(self):
        self.more()
        self._wanted = False
        self.join(30)
        assert not self.error, repr(self.error)


@pytest.fixture
def release(doorward):
    """close --by release: its JSON."""

    def run(target, *more, by=None, statuses=(0,)):
        status, out, err = (by or doorward).run("close", str(target), "--by", "release", "--yes", "--json", *more)
        assert status in statuses, f"status {status}: {err}{out}"
        return json.loads(out)

    return run


def only_step(closed):
    step, = closed["steps"]
    return step


def assert_refuses(address, port):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, port), timeout=30)


def assert_can_listen(address, port):
    """A successor that sets SO_REUSEADDR gets the port, and is reached."""
    with socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET) as own:
        with socket.create_connection((address, port), timeout=30) as client, own.accept()[0] as accepted:
            client.sendall(b"!")
            assert accepted.recv(1) == b"!"


def assert_unnoticed(made):
    assert (made.count("interrupted"), made.count("errors")) == (0, 0)
