# SPDX-License-Identifier: GPL-2.0-or-later
"""The file of a history when its recorder is killed: SQLite itself, through Python's own library, says what is in it.

The recorder is the real module; the events are made (tests/history/feed.c), for what the kernel tells is not the matter.
"""

import json
import pathlib
import random
import signal
import sqlite3
import subprocess
import time

import pytest

from conftest import program

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
    found = []
    for (segment,) in database.execute("SELECT id FROM segment ORDER BY id").fetchall():
        found += [row[0] for row in database.execute(
            f"SELECT cookie FROM interval_{segment} WHERE cookie BETWEEN ? AND ?", (least, least + 10**6))]
    return found


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


def test_what_a_killed_recorder_left_open_ends_as_it_was_last_known(tmp_path):
    path = tmp_path / "history.db"
    process = feed(path, "--acknowledge", "--rows", 10**6, "--step", 1_000_000, "--open", 50)
    killed(process, 10)
    left = {row[0] for row in opened(path).execute("SELECT cookie FROM open WHERE cookie < 1000000000000")}
    assert left
    fed(path, "--rows", 100, "--start", START + 600_000_000_000, "--now", CLOCK + 600_000_000_000, "--cookie", 10**7,
        "--open", 5)
    database = opened(path)
    rows = database.execute("SELECT cookie, bits >> 12 & 1, base + i.closed FROM interval_1 i JOIN segment ON segment.id = 1"
                            " WHERE cookie < 10000000").fetchall()
    ended = {cookie: (exact, uptime) for cookie, exact, uptime in rows if cookie in left}
    assert set(ended) == left
    (start, stop), = database.execute("SELECT uptime, to_uptime FROM gap").fetchall()
    assert all(exact == 0 and uptime == start for exact, uptime in ended.values())
    assert stop == START + 600_000_000_000


def test_each_segment_that_is_full_has_its_indexes(tmp_path):
    path = tmp_path / "history.db"
    fed(path, "--rows", 300_000)
    database = opened(path)
    assert database.execute("SELECT n, is_indexed FROM segment ORDER BY id").fetchall()[0][1] == 1
    named = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'interval_1'")}
    assert named == {"level_1", "port_1", "exe_1", "peer_1"}
    assert not database.execute("SELECT 1 FROM sqlite_master WHERE type = 'index' AND tbl_name = 'interval_2'").fetchall()


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
