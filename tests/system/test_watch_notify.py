# SPDX-License-Identifier: GPL-2.0-or-later
"""`watch --notify`: a session bus of our own, and who listens to it."""

import os
import select
import signal
import subprocess
import time

import pytest

from room import Room
from watches import LIMIT, Watch

pytestmark = [pytest.mark.needs("bpf"), pytest.mark.needs("program:dbus-daemon"), pytest.mark.needs("program:dbus-monitor")]


def read_until(file, text):
    """All that came until @text did."""
    seen, end = b"", time.monotonic() + LIMIT
    while text not in seen:
        assert time.monotonic() < end and select.select([file], [], [], LIMIT)[0], seen
        more = os.read(file.fileno(), 65536)
        assert more, seen
        seen += more
    return seen.decode(errors="replace")


@pytest.fixture
def bus(tmp_path):
    path = f"unix:path={tmp_path}/bus"
    with subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address", f"--address={path}"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as daemon:
        read_until(daemon.stdout, b"\n")
        yield path
        daemon.terminate()


def test_a_desktop_is_told(doorward, bus):
    environment = {"DBUS_SESSION_BUS_ADDRESS": bus, "SUDO_UID": "", "SUDO_GID": ""}
    room = Room()
    with subprocess.Popen(["dbus-monitor", "--address", bus, "interface='org.freedesktop.Notifications'"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as monitor:
        try:
            read_until(monitor.stdout, b"NameAcquired")
            watching = Watch(doorward, "--netns", room.pid, "--notify", "state = listen", environment=environment)
            port = room("listen('127.0.0.1', 0)")
            seen = read_until(monitor.stdout, f"127.0.0.1:{port}".encode())
            assert "member=Notify" in seen and '"doorward"' in seen and '"Doorward: opened"' in seen
            assert watching.end() == (0, "")
        finally:
            monitor.send_signal(signal.SIGTERM)
            room.close()


def test_where_there_is_no_desktop_it_says_so(doorward, tmp_path):
    environment = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path}/none", "SUDO_UID": ""}
    status, out, err = doorward.run("watch", "--notify", environment=environment)
    assert (status, out) == (3, "")
    assert "connect to the session bus" in err and "DBUS_SESSION_BUS_ADDRESS" in err
