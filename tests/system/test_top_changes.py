# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows of the terminal screen in tmux: what became of them, what they are grouped by, what a user may do to them."""

import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from conftest import NOBODY
from screen import PATIENCE, listener, screens

pytestmark = pytest.mark.needs("program:tmux")

NEW, CHANGED, GONE = (83, 71, 108), (227, 179, 144), (203, 167, 138)  # of the 256: bright, faded, nearly gone


@pytest.fixture
def top(tmp_path):
    with screens(tmp_path, "--netns", "self") as start:
        yield start


def look(screen, port):
    """(sign, colour of 256 of its text) of the row, or None."""
    for line in screen.shown(colours=True).split("\n"):
        bare = re.sub(r"\x1b\[[\d;]*m", "", line)
        if re.match(rf"^. tcp .*\b{port}\b", bare):
            colour = re.search(r"38;5;(\d+)", line)
            return bare[0], int(colour.group(1)) if colour else None
    return None


def course(screen, port, until):
    """Each look of the row once, in their order. How long each stands is held by tests/unit/test-arrange.c."""
    looks, end = [], time.monotonic() + PATIENCE
    while time.monotonic() < end:
        now = look(screen, port)
        if not looks or looks[-1] != now:
            looks.append(now)
        if until(now):
            return looks
    raise AssertionError(looks)


def waiting(screen, port, sign):
    screen.wait(rf"^\{sign} tcp .*\b{port}\b")


def test_new_is_green_and_fades(top, scene):
    screen = top(TERM="xterm-256color")
    screen.wait("rows? of|nothing")
    port = scene("tcp-listener").port  # one of this process would be changed: each tmux that it starts holds it until its exec
    waiting(screen, port, "+")
    looks = course(screen, port, lambda now: now and now[0] == " ")
    assert set(looks[:-1]) <= {("+", colour) for colour in NEW} and looks[-2][1] in NEW[1:]


def test_changed_is_yellow_and_fades(top):
    made, port = listener()
    screen = top(TERM="xterm-256color")
    screen.wait(rf"^  tcp .*\b{port}\b")
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=[made.fileno()]) as holder:
        waiting(screen, port, "~")  # it has another holder too
        looks = course(screen, port, lambda now: now and now[0] == " ")
        assert set(looks[:-1]) <= {("~", colour) for colour in CHANGED} and looks[-2][1] in CHANGED[1:]
        holder.send_signal(signal.SIGKILL)
    made.close()


def test_gone_is_red_stays_until_it_has_faded_and_is_never_told_as_there(top):
    made, port = listener()
    screen = top(TERM="xterm-256color")
    screen.wait(rf"^  tcp .*\b{port}\b")
    made.close()
    waiting(screen, port, "-")
    looks = course(screen, port, lambda now: now is None)
    assert {now for now in looks if now} <= {("-", colour) for colour in GONE} and looks[-2][1] in GONE[1:]


def test_what_is_gone_has_no_cell_of_a_column_that_was_not_there(top):
    """It is drawn with the columns of the moment before all is arranged anew with another one."""
    made, port = listener()
    screen = top("--interval", "200ms", f"port = {port}")
    screen.wait(rf"^  tcp .*\b{port}\b")
    made.close()
    screen.wait(rf"^- tcp .*\b{port}\b")
    screen.keys("C", "End", *["Space"] * 6, "Escape", "2", "1")
    screen.wait("nothing matches")


@pytest.mark.parametrize("words,paused", [(["--interval", "5s"], False), (["--interval", "500ms"], True)])
def test_where_no_look_comes_soon_what_is_gone_goes_all_the_same(top, words, paused):
    made, port = listener()
    screen = top("--netns", "self", *words, f"port = {port}")
    screen.wait(rf"^  tcp .*\b{port}\b")
    made.close()
    if not paused:
        screen.keys("3", "2", "1")  # another tab may ask anew; then it is looked at by and by
    screen.wait(rf"^- tcp .*\b{port}\b")
    if paused:
        screen.keys("Space")
        screen.wait("paused")
    seen = set()

    def is_away(shown):
        seen.update(line[0] for line in shown.split("\n") if re.search(rf"\b{port}\b", line) and "tcp" in line)
        return "nothing matches" in shown

    screen.wait(is_away)
    assert seen == {"-"}  # never as if it were there


# ---- groups and columns ----

def test_each_group_is_there(top):
    """By service (a connection is one for itself), process, unit, container, peer, and none: of two peers."""
    server, port = listener()
    ends = []
    for source in ("127.0.0.1", "127.0.0.1", "127.0.0.2"):
        client = socket.create_connection(("127.0.0.1", port), source_address=(source, 0))
        ends += [client, server.accept()[0]]
    screen = top("--tab", "connections", f"port = {port}")
    screen.wait("3 rows of 3 sockets  filter")
    for by, rows in (("service", 3), ("process", 1), ("unit", 1), ("container", 1), ("peer", 2), ("none", 3)):
        screen.keys("g")
        screen.wait(f"^ {rows} rows? of 3 sockets" + (f"  by {by}" if by != "none" else "  filter"))
    for one in [*ends, server]:
        one.close()


def test_it_is_sorted_by_each_column_that_is_there_and_called_by_its_title(top):
    made, port = listener()
    screen = top(f"port = {port}", columns=160)
    titles = screen.wait(rf"\b{port}\b").split("\n")[2].split("  ")
    for title in [title.strip() for title in titles if title.strip()]:
        screen.keys("s")
        screen.wait(rf"^sorted by: {title}$")
        screen.wait(f"{title}[▲▼]")
    screen.keys("s")
    screen.wait("^sorted by: protocol, port and address$")
    made.close()


def test_a_column_is_moved_and_stays_where_it_was_put(top, tmp_path):
    screen = top()
    screen.wait("PROTO +ADDRESS")
    screen.keys("C")
    screen.wait("Space in or out")
    screen.keys(">", ">", "Left", "Escape")  # proto, two to the right and one back
    screen.wait("ADDRESS +PROTO +PORT")
    screen.keys("q")
    assert screen.status() == 0
    (tmp_path / "status").unlink()
    screen.end()
    top().wait("ADDRESS +PROTO +PORT")


# ---- what a right is needed for ----

@pytest.mark.needs("root")
def test_what_a_user_may_not_do_is_dimmed_and_its_key_says_why(top, tmp_path):
    os.chmod(tmp_path, 0o777)
    made, port = listener()
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    screen = top(f"port = {port}", prefix=user, TERM="xterm-256color")
    screen.wait(rf"{port} .*\(unseen\)")
    bar = screen.shown(colours=True).rstrip().split("\n")[-1]
    for label, is_dim in (("Close", True), ("Block", True), ("Why", False), ("Filter", False)):
        at = bar.index(label)
        codes = "".join(re.findall(r"\x1b\[([\d;]*)m", bar[:at])[-3:])
        assert (re.search(r"38;5;243", codes) is not None) == is_dim, (label, bar)
    screen.keys("c")
    screen.wait("c: its process may not be inspected: run it with sudo")
    screen.keys("b")
    screen.wait("b: it needs CAP_NET_ADMIN: run it with sudo")
    screen.keys("?")
    screen.wait(lambda shown: "not now: it needs CAP_NET_ADMIN" in " ".join(shown.split()))
    made.close()
