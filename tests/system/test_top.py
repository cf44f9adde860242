# SPDX-License-Identifier: GPL-2.0-or-later
"""The terminal screen in tmux: what it shows, at every size, now and as it was."""

import os
import re
import socket
import subprocess
import sys

import pytest
from conftest import NOBODY, program
from held_thread import held_thread
from screen import listener, screens, width

pytestmark = pytest.mark.needs("program:tmux")


@pytest.fixture
def top(tmp_path):
    """top(*words): the screen, up when this returns."""
    with screens(tmp_path) as start:
        yield start


def line_of(screen, port):
    return next((line for line in screen.lines() if re.search(rf"^..(?:tcp|udp).*\b{port}\b", line)), None)


# ---- what is shown ----

def test_a_listener_appears_is_marked_and_goes(top):
    screen = top("--interval", "200ms", f"pid = {os.getpid()}")
    screen.wait("PORT")
    made, port = listener()
    shown = screen.wait(rf"^\+ tcp +127\.0\.0\.1 +{port}\b", colours=False)
    assert "python" in line_of(screen, port)
    screen.wait(rf"^  tcp +127\.0\.0\.1 +{port}\b")  # it has faded
    made.close()
    screen.wait(rf"^- tcp +127\.0\.0\.1 +{port}\b")  # it stays a moment, and says so
    screen.wait(lambda shown: not re.search(rf"\b{port}\b", shown))
    assert shown


def test_colours_say_the_same(top):
    screen = top("--interval", "200ms", f"pid = {os.getpid()}")
    screen.wait("PORT")
    made, port = listener()
    screen.wait(rf"\x1b\[[\d;]*(?:32|92|38;5;(?:83|71|108))[\d;]*m.*{port}", colours=True)  # new is a green
    screen.wait(rf"^. tcp +127\.0\.0\.1 +{port}\b")
    made.close()
    screen.wait(rf"\x1b\[[\d;]*(?:31|38;5;(?:203|167|138)|91)[\d;]*m.*{port}", colours=True)  # gone is a red


def test_no_colour_where_none_is_wanted(top):
    server, port = listener()
    screen = top(f"port = {port}", NO_COLOR="1")
    screen.wait(f"{port}.*python")
    assert not re.search(r"\x1b\[[\d;]*(?:3[0-8]|4[0-8]|9\d)[\d;]*m", screen.shown(colours=True))
    assert re.search(r"\x1b\[[\d;]*7m", screen.shown(colours=True))  # the bars and the chosen row are there all the same
    server.close()


def test_connections_have_both_ends_a_role_and_rates(top):
    server, port = listener()
    client = socket.create_connection(("127.0.0.1", port))
    accepted, _ = server.accept()
    screen = top("--tab", "connections", "--interval", "200ms", f"port = {port} or peer_port = {port}", columns=140)
    screen.wait(rf"127\.0\.0\.1:{port} +127\.0\.0\.1:{client.getsockname()[1]} +accepted +python")
    screen.wait(rf"127\.0\.0\.1:{client.getsockname()[1]} +127\.0\.0\.1:{port} +dialled +python")

    def is_moving(shown):
        client.sendall(b"x" * 65536)
        accepted.recv(1 << 20)
        return re.search(rf":{port} .*accepted.* \d[\d.]* [KM]iB", shown)

    screen.wait(is_moving)
    for made in (client, accepted, server):
        made.close()


def test_rows_are_those_of_list(top):
    server, port = listener()
    screen = top(f"port = {port}")
    screen.wait(rf"127\.0\.0\.1 +{port}")
    listed = subprocess.run([program("DOORWARD", "src/doorward"), "list", f"port = {port}"], capture_output=True,
                            text=True, check=True).stdout.split("\n")[1].split()
    assert line_of(screen, port)[2:].split()[:3] == listed[:3]  # without the sign: a fork holds it for a moment
    server.close()


def test_a_name_of_escape_sequences_is_only_text(top, scene):
    made = scene("tcp-listener", name="\x1b[2J\x1b]0;x\x07\n")
    screen = top(f"port = {made.port}")
    shown = screen.wait(rf"\b{made.port}\b")
    assert r"\e[2J\e]0;x\x07" in shown or r"\e[2J" in shown
    assert "Doors" in shown


def test_bidirectional_marks_in_a_name_are_shown(top, scene):
    made = scene("tcp-listener", name="a\u202eb")
    screen = top(f"port = {made.port}")
    assert r"a\u{202e}b" in screen.wait(rf"\b{made.port}\b")


# ---- the filter ----

