# SPDX-License-Identifier: GPL-2.0-or-later
"""The screen's Events tab, and the walk back through what was recorded: real events, a real recorder."""

import csv
import json
import os
import re
import subprocess
import time

import pytest
from conftest import program
from held_thread import held_thread
from hosts import until
from recorded import Recorder
from room import Room
from screen import Tmux
from test_golden import GOLDEN, compare
from test_top_golden import settled

pytestmark = [pytest.mark.needs("program:tmux"), pytest.mark.needs("bpf")]

CLOCK = r"\d\d:\d\d:\d\d\.\d{3}"


@pytest.fixture
def room():
    made = Room()
    yield made
    made.close()


@pytest.fixture
def top(tmp_path, room):
    """top(*words): the screen of that room, up when this returns."""
    running = []

    def start(*words, columns=140, rows=30, shows="Doors", prefix=(), netns=None, **changes):
        words = [*prefix, program("DOORWARD", "src/doorward"), "top", "--netns", netns or room.pid, "--interval", "200ms", *words]
        running.append(Tmux(tmp_path, [str(word) for word in words], columns, rows, **changes))
        running[-1].wait(shows)
        return running[-1]

    yield start
    for screen in running:
        screen.end()


@pytest.fixture
def events(top, tmp_path):
    """events(*words): on the tab, attached."""

    def start(*words, **more):
        screen = top("--tab", "events", *words, **more)
        screen.wait(r"started +watching by bpf")
        return screen

    yield start


@pytest.fixture
def recorder(doorward, room, tmp_path):
    made = Recorder(doorward, tmp_path / "history.db", "--netns", str(room.pid)).start()
    yield made
    made.close()


def rows_of(shown):
    return [line for line in shown.split("\n") if re.match(rf"^[-+! ] {CLOCK}  ", line)]


def is_recorded(recorder, condition):
    """Until a reader of the record sees it."""
    until(lambda: condition(recorder.intervals()), "the record")


# ---- what happens ----

def test_what_happens_is_told(events, room):
    screen = events()
    port = room("listen('127.0.0.1', 0)")
    screen.wait(rf"^\+ {CLOCK}  opened +tcp +127\.0\.0\.1:{port} +pyth\S+ +{room.pid} +LISTEN")
    room(f"keep(socket.create_connection(('127.0.0.1', {port})))")
    screen.wait(rf"^\+ {CLOCK}  established +tcp +127\.0\.0\.1:\d+ +127\.0\.0\.1:{port} +pyth")
    room("kept.pop().close()")
    screen.wait(rf"^- {CLOCK}  ended +tcp +127\.0\.0\.1:\d+ +127\.0\.0\.1:{port} +pyth")
    assert room(f"bind_error('127.0.0.1', {port})") == 98
    screen.wait(rf"^! {CLOCK}  refused +tcp +127\.0\.0\.1:{port} .*EADDRINUSE")
    room("kept.pop().close()")
    screen.wait(rf"^- {CLOCK}  closed +tcp +127\.0\.0\.1:{port} ")


def test_the_filter_is_the_one_language(events, room):
    screen = events()
    one, other = room("listen('127.0.0.1', 0)"), room("listen('127.0.0.1', 0)")
    screen.wait(rf"opened.*:{other}\b")
    screen.keys("/")
    screen.type(f"event = opened and port = {one} and state = listen")
    screen.keys("Enter")
    shown = screen.wait(lambda shown: re.search(rf":{one}\b", shown) and f":{other} " not in shown)
    assert "2 events" in shown  # what tells of the watching is never left out
    screen.keys("Escape")
    screen.wait(rf"opened.*:{other}\b")


def test_space_holds_still_and_nothing_is_missed(events, room):
    screen = events()
    screen.keys("Space")
    screen.wait("paused")
    port = room("listen('127.0.0.1', 0)")
    screen.keys("2", "1")  # other tabs meanwhile
    screen.wait(lambda shown: "ADDRESS" in shown)
    screen.keys("4")
    assert str(port) not in screen.wait(r"started +watching")
    screen.keys("Space")
    screen.wait(rf"opened.*:{port}\b")


def test_the_last_is_followed_until_another_is_chosen(events, room):
    screen = events(rows=12, NO_COLOR="1")
    ports = [room("listen('127.0.0.1', 0)") for _ in range(10)]
    chosen = r"\x1b\[(?:\d;)*7m[^\n]*opened[^\n]*:{}\b"
    screen.wait(chosen.format(ports[-1]), colours=True)
    screen.keys("Up", "Up")
    screen.wait(chosen.format(ports[-2]), colours=True)
    last = room("listen('127.0.0.1', 0)")
    screen.wait(lambda shown: "23 events" in shown)
    screen.wait(chosen.format(ports[-2]), colours=True)
    screen.keys("End")
    screen.wait(chosen.format(last), colours=True)


