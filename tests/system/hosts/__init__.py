# SPDX-License-Identifier: GPL-2.0-or-later
"""Real hosts for tests: engines and an init system, each in a network of its own, gone when the tests are.

What a host may hold on to is made beneath one folder; whoever ends the tests ends them too, since each is told to
die with its parent and its network lives as long as a pipe of ours.

A module that imports a host has one of its own, which ends with it: two at one time would share control groups.
"""

import atexit
import functools
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

import pytest

HERE = pathlib.Path(__file__).parent


def skip_unless(*programs):
    """A host needs root, and its programs."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    for name in programs:
        if not shutil.which(name):
            pytest.skip(f"needs the program {name}")


@functools.cache
def listener():
    """A program without libraries that listens on the ports it is given (udp/53 for UDP) and stays."""
    skip_unless("cc")
    path = pathlib.Path(tempfile.mkdtemp(prefix="doorward-listen-")) / "listen"
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    ran = subprocess.run(["cc", "-static", "-O", "-o", path, HERE / "listen.c"], capture_output=True, text=True)
    if ran.returncode != 0:
        pytest.skip(f"no static programs here: {ran.stderr.strip()}")
    return path


def until(holds, what, limit=60):
    """Waits for what gives no event; what it returned, once that is true."""
    end = time.monotonic() + limit
    while not (got := holds()):
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.02)
    return got


def read_until(pipe, mark, limit=60):
    """What comes out of a pipe, up to a mark."""
    got, end = b"", time.monotonic() + limit
    while mark not in got:
        if not select.select([pipe], [], [], max(0, end - time.monotonic()))[0]:
            break
        piece = os.read(pipe.fileno(), 65536)
        if not piece:
            break
        got += piece
    return got


class Network:
    """A network namespace that nothing else is in; `words` are put before a command to run it there."""

    def __init__(self):
        self._process = subprocess.Popen(["unshare", "--net", "sh", "-c", "ip link set lo up && "
                                          "{ [ -z \"$LANE_PORTS\" ] || echo \"$LANE_PORTS\" >/proc/sys/net/ipv4/ip_local_port_range; } && "
                                          "echo up && exec cat"],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if b"up" not in read_until(self._process.stdout, b"up\n", 20):
            _, why = self._process.communicate()
            pytest.skip(f"no network namespaces here: {why.decode().strip()}")
        self.pid = self._process.pid
        self.words = ["nsenter", "-t", str(self.pid), "--net", "--", "setpriv", "--pdeathsig", "TERM", "--"]

    def run(self, *command, **how):
        ran = subprocess.run([*self.words, *map(str, command)], capture_output=True, text=True, timeout=120, **how)
        assert ran.returncode == 0, f"{command}: {ran.stderr}"
        return ran.stdout.strip()

    def close(self):
        self._process.communicate()


def cgroup_mounts(*kinds):
    """Where the hierarchies are: "v2", or one of version 1 by its name."""
    found = []
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        for wanted in kinds:
            if kind == "cgroup2" and wanted == "v2" or \
                    kind == "cgroup" and wanted in options.replace("name=", "").split(","):
                found.append(pathlib.Path(where))
    return found


def remove_groups(name):
    """What an engine left behind in the control groups, once its last process is out of them; the folder around it
    too, when nothing else is in it."""
    mounts = [pathlib.Path("/sys/fs/cgroup"), *pathlib.Path("/sys/fs/cgroup").glob("*")]

    def is_gone():
        for mount in mounts:
            for path, _, _ in os.walk(mount / name, topdown=False):
                try:
                    os.rmdir(path)
                except OSError:
                    return False
        return True

    until(is_gone, f"the end of {name}", 10)
    for mount in mounts if "/" in name else []:
        try:
            os.rmdir((mount / name).parent)
        except OSError:
            pass
