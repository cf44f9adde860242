# SPDX-License-Identifier: GPL-2.0-or-later
"""--at: any listing as it was then."""

import os
import re
import signal
import subprocess
import time

import psutil
import pytest

from hosts import until
from recorded import listener, nanoseconds, own_network, port_of, recorder  # noqa: F401 fixtures

pytestmark = pytest.mark.needs("bpf")


def test_a_listing_is_as_of_then(recorder):  # noqa: F811
    made = listener()  # R16: it is older than the recording
    port = port_of(made)
    record = recorder()
    inode = os.fstat(made.fileno()).st_ino
    record.until(f"port = {port}")
    before = time.time()
    made.close()
    record.closed(f"port = {port}")
    later = listener()
    record.until(f"port = {port_of(later)}")
    after = time.time()

    then = record.at(before, f"port = {port}")
    seen = then.one(local_port=port)
    assert seen.pids == {os.getpid()} and seen["state"] == "LISTEN" and seen["inode"] in (inode, None)
    assert seen["holders"][0]["exe"] == os.readlink("/proc/self/exe")
    assert then["complete"] and abs(then["time"] - before) < 0.001
    assert not record.at(before, f"port = {port_of(later)}")["sockets"]

    now = record.at(after)
    assert not now.all(local_port=port) and now.one(local_port=port_of(later)).pids == {os.getpid()}
    later.close()


def test_the_listeners_are_those_of_then(recorder, doorward):  # noqa: F811
    """Held against what psutil says as it is recorded, of what did not change meanwhile."""
    record = recorder()
    with listener() as made:
        record.until(f"port = {port_of(made)}")

        def listeners():
            return {(c.laddr.port, c.pid) for c in psutil.net_connections("tcp")
                    if c.status == psutil.CONN_LISTEN and c.pid}

        own = os.stat("/proc/self/ns/net").st_ino
        first = listeners()
        moment = time.time()
        stayed = first & listeners()
        until(lambda: nanoseconds(record.status()["newest"]) > moment * 1e9 or record.status()["lag"] < 1, "the record")
        seen = {(s["local_port"], pid) for s in record.at(moment, f"state = listen and netns = {own}").sockets
                for pid in s.pids}
        assert stayed <= seen and (port_of(made), os.getpid()) in seen


@pytest.mark.needs("root", "program:ip")
def test_a_namespace_that_was_told_twice_is_one(recorder):  # noqa: F811
    """Without its name when the recording began, and with it in what happened then."""
    name = f"doorward-at-{os.getpid()}"
    subprocess.run(["ip", "netns", "attach", name, str(os.getpid())], check=True)
    try:
        with listener() as first:
            record = recorder()
            with listener() as second:
                record.until(f"port = {port_of(second)}")
                then = record.at(time.time(), f"port = {port_of(first)} or port = {port_of(second)}")
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)
    assert len(then["sockets"]) == 2 and len({(socket["netns"], socket["netns_name"]) for socket in then["sockets"]}) == 1
    assert len(then["namespaces"]) == 1


def test_before_the_record_it_is_not_complete(recorder, doorward):  # noqa: F811
    record = recorder()
    then = record.at(time.time() - 86400)
    assert not then["sockets"] and not then["complete"] and then["missing"]
    assert (then["host"], then["boot_id"]) == (os.uname().nodename, None)
    status, _, err = doorward.run("list", "--at", "1 day ago", "--db", record.db)
    assert status == 1
    line, = err.splitlines()
    assert re.search(r"^doorward: nothing is known of before 20\S+Z, when the record begins", line)


def test_within_a_gap_it_is_not_complete(recorder):  # noqa: F811
    record = recorder()
    with listener() as made:
        record.until(f"port = {port_of(made)}")
        record.stop(signal.SIGKILL)
        within = time.time()
        record.start()
        gap = until(lambda: record.history()["gaps"], "the gap")[0]
        assert nanoseconds(gap["from"]) <= within * 1e9 <= nanoseconds(gap["to"])
        then = record.at(within)
        assert not then["complete"] and then["missing"]
        record.until(f"port = {port_of(made)}")
        assert record.at(time.time(), f"port = {port_of(made)}")["complete"]


def test_other_views_show_then(recorder, doorward):  # noqa: F811
    record = recorder()
    made = listener()
    port = port_of(made)
    record.until(f"port = {port}")
    moment = f"@{time.time():.6f}"
    made.close()
    record.closed(f"port = {port}")
    at = ["--at", moment, "--db", record.db]

    status, out, err = doorward.run("list", *at, f"port = {port}")
    assert status == 0 and f"127.0.0.1  {port}" in out and "as it was on" in out, err
    status, out, err = doorward.run("show", port, *at)
    assert status == 0 and str(os.getpid()) in out and "as it was on" in out, err
    story = doorward.json("show", port, *at)
    assert story["sockets"][0]["holders"][0]["pid"] == os.getpid()
    status, out, err = doorward.run("netstat", "-ano", *at)
    line, = [line for line in out.splitlines() if f"127.0.0.1:{port} " in line]
    assert "LISTENING" in line and line.split()[-1] == str(os.getpid())
    status, out, err = doorward.run("fport", *at)
    assert [line for line in out.splitlines() if line.split()[:1] == [str(os.getpid())] and str(port) in line]
    status, out, err = doorward.run("list", "--output", "jsonl", *at, f"port = {port}")
    assert len(out.splitlines()) == 2
    status, out, err = doorward.run("list", *at, "port = 1")
    assert status == 1
