# SPDX-License-Identifier: GPL-2.0-or-later
"""The file of a history when its recorder is killed: SQLite itself, through Python's own library, says what is in it.

The recorder is the real module; the events are made (tests/history/feed.c), for what the kernel tells is not the matter.
"""

import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import time

import pytest

from conftest import TREE, program
from row_groups import intervals

FEED = pathlib.Path(program("DOORWARD", "src/doorward")).parent.parent / "tests/history/history-feed"
ROUNDS = 50
START = 3_600_000_000_000
CLOCK = 1_790_000_000_000_000_000

pytestmark = pytest.mark.skipif(not FEED.exists(), reason="built without SQLite")


def feed(path, *words, **more):
    return subprocess.Popen([FEED, path, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def fed(path, *words):
    ran = subprocess.run([FEED, path, *map(str, words)], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def opened(path):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return database


def closed_cookies(database, least):
    """Those of the intervals that have ended, from a cookie on, in every segment."""
    return [row["cookie"] for row in intervals(database) if least <= row["cookie"] <= least + 10**6]


def killed(process, acknowledgements):
    """What it acknowledged until it was killed, at some moment after so many times."""
    said = []
    for _ in range(acknowledgements):
        said.append(process.stdout.readline())
    until = time.perf_counter_ns() + random.randrange(3_000_000)
    while time.perf_counter_ns() < until:
        pass
    process.send_signal(signal.SIGKILL)
    rest, errors = process.communicate(timeout=60)
    assert not errors, errors
    lines = [line for line in said + rest.splitlines(keepends=True) if line.endswith("\n")]
    return [int(word) for word in lines[-1].split()]


def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path):
    """Fifty times at a random moment: the file is whole, has all that a reader could have seen, and tells the gap."""
    path = tmp_path / "history.db"
    for turn in range(ROUNDS):
        first = 1 + turn * 10**7
        start = START + turn * 600_000_000_000
        process = feed(path, "--acknowledge", "--rows", 10**6, "--step", 1_000_000, "--open", 100, "--start", start,
                       "--now", CLOCK + turn * 600_000_000_000, "--cookie", first - 1, "--seed", turn + 1)
        n_closed, last_closed, last_opened = killed(process, random.randrange(1, 15))
        database = opened(path)
        closed = closed_cookies(database, first)
        assert len(set(closed)) == len(closed)
        assert len(closed) >= n_closed
        assert last_closed in closed
        still_open = {row[0] for row in database.execute("SELECT cookie FROM open")}
        assert last_opened in still_open or last_opened in closed
        assert not still_open & set(closed)
        gaps = database.execute("SELECT count(*) FROM gap WHERE why = 'the recorder ended unexpectedly'").fetchone()[0]
        assert gaps == turn
        database.close()


class Disk:
    """A file as a disk has it: what was waited for stands; of what came later each piece may be there or not."""

    def __init__(self):
        self.image, self.later = bytearray(), []

    @staticmethod
    def apply(image, kind, at, data):
        if kind == "length":
            del image[at:]
        image.extend(bytes(max(0, at + len(data) - len(image))))
        image[at:at + len(data)] = data

    def take(self, kind, at, data):
        if kind != "sync":
            self.later.append((kind, at, data))
            return
        for change in self.later:
            self.apply(self.image, *change)
        self.later.clear()

    def after_a_loss(self, chance):
        image = bytearray(self.image)
        for kind, at, data in self.later:
            if chance.random() < 0.5:
                continue
            if kind == "write" and chance.random() < 0.1:  # torn, at a sector
                data = data[:chance.randrange(len(data) + 1) // 512 * 512]
            self.apply(image, kind, at, data)
        return image


def told(path):
    """What the disk was told, in order: kind, inode, place, bytes, the recorder's uptime (tests/history/power.h)."""
    head = struct.Struct("8sQQQQ")
    with path.open("rb") as log:
        while data := log.read(head.size):
            kind, inode, at, n, uptime = head.unpack(data)
            kind = kind.rstrip(b"\0").decode()
            yield kind, inode, at, log.read(n) if kind == "write" else b"", uptime


def test_a_loss_of_power_takes_five_seconds_at_most(tmp_path):
    """At any moment, whatever of the unfinished writes has reached the disk: the file is whole, and goes on."""
    path, log = tmp_path / "history.db", tmp_path / "power"
    fed(path, "--power", log, "--rows", 15_000, "--step", 1_000_000, "--open", 200)
    database = opened(path)
    ends = {row["cookie"]: row["closed"] for row in intervals(database)}
    database.close()
    names = {os.stat(f"{path}{beside}").st_ino: beside for beside in ("", "-wal")}
    all_told = list(told(log))
    assert sum(kind == "sync" for kind, *_ in all_told) > 10
    chance = random.Random(7)
    begun = next(i for i, (*_, uptime) in enumerate(all_told) if uptime > START + 5 * 10**9)
    cuts = sorted(chance.sample(range(begun, len(all_told)), 40))
    disks, lost = {beside: Disk() for beside in names.values()}, []
    for i, (kind, inode, at, data, uptime) in enumerate(all_told):
        if inode in names:
            disks[names[inode]].take(kind, at, data)
        if i not in cuts:
            continue
        folder = tmp_path / f"cut-{i}"
        folder.mkdir()
        for beside, disk in disks.items():
            (folder / f"history.db{beside}").write_bytes(disk.after_a_loss(chance))
        database = sqlite3.connect(folder / "history.db")
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = {row["cookie"] for row in intervals(database)}
        database.close()
        known = max((ends[cookie] for cookie in found), default=START)
        lost.append(uptime - known)
        assert all(cookie in found for cookie, end in ends.items() if end <= uptime - 5 * 10**9), (i, uptime - known)
        fed(folder / "history.db", "--rows", 10, "--start", uptime + 10**9, "--cookie", 10**7)
        assert not list(folder.glob("*.broken*"))
        shutil.rmtree(folder)
    assert max(lost) > 10**9  # else nothing was lost at all, and this test shows nothing


def test_what_a_killed_recorder_left_open_ends_as_it_was_last_known(tmp_path):
    path = tmp_path / "history.db"
    process = feed(path, "--acknowledge", "--rows", 10**6, "--step", 1_000_000, "--open", 50)
    killed(process, 10)
    left = {row[0] for row in opened(path).execute("SELECT cookie FROM open WHERE cookie < 1000000000000")}
    assert left
    fed(path, "--rows", 100, "--start", START + 600_000_000_000, "--now", CLOCK + 600_000_000_000, "--cookie", 10**7,
        "--open", 5)
    database = opened(path)
    ended = {row["cookie"]: (row["flags"] >> 12 & 1, row["closed"]) for row in intervals(database) if row["cookie"] in left}
    assert set(ended) == left
    (start, stop), = database.execute("SELECT uptime, to_uptime FROM gap").fetchall()
    assert all(exact == 0 and uptime == start for exact, uptime in ended.values())
    assert stop == START + 600_000_000_000


def test_each_segment_that_is_full_has_its_indexes(tmp_path):
    path = tmp_path / "history.db"
    fed(path, "--rows", 300_000)
    database = opened(path)
    assert database.execute("SELECT n, is_indexed FROM segment ORDER BY id").fetchall()[0][1] == 1
    kinds = {row[0] for row in database.execute("SELECT id >> 32 FROM index_1")}
    assert kinds == {0, 1, 2, 3}  # time, port, executable, peer; all of them have a peer
    assert not database.execute("SELECT 1 FROM index_2").fetchall()
    groups = [row[0] for row in database.execute("SELECT length(rows) FROM interval_1")]
    assert len(groups) == -(-database.execute("SELECT n FROM segment WHERE id = 1").fetchone()[0] // 256)
    assert sum(groups) < 40 * 250_000


def old(path, version):
    """A file as that version of the tables had it, and what SQLite says of its intervals."""
    database = sqlite3.connect(path)
    database.executescript((TREE / "tests/history/schema-2.sql").read_text())
    if version == 1:
        database.executescript("DROP TABLE first_seen; UPDATE place SET seen = 1; UPDATE process SET seen = 1;"
                               "UPDATE string SET seen = 1; UPDATE netns SET seen = 1; PRAGMA user_version = 1")
    rows = []
    for segment in (1, 2):
        rows += database.execute(
            "SELECT base + i.closed, i.length, i.bits, port, ifnull(peer_port, 0), hex(peer), i.place, process, ifnull(exe, 0),"
            " ifnull(crew, 0), ifnull(closer, 0), fd, cookie, inode, ifnull(sent + 1, 0), ifnull(received + 1, 0), ifnull(error, 0)"
            f" FROM interval_{segment} i JOIN segment ON segment.id = {segment} ORDER BY i.id").fetchall()
    database.close()
    return rows


@pytest.mark.parametrize("version", [1, 2])
def test_an_earlier_schema_is_brought_up_to_date(doorward, tmp_path, version):
    """No interval is lost or changed; what only the newer has is worked out; who reads is told until then."""
    path = tmp_path / "history.db"
    before = old(path, version)
    assert len(before) > 60
    status, _, errors = doorward.run("history", "--db", path)
    assert status not in (0, 1) and "older Doorward" in errors and "doorward record" in errors, (status, errors)
    fed(path, "--rows", 1, "--open", 5, "--start", START + 10**10, "--now", CLOCK + 10**10)
    database = opened(path)
    assert database.execute("PRAGMA user_version").fetchone() == (3,)
    found = intervals(database)[:len(before)]
    assert [(row["closed"], row["length"], row["flags"] & 0x3FFF, row["port"], row["peer_port"], f"{row['peer_low']:08X}",
             row["place"], row["process"], row["exe"], row["crew"], row["closer"], row["fd"] // 2, row["cookie"], row["inode"],
             row["sent"], row["received"], row["error"]) for row in found] == [row[:5] + (row[5] or "00000000",) + row[6:]
                                                                              for row in before]
    assert database.execute("SELECT count(*) FROM first_seen").fetchone() == (50,)
    database.close()
    for port in {row[3] for row in before}:
        told = doorward.json("history", "--db", path, f"port = {port}")
        closed = [interval for interval in told["intervals"] if interval["closed"]]
        assert len(closed) >= sum(row[3] == port for row in before)


@pytest.mark.needs("root")
def test_an_earlier_schema_stays_as_it_was_where_there_is_no_room(doorward, tmp_path):
    made = tmp_path / "made.db"
    before = old(made, 2)
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={made.stat().st_size + 65536}", "tmpfs", place], check=True)
    try:
        path = shutil.copy(made, place / "history.db")
        status, _, errors = doorward.run("record", "--db", path)
        assert status == 3 and "no space left" in errors and "up to date takes as much room again" in errors, errors
        database = sqlite3.connect(path)
        assert database.execute("PRAGMA user_version").fetchone() == (2,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert sum(database.execute(f"SELECT count(*) FROM interval_{n}").fetchone()[0] for n in (1, 2)) == len(before)
        database.close()
        subprocess.run(["mount", "-o", "remount,size=16m", place], check=True)
        fed(path, "--rows", 1, "--open", 5, "--start", START + 10**10, "--now", CLOCK + 10**10)
        assert opened(path).execute("PRAGMA user_version").fetchone() == (3,)
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_a_second_recorder_is_refused_with_the_pid_of_the_first(tmp_path):
    path = tmp_path / "history.db"
    first = feed(path, "--acknowledge", "--rows", 10**7, "--pause", 100)
    try:
        assert first.stdout.readline()
        second = subprocess.run([FEED, path], capture_output=True, text=True, timeout=60)
        assert second.returncode == 1
        assert f"pid {first.pid}" in second.stderr
    finally:
        first.kill()
        first.communicate()


@pytest.fixture(scope="module")
def faulty():
    """The same with its points of failure, built where test_faults.py builds the program."""
    build = TREE / "build-faults"
    if not shutil.which("meson") or not os.access(TREE, os.W_OK):
        pytest.skip("no build with -Dfaults=true can be made here")
    if not (build / "build.ninja").exists():
        ran = subprocess.run(["meson", "setup", build, "-Dfaults=true", "-Dbuildtype=debug"], cwd=TREE,
                             capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout
    ran = subprocess.run(["ninja", "-C", build, "tests/history/history-feed"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
    return build / "tests/history/history-feed"


def with_fault(program_, path, fault, told=None):
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    env |= {"DOORWARD_FAULT": fault} if fault else {}
    env |= {"DOORWARD_FAULT_TOLD": str(told)} if told else {}
    return subprocess.run([program_, path, "--acknowledge", "--rows", "150", "--open", "20", "--step", "2000000"], env=env,
                          capture_output=True, text=True, timeout=60)


def spread(n, most):
    return range(1, n + 1) if n <= most else sorted({1 + i * (n - 1) // (most - 1) for i in range(most)})


@pytest.mark.parametrize("point", ["allocate", "write"])
def test_whatever_fails_leaves_a_file_that_is_whole(faulty, tmp_path, point):
    """Each allocation and each write in turn: it says so and ends, or goes on; what it acknowledged is there."""
    told = tmp_path / "told"
    usual = with_fault(faulty, tmp_path / "usual.db", None, told)
    assert usual.returncode == 0, usual.stderr
    passed = dict(line.split() for line in told.read_text().splitlines())
    folder = tmp_path / "each"
    for n in spread(int(passed[point]), 60):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        path = folder / "history.db"
        ran = with_fault(faulty, path, f"{point}:{n}")
        case = f"{point}:{n}: {ran.returncode} {ran.stderr}"
        assert ran.returncode in (0, 1), case
        if ran.returncode == 1:
            assert "out of memory" in ran.stderr or "no space left" in ran.stderr or "no memory" in ran.stderr, case
        acknowledged = [line for line in ran.stdout.splitlines() if line[0].isdigit()]
        if not acknowledged:
            continue
        n_closed, last_closed, last_opened = map(int, acknowledged[-1].split())
        database = opened(path)
        closed = closed_cookies(database, 1)
        assert len(closed) == len(set(closed)) and len(closed) >= n_closed, case
        assert not n_closed or last_closed in closed, case
        database.close()
        shutil.rmtree(folder)


def test_a_write_that_fails_for_long_is_told_and_recording_goes_on(faulty, tmp_path):
    """From some write on there is no room: it says so each time that it tried, and never ends by itself."""
    ran = with_fault(faulty, tmp_path / "history.db", "write:40+")
    assert "no space left" in ran.stderr
