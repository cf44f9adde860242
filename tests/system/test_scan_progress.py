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


def test_progress_tells_how_far_it_is_and_goes_away(net, doorward):
    listen_at(net.here, [HERE[4]], [22, 23])
    wall(net, "tcp dport 1000-65535 drop")
    path = net.outside.doorward(doorward)
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", "PAGER": "cat", "DOORWARD_PAGER": "cat", "NO_COLOR": "1"}
    with subprocess.Popen([*path.prefix, path.path, "scan", HERE[4], "--rate", "2000", "--no-identify"], stdin=theirs, stdout=theirs,
                          stderr=theirs, env=env) as run:
        os.close(theirs)
        got = b""
        line = re.compile(rb"\rtcp: (\d+) of 65535 done, (\d+)/s, 2 open so far, (\d+) s left")
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
    done, rate, left = map(int, line.search(got).groups())
    assert 0 < done < 65535 and rate > 0 and left > 0
    after = got.rpartition(b"\r\x1b[K")[2]  # the line is taken away before the table
    assert b"tcp/22" in after and b"so far" not in after


def test_where_no_terminal_is_nothing_is_shown_meanwhile(net, doorward):
    wall(net, "tcp dport 1000-65535 drop")
    _, out, err = net.outside.doorward(doorward).run("scan", HERE[4], "-p", "1-3000", "--rate", "2000", "--no-identify")
    assert "\r" not in out + err and "so far" not in out + err
