# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets in other network namespaces, however the namespace is kept."""

import subprocess
import sys

import pytest

import oracles

pytestmark = pytest.mark.needs("root")


def test_one_port_in_two_namespaces_is_two_sockets(scene, doorward, source):
    made = scene("same-port-two-netns")
    seen = doorward.list(*source, f"port = {made.port}")
    for role in ("first", "second"):
        inner = made.socket(role)
        row = seen.one(inode=inner.inode)
        assert (row["netns"], row.pids) == (inner.netns, set(inner.pids))


def test_a_namespace_that_only_a_socket_keeps_is_labelled(scene, doorward, source):
    made = scene("netns-by-socket")
    row = doorward.list(*source, f"port = {made.port}").one(inode=made.inode)
    assert (row["netns"], row.pids) == (made.own_netns, {made.pid})
    assert row["netns"] != oracles.netns_of(made.pid)


@pytest.mark.parametrize("name", ["netns-by-fd", "netns-by-mount", "netns-named"])
def test_a_namespace_without_processes_is_looked_into(scene, doorward, source, name):
    made = scene(name, inside="time-wait")
    row = doorward.list(*source, "--all", f"port = {made.port}").one(netns=made.own_netns)
    assert (row["state"], row["held_by"]) == ("TIME_WAIT", "nobody")


# Holds what it is told of by one descriptor after another, of which each is gone after a millisecond.
LOOKER = """import fcntl, itertools, os, sys, time
held = os.open(input(), os.O_RDONLY)
print(flush=True)
for number in itertools.cycle(range(100, 900)):
    before, held = held, fcntl.fcntl(held, fcntl.F_DUPFD, number)
    os.close(before)
    time.sleep(0.001)
"""


@pytest.mark.needs("bpf")
def test_descriptors_that_come_and_go_hide_no_namespace(scene, doorward):
    """The looker's is the first that the pass sees, since that goes by pid, and is gone when it is followed."""
    looker = subprocess.Popen([sys.executable, "-c", LOOKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        made = scene("netns-by-fd", inside="time-wait")
        looker.stdin.write(f"/proc/{made.pid}/fd/{made.netns_fd}\n")
        looker.stdin.flush()
        looker.stdout.readline()
        for _ in range(10):
            doorward.list("--source", "bpf", "--all", f"port = {made.port}").one(netns=made.own_netns)
    finally:
        looker.kill()
        looker.communicate()


@pytest.mark.parametrize("name", ["netns-by-fd", "netns-named"])
def test_a_listener_there_has_its_holder(scene, doorward, source, name):
    made = scene("netns-named", inside="listener")
    row = doorward.list(*source, f"port = {made.port}").one(inode=made.inode)
    assert (row["netns"], row.pids) == (made.own_netns, {made.pid})


def test_a_named_namespace_is_called_by_its_name(scene, doorward, source):
    made = scene("netns-named", inside="listener")
    row = doorward.list(*source, f"port = {made.port}").one(inode=made.inode)
    assert row["netns_name"] == made.netns_name


def test_a_namespace_can_be_asked_for_by_name_and_by_pid(scene, doorward):
    named = scene("netns-named", inside="listener")
    other = scene("tcp-listener", own_netns=True)
    assert {s["inode"] for s in doorward.list("--netns", named.netns_name).sockets} == {named.inode}
    assert {s["inode"] for s in doorward.list("--netns", other.pid).sockets} == {other.inode}


def test_self_shows_our_own_namespace_only(scene, doorward, source):
    other, ours = scene("tcp-listener", own_netns=True), scene("tcp-listener")
    inodes = {s["inode"] for s in doorward.list(*source, "--netns", "self").sockets}
    assert ours.inode in inodes and other.inode not in inodes


def test_all_is_the_default(scene, doorward):
    other = scene("tcp-listener", own_netns=True)
    assert doorward.list(f"port = {other.port}").one(inode=other.inode)
    assert doorward.list("--netns", "all", f"port = {other.port}").one(inode=other.inode)


def test_a_namespace_that_is_not_there_is_an_error(doorward):
    status, out, err = doorward.run("list", "--netns", "no-such-namespace")
    assert status in (2, 3) and out == "" and "no-such-namespace" in err


def test_ends_in_two_namespaces_are_joined(scene, doorward, source):
    made = scene("across-netns")
    seen = doorward.list(*source, "--all", f"port = {made.port} or peer_port = {made.port}")
    client = seen.one(inode=made.socket("client").inode)
    server = seen.one(inode=made.socket("server").inode)
    assert client["netns"] != server["netns"]
    assert client["peer_process"]["pid"] == made.server_pid
    assert server["peer_process"]["pid"] == made.client_pid


def test_a_namespaces_listing_agrees_with_ss_run_inside(scene, doorward, source):
    made = scene("load", own_netns=True, processes=4, sockets=400, kind="half")
    seen = doorward.list(*source, "--all", "--netns", made.pids[0])
    its = set(made.pids)  # who looks at a socket through a copy of its descriptor holds it for that moment too
    ours = {(s["inode"], s["state"], s.local, s.peer[1] or 0, frozenset(s.pids & its)) for s in seen.sockets}
    theirs = {(row["inode"], row["state"], row["local"], row["peer"][1], frozenset(p for p, _ in row["holders"] if p in its))
              for row in oracles.ss("-t", pid=made.pids[0])}
    assert len(ours) == made.count
    assert oracles.apart(ours, theirs) == (set(), set())
