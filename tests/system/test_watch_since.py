# SPDX-License-Identifier: GPL-2.0-or-later
"""`watch --since`: what was, from the record, then what is: nothing between is missing, nothing comes twice."""

import json
import os
import signal
import subprocess
import time

import pytest

from room import Room
from watches import LIMIT, Watch

pytestmark = pytest.mark.needs("bpf")


@pytest.fixture
def room():
    made = Room()
    yield made
    made.close()


class Recorder:
    def __init__(self, doorward, room, path):
        self._doorward, self._path = doorward, path
        self._process = subprocess.Popen([doorward.path, "record", "--db", path, "--netns", str(room.pid)],
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert b"recording into" in self._process.stderr.readline()  # it is attached

    def wait_for(self, condition):
        """Until a reader sees it."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            status, out, _ = self._doorward.run("history", "--db", self._path, "--json")
            if status in (0, 1) and condition(json.loads(out)):
                return
            assert self._process.poll() is None, self._process.stderr.read()
            time.sleep(0.05)
        raise TimeoutError

    def end(self):
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.communicate(timeout=LIMIT)


@pytest.fixture
def recorder(doorward, room, tmp_path):
    made = Recorder(doorward, room, str(tmp_path / "history.db"))
    yield made
    made.end()


def ports_of(lines, event):
    return [line["local_port"] for line in lines if line["event"] == event and line["state"] == "LISTEN"]


def test_history_then_live_without_a_gap_and_without_a_double(room, doorward, recorder, tmp_path):
    ports = [room("listen('127.0.0.1', 0)") for _ in range(20)]
    recorder.wait_for(lambda seen: {i["local_port"] for i in seen["intervals"]} >= set(ports))
    watching = Watch(doorward, "--netns", room.pid, "--db", tmp_path / "history.db", "--since", "1h")
    try:
        ports += [room("listen('127.0.0.1', 0)") for _ in range(20)]
        watching.until(event="opened", local_port=ports[-1], state="LISTEN")
        assert watching.end()[0] == 0
    finally:
        watching.close()
    assert ports_of(watching.lines, "opened") == ports
    uptimes = [line["uptime"] for line in watching.lines if line["event"] == "opened"]
    assert uptimes == sorted(uptimes)
    assert not [line for line in watching.lines if line["event"] == "gap"]


def test_where_nobody_records_any_more_that_is_said(room, doorward, recorder, tmp_path):
    port = room("listen('127.0.0.1', 0)")
    recorder.wait_for(lambda seen: port in {i["local_port"] for i in seen["intervals"]})
    recorder.end()
    watching = Watch(doorward, "--netns", room.pid, "--db", tmp_path / "history.db", "--since", "1h")
    try:
        gap = watching.until(event="gap", reason="no recorder runs")
        assert gap["duration"] > 0
        assert port in ports_of(watching.lines, "opened")
        assert watching.end()[0] == 0
    finally:
        watching.close()


def test_what_cannot_be_had_is_said(doorward, tmp_path):
    status, out, err = doorward.run("watch", "--since", "1h", "--db", tmp_path / "none.db")
    assert (status, out) == (3, "") and "nothing is recorded" in err
    status, _, err = doorward.run("watch", "--since", "next year")
    assert status == 2 and "--since" in err
    assert doorward.run("watch", "--since", "1h", "--knocks")[0] == 2
    assert os.listdir(tmp_path) == []
