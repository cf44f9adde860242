# SPDX-License-Identifier: GPL-2.0-or-later
"""Names that a stranger chose reach a terminal only escaped, and JSON whole."""

import json
import os
import pty
import re
import subprocess

import pytest

KINDS = ["spaces", "newline", "escape", "bytes", "brackets", "tab", "empty", "cut", "quotes"]

VIEWS = [["list"], ["list", "--output", "wide"], ["list", "--output", "csv"], ["list", "--output", "raw"],
         ["list", "--no-group"], ["list", "--fields", "port,process,cmdline,exe"]]

# What a terminal obeys or is deceived by: C0 but newline and tab, DEL, C1, the bidirectional controls.
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def rows(out, port):
    return [line for line in out.decode(errors="surrogateescape").splitlines() if str(port) in line]


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_is_whole_in_json(scene, doorward, source, kind):
    made = scene("bad-name", kind=kind)
    status, out, _ = doorward.run("list", "--json", *source, f"port = {made.port}", text=False)
    assert status == 0
    text = out.decode("utf-8")  # valid, whatever the name
    holder, = json.loads(text)["sockets"][0]["holders"]
    wanted = bytes.fromhex(made.name_hex)
    try:
        assert holder["name"] == wanted.decode()
    except UnicodeDecodeError:
        # What is no text cannot be text: but it is there, and not silently empty.
        assert holder["name"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_rest_of_the_process_is_read_right_beside_a_bad_name(scene, doorward, source, kind):
    made = scene("bad-name", kind=kind)
    holder, = doorward.list(*source, f"port = {made.port}").one(inode=made.inode)["holders"]
    assert (holder["pid"], holder["ppid"], holder["uid"]) == (made.pid, os.getpid(), os.getuid())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("view", VIEWS, ids=" ".join)
def test_no_view_sends_what_a_terminal_obeys(scene, doorward, view, kind):
    made = scene("bad-name", kind=kind)
    status, out, err = doorward.run(*view, f"port = {made.port} and pid = {made.pid}", text=False)
    assert status == 0, err
    assert OBEYED.search(out.decode(errors="backslashreplace")) is None
    out.decode("utf-8")
    assert len(rows(out, made.port)) == 1, "one row, whatever its name holds"


@pytest.mark.parametrize("command", [["show"], ["netstat", "-a", "-b", "-o"], ["fport"]], ids=lambda c: c[0])
@pytest.mark.parametrize("kind", ["newline", "escape", "bytes"])
def test_the_other_commands_escape_it_too(scene, doorward, command, kind):
    made = scene("bad-name", kind=kind)
    words = [*command, str(made.port)] if command == ["show"] else command
    status, out, err = doorward.run(*words, text=False)
    assert status == 0, err
    assert OBEYED.search(out.decode(errors="backslashreplace")) is None


@pytest.mark.parametrize("kind", ["escape", "bytes", "newline"])
def test_a_terminal_gets_colours_of_ours_only(scene, doorward, kind):
    made = scene("bad-name", kind=kind)
    outer, inner = pty.openpty()
    with subprocess.Popen([doorward.path, "list", f"port = {made.port}"], stdout=inner, stderr=inner,
                          stdin=subprocess.DEVNULL,
                          env={**os.environ, "TERM": "xterm-256color", "PAGER": "cat", "COLUMNS": "200"}) as ran:
        os.close(inner)
        out = b""
        while True:
            try:
                part = os.read(outer, 65536)
            except OSError:  # EIO: the other end is closed
                break
            if not part:
                break
            out += part
    os.close(outer)
    assert ran.returncode == 0
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out.decode(errors="backslashreplace").replace("\r\n", "\n"))
    assert OBEYED.search(plain) is None
    assert b"\x1b[31mred" not in out


def test_a_message_of_error_escapes_what_was_typed(doorward):
    status, _, err = doorward.run("list", "process = \x1b[31m")
    assert "\x1b" not in err
    status, _, err = doorward.run("list", "no\x1b[31msuch = 1")
    assert status == 2 and "\x1b" not in err
