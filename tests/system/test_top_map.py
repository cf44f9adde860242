# SPDX-License-Identifier: GPL-2.0-or-later
"""The map of the terminal screen in tmux: each of its places is reached, and told in words."""

import re
import socket
import subprocess
import sys

import pytest
from screen import listener, screens

pytestmark = pytest.mark.needs("program:tmux")


@pytest.fixture
def top(tmp_path):
    with screens(tmp_path) as start:
        yield start


def test_the_map_tells_the_door_under_the_cursor(top, scene):
    made = scene("tcp-listener")
    screen = top("--tab", "map", columns=120, rows=40)
    screen.wait("TCP, ")
    screen.keys("/")
    screen.type(f"port = {made.port}")
    screen.keys("Enter")
    screen.wait("filter:")
    screen.keys("Home")
    screen.keys(*["Down"] * 40)
    screen.keys("End")
    screen.wait("tcp/65[0-9]+")
    screen.keys("t")
    screen.wait("UDP, ")


def test_an_interpreter_is_told_by_what_it_runs(top):
    with subprocess.Popen([sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as server:
        port = int(re.search(r"port (\d+)", server.stdout.readline()).group(1))
        screen = top("--tab", "map", f"port = {port}", LC_ALL="C", rows=40)
        across, down = map(int, re.search(r"(\d+) x (\d+) doors", screen.wait("doors a place")).groups())
        screen.keys("Home", *["Down"] * ((port >> 8) // down), *["Right"] * ((port & 255) // across))
        screen.wait(rf"^tcp/{port}\b.*  python3[.\d]* http.server \({server.pid}\)")
        server.kill()


def test_where_no_look_comes_soon_the_map_forgets_what_has_just_changed(top):
    made = socket.create_server(("127.0.0.1", 0))
    port = made.getsockname()[1]
    screen = top("--tab", "map", f"port = {port}", columns=80, LC_ALL="C")
    screen.wait(r"^ *\d+[wrd] .*l")
    made.close()
    screen.wait(r"^ *\d+[wrd] .*x")
    screen.keys("Space")
    screen.wait("paused")
    screen.wait(lambda shown: not re.search(r"^ *\d+[wrd] .*x", shown, re.M))


def test_without_colour_the_legend_says_what_dots_say(top):
    screen = top("--tab", "map", columns=120, NO_COLOR="1")
    shown = screen.wait("⠿ used")
    assert re.search("· ephemeral", shown) and "loopback" not in shown
    screen.keys("m", "m")  # letters, which say more
    screen.wait("l loopback")


def test_zoomed_each_door_is_told(top, scene):
    made = scene("tcp-listener", port=8080) if not port_is_taken(8080) else scene("tcp-listener")
    screen = top("--tab", "map", "--netns", "self", rows=30)
    screen.wait("TCP, ")
    screen.keys("Home", "Enter")
    screen.wait("TCP 0-255, one by one")
    assert made.port
    screen.keys("Right", "Right")
    screen.wait(r"tcp/2\b")
    screen.keys("Escape")
    screen.wait("doors a place|each door")


def listener_in_the_lower_half():
    """At a place that is neither the first nor the last of its character, however that is drawn in 100 x 24."""
    for port in range(20000, 30000):
        if (port >> 8) // 8 % 2 == 1 and (port & 255) // 4 % 2 == 1 and not port_is_taken(port):
            return listener(port)[0]
    raise AssertionError("no port is free")


@pytest.mark.parametrize("drawing", ["halves", "braille", "ascii"])
def test_each_place_of_the_map_is_reached_and_told(top, drawing):
    with listener_in_the_lower_half() as server:
        port = server.getsockname()[1]
        screen = top("--tab", "map", "--netns", "self")
        screen.wait("doors a place")
        screen.keys(*["m"] * ["halves", "braille", "ascii"].index(drawing), "Home")
        shown = screen.wait({"halves": "▀", "braille": "[⠀-⣿]", "ascii": r"\. ephemeral"}[drawing])
        across, down = map(int, re.search(r"(\d+) x (\d+) doors", shown).groups())
        screen.keys(*["Right"] * ((port & 255) // across))
        screen.keys(*["Down"] * ((port >> 8) // down))
        screen.wait(rf"^tcp/{port}\b.*: open, reach loopback")
        screen.keys("+")
        screen.wait("one by one")
        screen.wait(rf"^tcp/{port}\b")
        screen.keys("-")
        screen.wait("doors a place")


def port_is_taken(port):
    try:
        made, _ = listener(port)
    except OSError:
        return True
    made.close()
    return False
