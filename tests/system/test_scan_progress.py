# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person sees on a terminal while a scan runs."""

import os
import pty
import re
import signal
import subprocess

import pytest

from scans import HERE, listen_at, make_net, wall  # pylint: disable=unused-import

pytestmark = pytest.mark.needs("root", "program:nft")


ENV = {"TERM": "xterm", "LC_ALL": "C.UTF-8", "PAGER": "cat", "DOORWARD_PAGER": "cat", "NO_COLOR": "1"}


def interrupted_at(words, line):
    """What stood on the terminal of a scan that was interrupted when @line had come; and the line's numbers."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **ENV}) as run:
        os.close(theirs)
        got = b""
        while not line.search(got):
            got += os.read(ours, 65536)
        run.send_signal(signal.SIGINT)
        try:
            while part := os.read(ours, 65536):
                got += part
        except OSError:  # the last writer has closed it
            pass
        assert run.wait(30) == 3
    os.close(ours)
    return got, map(int, line.search(got).groups())


def test_progress_tells_how_far_it_is_and_goes_away(net, doorward):
    listen_at(net.here, [HERE[4]], [22, 23])
    wall(net, "tcp dport 1000-65535 drop")
    path = net.outside.doorward(doorward)
    got, (done, rate, left) = interrupted_at(
        [*path.prefix, path.path, "scan", HERE[4], "--rate", "2000", "--no-identify"],
        re.compile(rb"\rtcp: (\d+) of 65535 done, (\d+)/s, 2 open so far, (\d+) s left"))
    assert 0 < done < 65535 and rate > 0 and left > 0
    after = got.rpartition(b"\r\x1b[K")[2]  # the line is taken away before the table
    assert b"tcp/22" in after and b"so far" not in after


def test_time_left_is_told_where_nothing_answers(net, doorward):
    wall(net, "meta l4proto tcp drop")
    path = net.outside.doorward(doorward)
    _, (left,) = interrupted_at([*path.prefix, path.path, "scan", HERE[4], "--rate", "2000", "--no-identify"],
                                re.compile(rb"\rtcp: 0 of 65535 done, \d\d+/s, 0 open so far, (\d+) s left"))
    assert left > 30  # three times 65,535


def test_where_no_terminal_is_nothing_is_shown_meanwhile(net, doorward):
    wall(net, "tcp dport 1000-65535 drop")
    _, out, err = net.outside.doorward(doorward).run("scan", HERE[4], "-p", "1-3000", "--rate", "2000", "--no-identify")
    assert "\r" not in out + err and "so far" not in out + err
