# SPDX-License-Identifier: GPL-2.0-or-later
"""Screens of a recording, character by character: tests/golden/host.expected/top-*. `make golden` writes them anew."""

import pytest
from conftest import program
from screen import Tmux
from test_golden import GOLDEN, compare

pytestmark = pytest.mark.needs("program:tmux")

RECORDING = GOLDEN / "host.json"
SCREENS = {  # name: (columns, rows, options, keys, what shows that it is whole)
    "doors-80x24": (80, 24, [], [], "rows? of"),
    "doors-200x60": (200, 60, [], [], "rows? of"),
    "doors-20x5": (20, 5, [], [], "tcp"),
    "doors-by-process": (100, 24, [], ["g"], "by process"),
    "doors-sorted": (100, 24, [], ["s", "s", "s"], "▲"),
    "connections-80x24": (80, 24, ["--tab", "connections"], [], "rows? of"),
    "connections-200x24": (200, 24, ["--tab", "connections"], [], "rows? of"),
    "map-80x24": (80, 24, ["--tab", "map"], [], "doors a place"),
    "map-braille": (120, 40, ["--tab", "map"], ["m"], "[\u2801-\u28ff]"),
    "map-ascii": (80, 24, ["--tab", "map", "port < 10000"], ["m", "m"], "A"),
    "map-zoomed": (80, 30, ["--tab", "map"], ["Enter"], "one by one"),
    "map-udp": (80, 24, ["--tab", "map"], ["t"], "UDP, "),
    "filter-error": (80, 24, [], ["/", "p", "o", "r", "=", "1"], "did you mean"),
    "help-80x24": (80, 24, [], ["?"], "whole story"),
    "columns-80x24": (80, 24, [], ["C"], "\\[x\\]"),
    "nothing": (60, 10, ["port = 1"], [], "nothing matches"),
}


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_shown(tmp_path, name):
    columns, rows, options, keys, wanted = SCREENS[name]
    screen = Tmux(tmp_path, [program("DOORWARD", "src/doorward"), "top", "--read", str(RECORDING), *options], columns, rows,
                  TZ="UTC", TERM="xterm-256color")
    try:
        screen.wait("Doors|1")
        screen.wait(lambda shown: "looking" not in shown and ("tcp" in shown or "TCP" in shown or "nothing" in shown))
        screen.keys(*keys) if keys else None  # pylint: disable=expression-not-assigned
        screen.wait(wanted)
        text = settled(screen)
    finally:
        screen.end()
    compare(GOLDEN / "host.expected" / f"top-{name}", text.encode())


def settled(screen):
    """The same three times: nothing is on its way any more; a message of a key has gone."""
    last, same = None, 0
    while same < 3:
        shown = screen.wait(lambda shown: "sorted by:" not in shown and "grouped by:" not in shown)
        same = same + 1 if shown == last else 0
        last = shown
    return last
