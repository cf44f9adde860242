# SPDX-License-Identifier: GPL-2.0-or-later
"""The terminal screen in tmux: what its keys do, and what stands of them in the help."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys

import pytest
from conftest import NOBODY, program
from screen import Tmux, listener, screens

pytestmark = pytest.mark.needs("program:tmux")


@pytest.fixture
def top(tmp_path):
    """top(*words): the screen, up when this returns."""
    with screens(tmp_path) as start:
        yield start


def test_enter_tells_the_story(top):
    made, port = listener()
    screen = top(f"port = {port}")
    screen.wait(rf"127\.0\.0\.1 +{port}")
    screen.keys("Enter")
    shown = screen.wait("^   held by")
    assert f"story of tcp/{port}" in shown
    screen.keys("Escape")
    screen.wait("Doors")
    made.close()


def test_a_close_shows_its_plan_asks_and_is_done(top, scene):
    made = scene("tcp-listener")
    screen = top("--interval", "200ms", f"port = {made.port}")
    screen.wait(rf"127\.0\.0\.1 +{made.port}")
    screen.keys("c")
    shown = screen.wait("Do it")
    assert "SIGTERM" in shown and str(made.port) in shown
    screen.keys("n")
    screen.wait("Doors")
    assert socket.create_connection(("127.0.0.1", made.port)).close() is None, "no is no"
    screen.keys("c")
    screen.wait("Do it")
    screen.keys("y")
    screen.wait("free")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", made.port))
    screen.keys("Escape")
    screen.wait(lambda shown: not re.search(rf"127\.0\.0\.1 +{made.port}", shown))


STUBBORN = '''import signal, socket, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
door = socket.create_server(("127.0.0.1", 0))
print(door.getsockname()[1], flush=True)
sys.stdin.read()'''


def test_what_was_left_is_no_answer_to_what_is_asked_then(top):
    """A closing that is left while it waits for its process ends later: its outcome is told, and is no story."""
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stubborn:
        port = int(stubborn.stdout.readline())
        screen = top("--netns", "self", f"port = {port}")
        screen.wait(rf"\b{port}\b")
        screen.keys("c")
        screen.wait("Do it")
        screen.keys("y")
        screen.wait("closing.*(.|\n)*working")
        screen.keys("Escape", "Enter")
        shown = screen.wait(r"story of(.|\n)*(held by|still bound)")
        assert f"Port {port}" in shown and "still bound" not in shown
        screen.keys("Escape")
        screen.wait(rf"^tcp/127\.0\.0\.1:{port} +still bound")
        stubborn.stdin.close()


def test_an_answer_on_a_terminal_that_has_become_narrow_is_whole(top, scene):
    made = scene("tcp-listener")
    screen = top("--netns", "self", f"port = {made.port}", columns=120)
    screen.wait(rf"\b{made.port}\b")
    screen.keys("c")
    screen.wait("Do it")
    screen.resize(24, 30)
    shown = " ".join(screen.wait(r"no\s*\Z").split())
    assert f"(pid {made.pid})" in shown and "will send SIGTERM to" in shown and "…" not in shown
    assert "Do it? y yes f by force Esc no" in shown
    screen.resize(120, 24)
    screen.wait("Do it. y yes  f by force  Esc no")
    screen.keys("Escape", "b")
    screen.wait("is not blocked|CAP_NET_ADMIN")
    screen.resize(40, 12)
    screen.wait(lambda text: "o from outside only Esc no" in " ".join(text.split()) or "CAP_NET_ADMIN" in text)


def test_why_and_deliver_answer(top, scene):
    made = scene("tcp-listener")  # its socket is in no child of ours that is about to run tmux
    port = made.port
    screen = top("--netns", "self", f"port = {port}")
    screen.wait(rf"\b{port}\b")
    screen.keys("w")
    screen.wait("EADDRINUSE")
    screen.keys("Escape")
    screen.wait("Doors")
    screen.keys("d")
    assert str(port) in screen.wait("a packet to")
    screen.wait(rf"pid {made.pid}\b")


@pytest.mark.needs("root")
def test_block_and_unblock(tmp_path):
    """In a network namespace of the test's own: the packet filter of nobody else is touched."""
    script = tmp_path / "run"
    script.write_text(f"#!/bin/sh\nexec unshare --net sh -c 'ip link set lo up; (sleep 600 | python3 -c \""
                      "import socket; s = socket.create_server((\\\"127.0.0.1\\\", 8080)); input()\") & "
                      f"exec {program('DOORWARD', 'src/doorward')} top --interval 200ms --netns self tcp'\n")
    script.chmod(0o755)
    screen = Tmux(tmp_path, [str(script)])
    try:
        screen.wait(r"127\.0\.0\.1 +8080")
        screen.keys("b")
        if "nf_tables" in screen.wait("Refuse new traffic|packet filter"):
            pytest.skip("no nf_tables here")
        screen.keys("y")
        screen.wait("is refused until it is unblocked")
        screen.keys("Escape")
        screen.wait("Doors")
        screen.keys("b")
        screen.wait("Let it in again")
        screen.keys("y")
        screen.wait("1 unblocked")
    finally:
        screen.end()