def test_the_story_of_an_event_and_its_copy(events, room):
    screen = events("event = opened and state = listen")
    port = room("listen('127.0.0.1', 0)")
    screen.wait(rf"opened.*:{port}\b")
    screen.keys("Enter")
    screen.wait(rf"story of tcp/{port}(?s:.)*python3")
    screen.keys("Escape")
    screen.keys("w")
    screen.wait(rf"why tcp/{port}(?s:.)*Esc back  Up")
    screen.keys("Escape")
    screen.keys("d")
    screen.wait(rf"a packet to 127.0.0.1:{port}(?s:.)*Esc back  Up")
    screen.keys("Escape")
    screen.keys("y")
    screen.wait("copied")
    screen.keys("c")
    screen.wait(f"close tcp/{port}")
    screen.wait("Do it")
    screen.keys("Escape")
    screen.wait(rf"opened.*:{port}\b")


def test_a_line_of_the_watching_is_no_port(events):
    screen = events()
    screen.keys("Home", "Enter")
    screen.wait("tells of the watching")


def test_a_group_has_the_time_of_its_first_and_no_sign_of_one_alone(events, room):
    screen = events()
    port = room("listen('127.0.0.1', 0)")
    screen.wait(rf"opened.*:{port}\b.*LISTEN")
    room("kept.pop().close()")
    screen.wait(rf"closed.*:{port}\b.*LISTEN")
    screen.keys("g", "g")
    screen.wait(rf"^  \d\d:\d\d:\d\d\.\d+ +opened closed +tcp +127\.0\.0\.1:{port}")


def test_three_forms_are_written(events, room, tmp_path):
    screen = events("not event = closed")
    port = room("listen('127.0.0.1', 0)")
    screen.wait(rf"opened.*:{port}\b.*LISTEN")

    def write(name):
        screen.keys("o")
        screen.wait("write to:")
        screen.keys("C-u")
        screen.type(str(tmp_path / name))
        screen.keys("Enter")
        screen.wait(r"\d (rows|events) are in")
        screen.keys("Escape")
        return (tmp_path / name).read_text()

    document = json.loads(write("a.json"))
    assert document["schema"] == "doorward/1" and document["host"]
    told = [one for one in document["events"] if one["event"] == "opened"]
    assert {one["local_port"] for one in told} == {port} and told[0]["holder"]["pid"] == room.pid
    lines = [json.loads(line) for line in write("b.jsonl").splitlines()]
    assert lines == document["events"]
    table = list(csv.DictReader(write("c.csv").splitlines()))
    assert [row["event"] for row in table][-1] == "opened" and table[-1]["local"] == f"127.0.0.1:{port}"
    assert re.search(rf"opened +tcp +127\.0\.0\.1:{port}", write("d"))


def test_the_columns_of_events_are_kept(events, tmp_path):
    screen = events()
    screen.keys("C")
    screen.wait(r"\[x\] +time")
    screen.keys("j", "j", "Space", "Escape")  # proto goes
    screen.wait(lambda shown: "PROTO" not in shown and "EVENT" in shown)
    screen.keys("q")
    assert screen.status() == 0
    kept = (tmp_path / "doorward" / "screen").read_text()
    assert "events columns time,event,local," in kept
    (tmp_path / "status").unlink()
    screen.end()
    events().wait(lambda shown: "PROTO" not in shown and "LOCAL" in shown)


def test_a_screen_of_events(events, room, tmp_path):
    """Character by character, but for what no two hosts have the same: times, and who dialled from where."""
    (tmp_path / "doorward").mkdir()
    (tmp_path / "doorward" / "screen").write_text("events columns time,event,proto,local,remote,process,errno_name,how\n")
    screen = events(columns=100, rows=16, TERM="xterm-256color")
    port = room("listen('127.0.0.1', 8080)")
    room(f"keep(bind('127.0.0.1', 40000)).connect(('127.0.0.1', {port}))")
    assert room(f"bind_error('127.0.0.1', {port})") == 98
    screen.wait(r"refused")
    room("kept.pop(0).close()")  # the listener's, with what nobody accepted; the other end is open, and is reset
    shown = screen.wait(lambda shown: re.search(r"ended +tcp +127.0.0.1:40000", shown) and "working" not in shown)
    shown = re.sub(r"\b\d\d:\d\d:\d\d\b", "00:00:00", re.sub(CLOCK, "00:00:00.000", shown))
    compare(GOLDEN / "host.expected" / "top-events-100x16", shown.encode())