def test_an_error_of_the_filter_stands_under_its_place(top):
    screen = top()
    screen.keys("/")
    screen.type("port = 1 and prot = tcp")
    shown = screen.wait("did you mean proto")
    lines = shown.rstrip("\n").split("\n")
    typed, below = lines[-2], lines[-1]
    assert typed.startswith("/port = 1 and prot")
    assert below[typed.index("prot =")] == "^"
    for _ in range(len("t = tcp")):
        screen.keys("BSpace")
    screen.keys("Tab")  # completes
    screen.type(" = tcp")
    screen.wait(r"^/port = 1 and proto = tcp")
    screen.wait("Enter keep")


def test_a_filter_shows_while_it_is_typed_and_goes_with_escape(top):
    one, port = listener()
    two, other = listener()
    screen = top(f"pid = {os.getpid()}")
    screen.keys("/", "C-u")
    screen.type(f"port = {port}")
    screen.wait(lambda shown: str(port) in shown and not re.search(rf"127\.0\.0\.1 +{other}\b", shown))
    screen.keys("Enter")
    screen.wait(f"filter: port = {port}")
    screen.keys("Escape")
    screen.wait(lambda shown: "filter:" not in shown)
    one.close()
    two.close()


# ---- groups, order, columns ----

@pytest.mark.needs("root")
def test_doors_of_another_namespace_are_told_apart(top, tmp_path):
    """Else two rows are the same to the eye. Where all are of ours, the column is not there."""
    made, port = listener()
    screen = top(f"port = {port}", columns=120)
    shown = screen.wait(rf"\b{port}\b")
    assert "NETNS" not in shown
    inside = (f"import socket\ns = socket.create_server((\"0.0.0.0\", {port}))\nprint(1, flush=True)\ninput()")
    with subprocess.Popen(["unshare", "--net", sys.executable, "-c", inside], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as other:
        assert other.stdout.readline() == "1\n"
        number = os.stat(f"/proc/{other.pid}/ns/net").st_ino
        shown = screen.wait("NETNS")
        assert re.search(rf"127\.0\.0\.1 +{port}.* self\b", shown) and re.search(rf"0\.0\.0\.0 +{port}.* {number}\b", shown)
        screen.keys("o", "C-u")
        screen.type(str(tmp_path / "both.csv"))
        screen.keys("Enter")
        screen.wait("2 rows are in")
        assert str(number) in (tmp_path / "both.csv").read_text()
        rows = [line for line in screen.lines() if str(port) in line and "tcp" in line]
        screen.keys("Home", *["Down"] * [str(number) in row for row in rows].index(True), "w")
        screen.wait(rf"^ why tcp/{port} inside network namespace {number}")
        screen.keys("Escape")
        screen.wait("NETNS")
        other.stdin.close()
    screen.wait(lambda shown: "NETNS" not in shown)
    screen.keys("o", "C-u")
    screen.type(str(tmp_path / "one.csv"))
    screen.keys("Enter")
    screen.wait("1 row is in")
    assert "namespace" not in (tmp_path / "one.csv").read_text()
    made.close()


def test_groups_are_made_of_what_rows_share(top):
    made = [listener() for _ in range(3)]
    screen = top("port in (" + ", ".join(str(port) for _, port in made) + ")")
    screen.wait("3 rows of 3 sockets")
    title = screen.wait("^  PROTO.*PORT.*USER").split("\n")[2]
    screen.keys("g")  # by process
    screen.wait("1 row of 3 sockets +by process")
    assert screen.lines()[2] != title
    screen.keys("g", "g", "g", "g")
    screen.wait(lambda shown: re.search("3 rows of 3 sockets +filter", shown))
    screen.wait(lambda shown: shown.split("\n")[2] == title)  # no column stays as wide as the groups were
    for one, _ in made:
        one.close()


def test_columns_and_order_are_kept(top, tmp_path):
    screen = top()
    screen.wait("PORT")
    screen.keys("C")
    screen.wait(r"\[x\] +proto")
    screen.keys("Space", "s")  # proto goes; the next is sorted by
    screen.keys("Escape")
    screen.wait(lambda shown: "PROTO" not in shown and "▲" in shown)
    screen.keys("q")
    assert screen.status() == 0
    kept = (tmp_path / "doorward" / "screen").read_text()
    assert "doors columns shown_address" in kept and "proto" not in kept.split("\n")[1].split()[2].split(",")
    (tmp_path / "status").unlink()
    screen.end()
    again = top()
    again.wait(lambda shown: "PROTO" not in shown and "ADDRESS" in shown)


def test_of_a_newer_file_what_is_known_is_kept_and_the_rest_said(top, tmp_path):
    (tmp_path / "doorward").mkdir()
    (tmp_path / "doorward" / "screen").write_text("doors columns pid,of_tomorrow,port\n")
    screen = top(columns=200)
    screen.wait(r"screen:1 is not understood, and passed over")
    screen.wait(r"^ +PID +PORT$")


@pytest.mark.parametrize("kind", ["noise", "escapes", "huge", "folder", "fifo", "endless", "twice"])
def test_whatever_stands_in_the_place_of_the_file_it_comes_up(top, tmp_path, kind):
    (tmp_path / "doorward").mkdir()
    file = tmp_path / "doorward" / "screen"
    if kind == "folder":
        file.mkdir()
    elif kind == "fifo":
        os.mkfifo(file)
    elif kind == "endless":
        file.symlink_to("/dev/zero")
    else:
        file.write_bytes({"noise": bytes(range(1, 256)) * 300, "escapes": b"\x1b[2J\x1b]0;x\x07 columns port\n",
                          "huge": b"#" * 3_000_000, "twice": b"doors columns port,port,pid,port\n"}[kind])
    screen = top(columns=200)
    shown = screen.wait("PORT")
    assert shown.count("PORT") == 1
    if kind in ("noise", "escapes", "twice"):
        screen.wait("screen:1 is not understood, and passed over")
    screen.keys("s")
    screen.wait(r"[▲]")
    if kind != "folder":
        assert "doors sort " in file.read_text()


@pytest.mark.needs("root")
def test_that_a_choice_is_not_kept_is_said_once(top, tmp_path):
    (tmp_path / "doorward").mkdir()
    os.chown(tmp_path / "doorward", NOBODY, NOBODY)
    screen = top(columns=200)
    screen.wait("PORT")
    screen.keys("g")
    screen.wait("not kept for next time: .*doorward is another's")
    screen.keys("g")
    screen.wait("grouped by: unit")


def test_the_selection_follows_its_socket(top):
    made = sorted((listener() for _ in range(3)), key=lambda one: one[1])
    ports = [port for _, port in made]
    screen = top("--interval", "200ms", "port in (" + ", ".join(map(str, ports)) + ")", NO_COLOR="1")
    screen.wait("3 rows")
    screen.keys("Down", "Down")
    chosen = rf"\x1b\[(?:\d;)*7m[^\n]*{ports[2]}"
    screen.wait(chosen, colours=True)
    made[0][0].close()  # the row above it goes
    screen.wait("2 rows")
    screen.wait(lambda shown: not re.search(rf"\b{ports[0]}\b.*\n", shown.split("filter")[-1].split("\n", 1)[-1]))
    screen.wait(chosen, colours=True)
    for one, _ in made:
        one.close()


# ---- time ----

def test_a_pause_holds_still_and_the_past_is_walked_through(top):
    screen = top("--interval", "200ms", f"pid = {os.getpid()}")
    made, port = listener()
    screen.wait(rf"\b{port}\b")
    seconds = set()  # it is in many of the looks that are kept: one key more is not past them
    screen.wait(lambda shown: seconds.add(re.search(r"\d\d:\d\d:\d\d", shown).group()) or len(seconds) > 4)
    screen.keys("Space")
    screen.wait("paused")
    made.close()
    assert re.search(rf"\b{port}\b", screen.shown())
    screen.keys("Space")
    screen.wait(lambda shown: not re.search(rf"\b{port}\b", shown))
    for _ in range(400):
        screen.keys("<")
        if line_of(screen, port):
            break
    shown = screen.wait(rf"\b{port}\b")
    assert re.search(r"past .*\n.*ago: one of \d+ kept, [\d.]+ [KM]iB", shown)
    screen.keys("Escape")
    screen.wait(lambda shown: "ago:" not in shown and not re.search(rf"\b{port}\b", shown))


def test_what_is_looked_at_may_be_the_last_of_the_past(top):
    """The memory goes on meanwhile: behind it is still nothing, and not what is nearly now."""
    held = [listener()[0] for _ in range(300)]
    screen = top("--interval", "100ms", "--past", "1")
    screen.wait(r"\d rows")
    for _ in range(100):
        screen.keys("<")
        shown = screen.shown()
        if "nothing earlier is kept" in shown and re.search("past .*:", shown):  # with one look there is nothing earlier either
            break
    clock = re.search(r"past (\d\d:\d\d:\d\d)", screen.wait("past .*:")).group(1)
    screen.wait(r" (1\d|[6-9]) s ago")  # by then it has gone from what is kept
    screen.keys("/", "Escape", "<")
    screen.wait("nothing earlier is kept")
    assert f"past {clock}" in screen.shown()
    screen.keys(">")
    screen.wait(lambda shown: "past" in shown and clock not in shown)
    for one in held:
        one.close()


def test_that_it_is_not_now_is_told_however_narrow(top):
    screen = top("--interval", "200ms", columns=20, rows=5)
    seconds = []
    screen.wait(lambda shown: "PROTO" in shown and (seconds.append(0) or len(seconds) > 40))
    screen.keys("@")
    screen.type("1000d")
    screen.keys("Enter")
    screen.wait("nothing earlier")
    screen.keys("<")
    screen.wait(lambda shown: "past" in shown.split("\n")[0] and "nothing earlier" not in shown)
    screen.keys("Escape", "Space")
    screen.wait(lambda shown: "paused" in shown.split("\n")[0])


def test_later_than_now_there_is_nothing(top):
    screen = top()
    screen.keys(">")
    screen.wait("this is now")


# ---- no key waits ----

def test_keys_are_answered_while_a_snapshot_is_taken(top):
    """The thread that looks is held in the middle of a look, for as long as it takes."""
    made, port = listener()
    screen = top("--interval", "100ms", f"port = {port}")
    screen.wait(rf"127\.0\.0\.1 +{port}")
    with held_thread(screen.pids()[1], "doorward-look", in_reading=True):
        clock = screen.lines()[0].split()[-1]
        screen.keys("?")
        screen.wait("whole story")
        screen.keys("Escape", "3")
        screen.wait("TCP, ")
        screen.keys("1", "g")
        screen.wait(r"by process(?s:.)*\bpython")
        screen.keys("/")
        screen.type(" or port = 1")
        screen.keys("Enter")
        screen.wait(rf"filter: port = {port} or port = 1")
        screen.keys("<", "Space", ">")
        screen.wait("paused|this is now")
        assert screen.lines()[0].split()[-1] <= clock, "a look went on"
    screen.keys("q")
    assert screen.status() == 0
    made.close()


def test_until_a_filter_is_applied_nothing_is_said_of_what_matches(top):
    screen = top(f"pid = {os.getpid()} and port = 1")
    screen.wait("nothing matches the filter")
    screen.keys("Space")
    screen.wait("paused")
    with held_thread(screen.pids()[1], "doorward-show"):
        screen.keys("Escape")
        shown = screen.wait("looking[.]{3}")
        assert "nothing is there" not in shown and "filter:" not in shown
    screen.wait(lambda shown: "looking..." not in shown)


# ---- sizes ----

@pytest.mark.parametrize("tab", ["doors", "connections", "map"])
def test_every_size(top, tab):
    screen = top("--tab", tab, columns=80, rows=24)
    for columns, rows in [(20, 5), (21, 6), (30, 7), (40, 8), (80, 24), (132, 43), (200, 60), (20, 60), (200, 5), (80, 24)]:
        screen.resize(columns, rows)
        def fits(shown, columns=columns, rows=rows):
            lines = shown.rstrip("\n").split("\n")
            return len(lines) <= rows and max(map(width, lines)) <= columns and lines[0].strip() and "1" in lines[0]
        screen.wait(fits)
    screen.wait("Quit|Enter")


@pytest.mark.parametrize("layer,wanted", [("?", "keys"), ("C", "columns"), ("/", "/")])
def test_every_size_of_what_lies_over_it(top, layer, wanted):
    screen = top(columns=80, rows=24)
    screen.wait("PORT")
    screen.keys(layer)
    for columns, rows in [(20, 5), (200, 60), (20, 60), (200, 5), (80, 24)]:
        screen.resize(columns, rows)
        screen.wait(lambda shown: wanted in shown)
    screen.keys("Escape")
    screen.wait("Doors")


# ---- many ----

@pytest.mark.alone
@pytest.mark.needs("memory:1")
def test_fifty_thousand_sockets(top, scene):
    scene("load", processes=20, sockets=50000)
    screen = top("--tab", "connections")
    screen.wait(r"^ \d{5,} rows of \d{5,} sockets")
    screen.keys("End")
    screen.keys("PgUp")
    screen.keys("/")
    screen.type("port = 1")
    screen.wait("^/port = 1")
    screen.wait("nothing matches")
    screen.keys("q", "Escape", "3")
    screen.wait("TCP, ")
    screen.keys("q")
    assert screen.status() == 0