@pytest.mark.needs("root")
def test_what_is_in_another_namespace_is_closed_there(top):
    """The plan says where; and what was given back meanwhile is not read, for it is overwritten at once."""
    inside = "import socket\ns = socket.create_server(('0.0.0.0', 0))\nprint(s.getsockname()[1], flush=True)\ninput()"
    with subprocess.Popen(["unshare", "--net", sys.executable, "-c", inside], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as other:
        port = int(other.stdout.readline())
        number = os.stat(f"/proc/{other.pid}/ns/net").st_ino
        screen = top(f"port = {port} and netns = {number}", columns=140, MALLOC_PERTURB_="165")
        screen.wait(rf"0\.0\.0\.0 +{port}")
        screen.keys("d")
        screen.wait("there is no address to which a packet could come")
        screen.keys("Escape")
        screen.wait("Doors")
        screen.keys("c")
        assert f"in network namespace net:{number}" in screen.wait("Do it")
        screen.keys("y")
        screen.wait(rf"{port} +free, in network namespace net:{number}")
        assert other.wait(30) == -signal.SIGTERM


@pytest.mark.needs("root", "program:setpriv", "program:ip")
def test_a_user_closes_what_is_his_beside_namespaces_that_he_may_not_enter(tmp_path):
    name = f"doorward-top-{os.getpid()}"
    tmp_path.chmod(0o777)
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    serves = "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); sys.stdin.read()"
    subprocess.run(["ip", "netns", "add", name], check=True)
    screen, process = None, subprocess.Popen([*as_nobody, "/usr/bin/python3", "-c", serves], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        port = int(process.stdout.readline())
        screen = Tmux(tmp_path, [*as_nobody, program("DOORWARD", "src/doorward"), "top", f"port = {port}"])
        screen.wait(rf"127\.0\.0\.1 +{port}")
        screen.keys("c")
        screen.wait("Do it")
        screen.keys("y")
        screen.wait(rf"{port} +free")
        process.wait(30)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
        if screen:
            screen.end()
        subprocess.run(["ip", "netns", "del", name], check=True)


def test_what_is_shown_is_written_to_a_file(top, tmp_path):
    made, port = listener()
    screen = top(f"port = {port}")
    screen.wait(rf"127\.0\.0\.1 +{port}")
    for name, is_right in (("a.json", lambda text: json.loads(text)["sockets"][0]["local_port"] == port
                            if "local_port" in json.loads(text)["sockets"][0] else str(port) in text),
                           ("a.csv", lambda text: str(port) in text and "," in text),
                           ("a.txt", lambda text: str(port) in text and "PROTO" in text)):
        screen.keys("o")
        screen.wait("write to:")
        screen.keys("C-u")
        screen.type(str(tmp_path / name))
        screen.keys("Enter")
        screen.wait(f"^1 {'socket' if name == 'a.json' else 'row'} is in .*{name}")
        assert is_right((tmp_path / name).read_text())
    screen.keys("o", "C-u")
    screen.type(str(tmp_path / "a.txt"))
    screen.keys("Enter")
    screen.wait("it is there a")  # cut where the path is long; nothing that is there is written over
    screen.keys("C-u", "Enter")
    screen.wait("it needs a name")
    screen.type("~/at-home.csv")  # HOME is that directory
    screen.keys("Enter")
    screen.wait("row is in .*at-home.csv")
    assert (tmp_path / "at-home.csv").exists()
    screen.keys("o", "C-u")
    screen.type("~/" + "n/" * 250 + "x")  # with HOME before it, more than is kept of a name
    screen.keys("Enter")
    screen.wait("that name is too long")
    made.close()


def test_what_cannot_be_written_whole_leaves_no_half(top, tmp_path):
    screen = top(prefix=["env", "--ignore-signal=XFSZ", "prlimit", "--fsize=64"], columns=200)
    made, _ = listener()
    screen.wait("rows? of")
    for ending in ("json", "csv", "txt"):
        screen.keys("o", "C-u")
        screen.type(str(tmp_path / f"whole.{ending}"))
        screen.keys("Enter")
        screen.wait(rf"write .*whole\.{ending}: File too large")
        assert not (tmp_path / f"whole.{ending}").exists()
    # nor does it take another away, whose name is where that one begins
    name = str(tmp_path / "").ljust(95, "n")
    pathlib.Path(name).write_text("stays")
    screen.keys("o", "C-u")
    screen.type(f"{name}-and-more.csv")
    screen.keys("Enter")
    screen.wait("write .*: File too large")
    assert pathlib.Path(name).read_text() == "stays"
    assert not pathlib.Path(f"{name}-and-more.csv").exists()
    made.close()


def test_of_the_past_an_answer_says_that_it_is_of_now(top):
    made, port = listener()
    screen = top("--netns", "self", "--interval", "200ms", f"port = {port}")
    screen.wait(rf"127\.0\.0\.1 +{port}")
    made.close()
    screen.wait("nothing matches the filter")
    for _ in range(300):
        screen.keys("<")
        if re.search(rf"127\.0\.0\.1 +{port}", screen.shown()) and "past" in screen.lines()[0]:
            break
    screen.wait(rf"127\.0\.0\.1 +{port}")
    screen.keys("Enter")
    screen.wait(rf"^ story of tcp/{port}, as it is now(?s:.)*Nobody is there")
    screen.keys("Escape")
    screen.wait("Doors")
    screen.keys("c")
    shown = screen.wait(rf"^ close tcp/{port}, as it is now(?s:.)*nothing is open there any more")
    assert "by force" not in shown  # there is nothing to force


def press(screen, text, at=0):
    """On the last place where @text stands, @at characters behind its begin."""
    row, line = [(row, line) for row, line in enumerate(screen.lines(), 1) if text in line][-1]
    place = f"\x1b[<0;{line.rindex(text) + 1 + at};{row}"
    screen.type(f"{place}M{place}m")


def test_keys_that_stand_there_are_pressed_with_the_mouse(top):
    made, port = listener()
    screen = top("--netns", "self", f"port = {port}", prefix=["env", "TERM=xterm-256color"])
    screen.wait(rf"\b{port}\b")
    press(screen, "? Help")
    screen.wait("the whole story")
    press(screen, "PgDn")
    screen.wait("suspend")
    press(screen, "Esc back", at=5)
    screen.wait("Doors")
    press(screen, "C Columns", at=4)
    screen.wait(r"\[x\] +reach")
    press(screen, "[x]   reach", at=1)
    screen.wait(lambda shown: "[x]   reach" not in shown)  # it is behind those that are in
    press(screen, "Esc done")
    screen.wait(lambda shown: "PROTO" in shown and "REACH" not in shown)
    press(screen, "/ Filter", at=2)
    screen.wait("Enter keep")
    press(screen, "Esc as before", at=2)
    screen.wait("Quit")
    press(screen, "c Close")
    screen.wait("Do it")
    for text in ("y yes", "f by force"):  # an answer is typed: a second press may be one too many
        press(screen, text)
    press(screen, "Esc no", at=5)
    screen.wait(rf"Doors(?s:.)*\b{port}\b")
    press(screen, "q Quit")
    assert screen.status() == 0
    made.close()


def test_help_has_every_key(top):
    screen = top(rows=50)
    screen.keys("?")
    shown = screen.wait(r"\bleave$")
    for key in ("Enter", "c ", "b ", "w ", "d ", "/", "g ", "Space", "<, >", "y ", "o ", r"\+, -", "of C", "of c, b", "q, \\^C"):
        assert re.search(rf"^ +{key}", shown, re.M), key
    page = (program("DOORWARD", "src/doorward").replace("src/doorward", "man/doorward-top.1"))
    manual = open(page, encoding="utf-8").read()  # pylint: disable=consider-using-with
    for line in re.findall(r"^   (\S.*?)  +(\S.*?)(?: \(not now.*)?$", shown.split("+ new")[0], re.M):
        assert line[1].rstrip().replace("-", "\\-")[:60] in manual, line


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_help_is_whole_however_narrow(top, columns):
    screen = top("--read", str(pathlib.Path(__file__).parents[1] / "golden" / "host.json"), columns=columns, rows=200)
    screen.keys("?")
    shown = screen.wait(r"\bleave$")
    for wanted in ("the whole story of the port; on the map first its block of 256 (not now: a saved file is shown, not this host)",
                   "y yes, f by force, t for 10 minutes, o from outside only, Esc or n no", "leave"):
        assert wanted in " ".join(shown.split())


def test_help_and_the_way_out_are_in_the_bar_however_narrow(top):
    screen = top(columns=80, rows=24)
    for columns in (80, 60, 40, 24, 140):
        screen.resize(columns, 24)
        screen.wait(r"\? Help q Quit *$")


def test_a_key_that_cannot_be_had_says_why(top, tmp_path, doorward):
    saved = tmp_path / "saved.json"
    saved.write_text(json.dumps(doorward.json("list", "--all")) if hasattr(doorward, "json") else "{}")
    screen = top("--read", str(saved))
    screen.wait("saved")
    screen.keys("c")
    screen.wait("c: a saved file is shown")
    screen.keys("t")
    screen.wait("t: it is for the map")
    screen.keys("-")  # the second of "+, -"
    screen.wait("^-: it is for the map")


def test_what_the_columns_have_to_say_is_seen_over_them(top, tmp_path):
    (tmp_path / "doorward").mkdir()
    (tmp_path / "doorward" / "screen").write_text("doors columns shown_port\n")
    screen = top()
    screen.wait("PORT")
    screen.keys("C")
    screen.wait(r"\[x\] +shown_port")
    screen.keys("Space")
    screen.wait("it is the last: without a column there is no row")
    screen.keys("Down", "Space")
    screen.wait(r"\[x\].*\n \[x\]")


def test_a_drawing_that_cannot_be_had_says_why(top):
    screen = top("--tab", "map", LC_ALL="C")
    screen.wait("TCP")
    screen.keys("m")
    screen.wait("m: it needs a locale of UTF-8")


def test_without_utf8_all_is_ascii(top):
    screen = top("--tab", "map", LC_ALL="C", LANG="C")
    shown = screen.wait("TCP, ")
    screen.keys("1")
    shown += screen.wait("PORT")
    assert shown.isascii()