# ---- what was ----

def test_the_tab_begins_with_the_record_without_a_gap_and_without_a_double(top, room, recorder):
    before = [room("listen('127.0.0.1', 0)") for _ in range(5)]
    is_recorded(recorder, lambda seen: {one["local_port"] for one in seen} >= set(before))
    screen = top("--db", recorder.db, "--tab", "events", "event = opened and state = listen", rows=40)
    after = [room("listen('127.0.0.1', 0)") for _ in range(5)]
    screen.wait(rf"opened.*:{after[-1]}\b")
    shown = screen.wait(r"started +watching by bpf")
    ports = [int(re.search(r"127\.0\.0\.1:(\d+)", row)[1]) for row in rows_of(shown) if "opened" in row]
    assert ports == before + after
    assert "nobody watched" not in shown


def test_where_nobody_records_any_more_a_gap_is_told(top, room, recorder):
    port = room("listen('127.0.0.1', 0)")
    is_recorded(recorder, lambda seen: port in {one["local_port"] for one in seen})
    recorder.stop()
    screen = top("--db", recorder.db, "--tab", "events")
    shown = screen.wait(r"gap +nobody watched for .*: no recorder runs")
    assert re.search(rf"opened.*:{port}\b", shown)


def test_the_walk_goes_on_into_the_record(top, room, recorder):
    """Each change of the record is a step, and its colours say what it was."""
    one = room("listen('127.0.0.1', 0)")
    is_recorded(recorder, lambda seen: any(i["local_port"] == one for i in seen))  # steps are of a millisecond
    other = room("listen('127.0.0.1', 0)")
    is_recorded(recorder, lambda seen: any(i["local_port"] == other for i in seen))
    room("kept.pop().close()")
    is_recorded(recorder, lambda seen: any(i["local_port"] == other and i["closed"] for i in seen))
    before = os.stat(recorder.db).st_ino
    screen = top("--db", recorder.db)
    screen.wait(rf"127\.0\.0\.1 +{one}\b")
    screen.keys("Space")  # no more looks are kept

    def step(key, wanted):
        for _ in range(40):
            shown = settled(screen)
            if re.search(wanted, shown, re.M):
                return shown
            screen.keys(key)
            if "(recorded" in shown:  # each step there has a moment of its own; a second key would go too far
                screen.wait(lambda now, before=shown: now != before and "looking into" not in now)
                continue
            for _ in range(50):  # a look within the same second shows the same
                if screen.shown() != shown:
                    break
                time.sleep(0.02)
            screen.wait(lambda shown: "looking into" not in shown and
                        (" recorded " not in shown.split("\n", maxsplit=1)[0] or "as of" in shown))
        raise AssertionError(f"{wanted} never came:\n{screen.shown()}")

    shown = step("<", rf"as of \d{{4}}-\d\d-\d\d {CLOCK} \(recorded\)(?s:.)*127\.0\.0\.1 +{other}\b")
    assert re.search(rf"127\.0\.0\.1 +{one}\b", shown) and "recorded" in shown.split("\n")[0]
    step("<", rf"\(recorded[^)]*\)(?s:.)*^(?!(?s:.)*127\.0\.0\.1 +{other}\b)(?s:.)*127\.0\.0\.1 +{one}\b")
    step(">", rf"127\.0\.0\.1 +{other}\b")  # and forth
    screen.keys("4")  # events until then
    shown = screen.wait(lambda shown: "recorded" in shown and rows_of(shown))
    assert re.search(rf"opened.*:{other}\b", shown) and not re.search(rf"closed.*:{other}\b", shown)
    screen.keys("1", "Escape")
    screen.wait(lambda shown: "recorded" not in shown and "past" not in shown and re.search(rf"\b{one}\b", shown))
    assert os.stat(recorder.db).st_ino == before


def was_open_at(room, recorder):
    """A listener that was open and is closed: its port, and as it is typed a moment at which it was open. That is to the
    millisecond, and not rounded up: what comes next is not to have happened by then."""
    port = room("listen('127.0.0.1', 0)")
    is_recorded(recorder, lambda seen: port in {one["local_port"] for one in seen})
    at = f"@{time.time_ns() // 1_000_000 / 1000:.3f}"
    room("kept.pop().close()")
    is_recorded(recorder, lambda seen: any(i["local_port"] == port and i["closed"] for i in seen))
    return port, at


