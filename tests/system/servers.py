# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers in a room, each a process of its own: what `close` is tried on."""

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
import time
import types

from hosts import until
from room import Room

SERVE = r"""
def hold(made, again, port, address, ready):
    def come_again(*_):
        if os.fork():
            os._exit(0)
        made.close()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        other = bind(address, port, reuseport=1)
        other.listen()
        while True: signal.pause()
    if again:
        signal.signal(signal.SIGTERM, come_again)
        os.write(ready, b".")
    while True: signal.pause()
# @deaf of the holders ignore SIGTERM; with @again they listen anew in another process; @uid: one, or one each
def serve(address, port=0, udp=0, holders=1, uid=None, deaf=0, again=0, **options):
    made = bind(address, port, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM, reuseport=again, **options)
    if not udp: made.listen(16)
    port = made.getsockname()[1]
    pids = []
    for i in range(holders):
        user = uid[i] if isinstance(uid, list) else uid
        end, other = os.pipe()
        pid = os.fork()
        if pid == 0:
            for thing in kept: thing.close()
            os.close(end)
            if user is not None:
                os.setgroups([]); os.setresgid(user, user, user); os.setresuid(user, user, user)
                ctypes.CDLL(None).prctl(4, 1)  # PR_SET_DUMPABLE: else its own user may not look at it
            signal.signal(signal.SIGTERM, signal.SIG_IGN if i < deaf else signal.SIG_DFL)
            if not again: os.write(other, b".")
            hold(made, again, port, address, other)
        os.close(other)
        os.read(end, 1)
        os.close(end)
        pids.append(pid)
    made.close()
    return port, pids
def end(pid):
    os.kill(pid, 9)
    os.waitpid(pid, 0)
"""

SLOW = """
import mmap, os, socket
s = socket.create_server(("127.0.0.1", 0))
m = mmap.mmap(-1, 256 << 20)
m[:] = bytes([1]) * len(m)
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
busy = []
for _ in range(3):
    busy.append(os.fork())
    if busy[-1] == 0:
        s.close()
        m.close()
        while True: pass
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
print(s.getsockname()[1], *busy, flush=True)
while True: pass
"""


def turns(pid):
    """How often it was made to leave the processor to others."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"nonvoluntary_ctxt_switches:\s+(\d+)", status.read())[1])


@contextlib.contextmanager
def dies_slowly(inside):
    """A listener in the network of @inside whose memory is taken apart before its descriptors are closed, while others
    have the processor: its pid and port. Its turn has just ended when the block begins, and the next comes seconds later;
    it ends with the block."""
    with subprocess.Popen(["nsenter", "-t", str(inside), "--net", "--", sys.executable, "-c", SLOW],
                          stdout=subprocess.PIPE) as slow:
        port, *busy = map(int, slow.stdout.readline().split())
        try:
            before = turns(slow.pid)
            until(lambda: turns(slow.pid) > before, "the end of its turn")
            yield types.SimpleNamespace(pid=slow.pid, port=port)
        finally:
            for pid in busy:
                os.kill(pid, 9)
            os.sched_setscheduler(slow.pid, os.SCHED_OTHER, os.sched_param(0))  # and now it may end
            os.sched_setaffinity(slow.pid, range(os.cpu_count()))
            slow.kill()


class Stage(Room):
    """A room in which servers run."""

    def __init__(self, **how):
        super().__init__(**how)
        self(SERVE)
        self._served = []

    def serve(self, address="127.0.0.1", port=0, **options):
        """Its port and the pids of its holders."""
        port, pids = self(f"serve({address!r}, {port}, **{options!r})")
        self._served += pids
        return types.SimpleNamespace(port=port, pids=pids, pid=pids[0], address=address)

    def close(self):
        for pid in self._served:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
        super().close()


def is_alive(pid):
    """A zombie is none: it holds nothing."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False


class Asked:
    """`close` on a terminal, stopped where it asks: between the plan and the deed."""

    def __init__(self, doorward, *args):
        self._terminal, inner = pty.openpty()
        env = {**os.environ, "NO_COLOR": "1", "DOORWARD_PAGER": "cat", "TERM": "xterm", "LC_ALL": "C.UTF-8",
               "XDG_CONFIG_HOME": "/nonexistent"}
        self._process = subprocess.Popen([*doorward.prefix, doorward.path, "close", *map(str, args)], stdin=inner,
                                         stdout=inner, stderr=inner, env=env, start_new_session=True)
        os.close(inner)
        self.plan = self._read(b"[y/N] ")

    def _read(self, mark=None):
        got, end = b"", time.monotonic() + 60
        while not (mark and mark in got):
            assert time.monotonic() < end, got
            try:
                part = os.read(self._terminal, 65536)
            except OSError:  # the last writer has closed it
                break
            if not part:
                break
            got += part
        return got.decode().replace("\r\n", "\n")

    def answer(self, word):
        """(status, what was said from here on)."""
        os.write(self._terminal, word.encode() + b"\n")
        said = self._read()
        status = self._process.wait(60)
        os.close(self._terminal)
        return status, said


def closed(doorward, *args, statuses=(0,), command="close"):
    """What `close --yes --json` says."""
    status, out, err = doorward.run(command, *args, "--yes", "--json")
    assert status in statuses, f"{status}: {out}{err}"
    return json.loads(out)
