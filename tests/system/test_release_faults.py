# SPDX-License-Identifier: GPL-2.0-or-later
"""Each call that `close --by release` injects made to fail in turn, in a build with -Dfaults=true.

The process is as it was, or the port is free: and never worse for it.
"""

import json
import subprocess

import pytest

from test_faults import faulty  # pylint: disable=unused-import
from echo_server import (Traffic, alive, assert_unnoticed, descriptors, maps_of,
                          server, status_of)  # pylint: disable=unused-import

pytestmark = pytest.mark.needs("root")


def test_each_call_in_turn(faulty, server):  # pylint: disable=redefined-outer-name
    n_refused = n_free = 0
    for k in range(1, 60):
        made = server("epoll", apart=1, dups=1)
        with made.connect() as connection:
            traffic = Traffic(connection)
            fds, maps = descriptors(made.pid), maps_of(made.pid)
            ran = subprocess.run([faulty, "close", made.target, "--by", "release", "--yes", "--json"],
                                 env={"DOORWARD_FAULT": f"inject:{k}", "PATH": "/usr/bin:/usr/sbin"},
                                 capture_output=True, check=False)
            step, = json.loads(ran.stdout)["steps"]
            if step["refused"]:
                n_refused += 1
                assert (descriptors(made.pid), maps_of(made.pid)) == (fds, maps), f"inject:{k}"
            else:
                n_free += 1
                assert step["outcome"] == "free" or "descriptor of it" in step["remark"], f"inject:{k}: {step}"
            assert status_of(made.pid, "TracerPid") == ["TracerPid:\t0"]
            traffic.end()
        assert_unnoticed(made)
        assert alive(made.pid)
        made.close()
        if n_free > 12:  # the last of them failed no more
            break
    assert n_refused > 10 and n_free > 12