def test_a_moment_is_typed(top, room, recorder):
    port, at = was_open_at(room, recorder)
    screen = top("--db", recorder.db)
    screen.keys("@")
    screen.wait("as of:")
    screen.type("tomorow")
    screen.keys("Enter")
    screen.wait(r"^ +\^|is no|did you mean")
    screen.keys("C-u")
    screen.type(at)
    screen.keys("Enter")
    screen.wait(rf"\(recorded\)(?s:.)*127\.0\.0\.1 +{port}\b")
    screen.keys("@")
    screen.type("2 days ago")
    screen.keys("Enter")
    shown = screen.wait("not complete")
    assert str(port) not in shown
    screen.keys("Escape")
    screen.wait(lambda shown: "as of" not in shown)


def test_keys_are_answered_while_the_record_is_read(top, room, recorder):
    """The thread that reads it is held where it does, for as long as that takes."""
    port, at = was_open_at(room, recorder)
    screen = top("--db", recorder.db)
    screen.keys("@")
    screen.wait("as of:")
    screen.type(at)
    with held_thread(screen.pids()[1], "doorward-past", in_reading=True, after=lambda: screen.keys("Enter")):
        screen.wait("looking into the record")
        screen.keys("?")
        screen.wait("whole story")
        screen.keys("Escape", "3")
        screen.wait("TCP, ")
        screen.keys("1")
        screen.wait("ADDRESS")
        other = room("listen('127.0.0.1', 0)")
        screen.wait(rf"127\.0\.0\.1 +{other}\b")  # what is now goes on
        assert "recorded" not in screen.shown()
    screen.wait(rf"\(recorded\)(?s:.)*127\.0\.0\.1 +{port}\b")


def test_without_a_record_there_is_nothing_earlier(top, room, tmp_path):
    screen = top(shows="Doors")
    for _ in range(100):
        screen.keys("<")
        if "nothing earlier is kept" in screen.shown():
            break
    screen.wait("nothing earlier is kept|as of")
    assert subprocess.run([program("DOORWARD", "src/doorward"), "top", "--db", tmp_path / "none.db"],
                          capture_output=True, text=True, check=False).returncode == 3


def test_doors_remember_connections(top, room):
    """Walking back on Connections shows those of a moment at which Doors was looked at."""
    port = room("listen('127.0.0.1', 0)")
    screen = top()
    screen.wait(rf"127\.0\.0\.1 +{port}\b")
    room(f"keep(socket.create_connection(('127.0.0.1', {port})))")
    room("keep(kept[0].accept()[0])")
    stamp = re.search(r"\d\d:\d\d:\d\d", screen.shown().split("\n")[0])[0]
    screen.wait(lambda shown: re.search(r"\d\d:\d\d:\d\d", shown.split("\n")[0])[0] > stamp)
    screen.wait(lambda shown, last=[]: (last.append(shown), len(set(last)) > 2)[1] or True)
    screen.keys("2")
    screen.wait(rf"127\.0\.0\.1:{port} .*accepted")
    room("kept.pop().close(); kept.pop().close()")
    screen.wait(lambda shown: "ESTABLISHED" not in shown)
    screen.keys("<")
    screen.wait("past")
    for _ in range(50):
        if "ESTABLISHED" in screen.shown():
            break
        screen.keys("<")
    screen.wait(rf"127\.0\.0\.1:{port} .*ESTABLISHED")


def test_where_nobody_watches_events_it_says_so(top, room):
    """And not that it is about to."""
    port = room("listen('127.0.0.1', 0)")
    screen = top()
    screen.wait(rf"127\.0\.0\.1 +{port}\b")
    screen.keys("Space", "4")
    screen.wait("nobody watches events while it is paused")
    screen.keys("Space")
    screen.wait("started +watching by")
    screen.end()
    screen = top()
    screen.wait(rf"127\.0\.0\.1 +{port}\b")
    stamp = re.search(r"\d\d:\d\d:\d\d", screen.shown().split("\n")[0])[0]
    screen.wait(lambda shown: re.search(r"\d\d:\d\d:\d\d", shown.split("\n")[0])[0] > stamp)
    screen.keys("<")
    screen.wait("past")
    screen.keys("4")
    screen.wait("nobody watched events then")
    screen.keys("Escape")
    screen.wait("started +watching by")


# ---- what a right is needed for ----

@pytest.mark.needs("root")
def test_without_rights_it_says_what_it_cannot_see(tmp_path, top, room):
    os.chmod(tmp_path, 0o777)
    screen = top("--tab", "events", netns="self", prefix=["nsenter", "-t", room.pid, "--net", "--", "setpriv", "--reuid=65534",
                                            "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"])
    shown = screen.wait(r"started +watching by netlink|Permission|not permitted")
    assert re.search("BPF|not permitted|cannot", shown)
