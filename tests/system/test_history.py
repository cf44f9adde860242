# SPDX-License-Identifier: GPL-2.0-or-later
"""`history`: what was open from when to when, and what became of the doors."""

import csv
import io
import os
import subprocess
import time

import pytest

from recorded import listener, nanoseconds, own_network, port_of, recorder  # noqa: F401 fixtures

pytestmark = pytest.mark.needs("bpf")


def opened_and_closed(record):
    with listener() as made:
        port = port_of(made)
        record.until(f"port = {port}")
    record.closed(f"port = {port}")
    return port


def test_a_time_chooses_what_was_open_within(recorder):  # noqa: F811
    record = recorder()
    first = opened_and_closed(record)
    between = time.time()
    second = opened_and_closed(record)
    ports = {i["local_port"] for i in record.intervals("--until", f"@{between:.6f}")}
    assert first in ports and second not in ports
    ports = {i["local_port"] for i in record.intervals("--since", f"@{between:.6f}")}
    assert second in ports and first not in ports


def test_the_newest_come_first_and_the_limit_cuts_the_old(recorder):  # noqa: F811
    record = recorder()
    ports = [opened_and_closed(record) for _ in range(3)]
    answer = record.history("--limit", "2", f"pid = {os.getpid()} and state = listen")
    assert [i["local_port"] for i in answer["intervals"]] == ports[:0:-1]
    assert answer["cut"]
    answer = record.history(f"pid = {os.getpid()} and state = listen")
    assert [i["local_port"] for i in answer["intervals"]] == ports[::-1]
    assert not answer["cut"]


def test_a_filter_of_nothing_is_status_1(recorder, doorward):  # noqa: F811
    record = recorder()
    status, out, _ = doorward.run("history", "--db", record.db, "process = 'no such name'")
    assert (status, out) == (1, "")
    status, _, err = doorward.run("history", "--db", record.db, "prot = 1")
    assert status == 2 and "^" in err


def test_the_table_says_the_zone(recorder, doorward):  # noqa: F811
    record = recorder()
    with listener() as made:
        seen = record.until(f"port = {port_of(made)}")
        _, out, _ = doorward.run("history", "--db", record.db, f"port = {port_of(made)}",
                                 environment={"TZ": "XYZ-05:30"})
        there = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(nanoseconds(seen["opened"]) // 10**9 + 19800))
        assert there in out and "XYZ (UTC+05:30)" in out
        assert f"({os.getpid()})" in out and "open" in out


def test_csv_says_the_same(recorder, doorward):  # noqa: F811
    record = recorder()
    port = opened_and_closed(record)
    seen = record.closed(f"port = {port}")
    _, out, _ = doorward.run("history", "--db", record.db, "--output", "csv", f"port = {port}")
    row, = csv.DictReader(io.StringIO(out))
    assert (row["opened"], row["closed"]) == (seen["opened"], seen["closed"])
    assert (row["port"], row["pid"], row["opened_exact"]) == (str(port), str(os.getpid()), "true")


def test_first_seen_has_each_port_and_executable_once(recorder):  # noqa: F811
    record = recorder()
    with listener() as made:
        port = port_of(made)
        first = record.until(f"port = {port}")
    record.closed(f"port = {port}")
    with listener(port=port):
        record.until(f"port = {port}", lambda i: not i["closed"])
        seen, = record.history("--first-seen", f"port = {port}")["first_seen"]
    assert seen["first_seen"] == first["opened"] and seen["first_seen_exact"]
    assert seen["holder"]["pid"] == os.getpid()


def kinds(record, port, *args):
    return [c["change"] for c in record.history("--changes", *args)["changes"] if c["door"]["local_port"] == port]


def test_changes_tell_new_gone_public_and_holder(recorder):  # noqa: F811
    made = listener()
    port = port_of(made)
    record = recorder()
    began = time.time()
    assert kinds(record, port) == []
    made.close()
    record.closed(f"port = {port}")
    assert "gone" in kinds(record, port, "--since", f"@{began:.6f}")

    new = listener()
    record.until(f"port = {port_of(new)}")
    assert kinds(record, port_of(new)) == ["new"]
    new_port = port_of(new)
    new.close()
    record.closed(f"port = {new_port}")

    with listener("0.0.0.0", port):
        record.until(f"port = {port}", lambda i: not i["closed"])
        assert "public" in kinds(record, port)


def test_changes_within_one_record_are_told_too(recorder):  # noqa: F811
    record = recorder()
    with listener() as first:
        port = port_of(first)
        record.until(f"port = {port}")
    record.closed(f"port = {port}")
    assert kinds(record, port) == ["new", "gone"]
    with listener("0.0.0.0", port):
        record.until(f"port = {port}", lambda i: not i["closed"])
        assert sorted(kinds(record, port)) == ["gone", "new", "public"]
        newest, = record.history("--changes", "--limit", "1")["changes"]
        assert (newest["change"], newest["door"]["local_address"]) == ("public", "0.0.0.0")
        assert newest["before"]["local_address"] == "127.0.0.1"


def test_another_holder_of_an_old_door_is_told(recorder):  # noqa: F811
    made = listener()
    port = port_of(made)
    record = recorder()
    made.close()
    record.closed(f"port = {port}")
    other = subprocess.Popen(["perl", "-MIO::Socket::INET", "-e",
                              f"my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1:{port}', "
                              "ReuseAddr => 1); print \"up\\n\"; close(STDOUT); <STDIN>"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert other.stdout.readline() == b"up\n"
        record.until(f"port = {port}", lambda i: not i["closed"])
        change, = [c for c in record.history("--changes")["changes"]
                   if c["door"]["local_port"] == port and c["change"] == "holder"]
        assert change["door"]["holder"]["pid"] == other.pid
        assert change["before"]["holder"]["pid"] == os.getpid()
    finally:
        other.communicate()


def test_changes_are_told_on_one_screen(recorder, doorward):  # noqa: F811
    record = recorder()
    with listener() as made:
        record.until(f"port = {port_of(made)}")
        _, out, _ = doorward.run("history", "--changes", "--db", record.db)
        assert "new door" in out and f"127.0.0.1:{port_of(made)}" in out and "times in" in out


def test_idle_has_the_listeners_that_nobody_uses(recorder):  # noqa: F811
    import socket
    with listener() as unused, listener() as used:
        record = recorder()
        with socket.create_connection(("127.0.0.1", port_of(used))):
            accepted, _ = used.accept()
            accepted.close()
        record.closed(f"port = {port_of(used)} and state != listen")
        opened = record.until(f"port = {port_of(unused)}")

        def idle(length):
            return {i["door"]["local_port"]: i for i in record.history("--idle", length)["idle"]}

        seen = idle("1ms")
        assert seen[port_of(unused)]["never_used"] and seen[port_of(unused)]["last_used"] is None
        assert not seen[port_of(used)]["never_used"]
        assert nanoseconds(seen[port_of(used)]["last_used"]) >= nanoseconds(opened["opened"])
        assert port_of(unused) not in idle("7d")
