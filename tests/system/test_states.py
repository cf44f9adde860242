# SPDX-License-Identifier: GPL-2.0-or-later
"""Every state of TCP, each held against the kernel's own table in /proc/net/tcp."""

import pytest

import oracles

STATES = ["syn-sent", "syn-recv", "established", "fin-wait1", "fin-wait2", "close-wait", "closing", "last-ack",
          "time-wait", "orphan"]
LOOPBACKS = ["127.0.0.1", "::1"]


def ends(made):
    return {((s.local_address, s.local_port), (s.peer_address or None, s.peer_port), s.state, tuple(s.pids))
            for s in made.sockets if s.role != "listener"}


@pytest.mark.parametrize("address", LOOPBACKS)
@pytest.mark.parametrize("state", STATES)
def test_each_state_is_seen_with_its_holder(scene, doorward, source, state, address):
    made = scene("tcp-connection", state=state, address=address)
    seen = doorward.list(*source, "--all", f"port = {made.port} or peer_port = {made.port}")
    found = {(s.local, s.peer, s["state"], tuple(sorted(s.pids)))
             for s in seen.sockets if s["state"] != "LISTEN"}
    assert ends(made) <= found


@pytest.mark.parametrize("state", STATES)
def test_states_agree_with_proc_net(scene, doorward, state):
    made = scene("tcp-connection", state=state)
    seen = doorward.list("--all", f"port = {made.port} or peer_port = {made.port}")
    ours = {(s.local, s.peer, s["state"]) for s in seen.sockets if s["state"] != "LISTEN"}
    theirs = {(row["local"], row["peer"], row["state"]) for row in oracles.proc_net("tcp")
              if made.port in (row["local"][1], row["peer"][1]) and row["state"] != "LISTEN"}
    assert oracles.apart(ours, theirs) == (set(), set())


@pytest.mark.parametrize("state", ["time-wait", "orphan", "syn-recv"])
def test_what_belongs_to_nobody_is_said_to_and_is_not_missing(scene, doorward, source, state):
    made = scene("tcp-connection", state=state)
    seen = doorward.list(*source, "--all", f"port = {made.port} or peer_port = {made.port}")
    free, = [s for s in made.sockets if not s.pids]
    row, = [s for s in seen.sockets
            if s.local == (free.local_address, free.local_port) and s["state"] == free.state]
    assert (row["held_by"], row["holders"]) == ("nobody", [])


@pytest.mark.needs("root")
def test_what_nobody_holds_leaves_the_result_complete(scene, doorward, source):
    made = scene("tcp-connection", state="time-wait")
    seen = doorward.list(*source, "--all", f"port = {made.port} or peer_port = {made.port}")
    assert seen.sockets
    assert seen["complete"] is True, seen["missing"]


def test_a_bound_socket_that_does_not_listen_is_seen(scene, doorward, source):
    made = scene("tcp-bound")
    seen = doorward.list(*source, "--all", f"port = {made.port}").one(inode=made.inode)
    assert (seen["state"], seen.pids) == ("BOUND", {made.pid})


@pytest.mark.needs("root")
def test_a_destroyed_listener_is_bound_and_still_somebodys(scene, doorward, source):
    made = scene("destroyed-listener")
    seen = doorward.list(*source, "--all", f"port = {made.port}").one(inode=made.inode)
    assert (seen["state"], seen.pids) == ("BOUND", {made.pid})
    assert made.inode not in oracles.proc_net_inodes("tcp"), "the kernel's table hides it: that is why it fools"


def test_state_is_one_of_the_words_that_are_promised(scene, doorward):
    scene("tcp-connection", state="closing")
    scene("udp-connected")
    promised = set(oracles.STATES.values()) - {"CLOSE"} | {"BOUND", "UNCONN"}
    assert {s["state"] for s in doorward.list("--all").sockets} <= promised
