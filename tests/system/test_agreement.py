# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole listing of a namespace held against psutil, ss and /proc/net."""

import psutil
import pytest

import oracles

SCENES = [("tcp-listener", {"workers": 3}), ("dual-stack", {}), ("v6only-pair", {}), ("two-owners", {}),
          ("tcp-connection", {}), ("tcp-connection", {"state": "time-wait"}),
          ("tcp-connection", {"state": "close-wait", "address": "::1"}), ("not-accepted", {}), ("mapped", {}),
          ("reuseport-group", {})]


@pytest.fixture
def busy(scene):
    """Many kinds at once, in one namespace; the first one's pid leads there."""
    return [scene(name, **options) for name, options in SCENES]


def mine(rows, made, key):
    ports = {m.port for m in made}
    return [row for row in rows if ports & {row[key][1], row["peer"][1]}]


def test_tcp_agrees_with_proc_net(busy, doorward, source):
    seen = doorward.list(*source, "--all", "--netns", "self", "proto = tcp")
    ports = {m.port for m in busy}
    ours = {(s["family"], s.local, s["state"], s["inode"] or 0)
            for s in seen.sockets if ports & {s["local_port"], s["peer_port"]}}
    theirs = {(r["family"], r["local"], r["state"], r["inode"]) for r in mine(oracles.proc_net("tcp"), busy, "local")}
    assert oracles.apart(ours, theirs) == (set(), set())


def test_tcp_agrees_with_ss(busy, doorward, source):
    seen = doorward.list(*source, "--all", "--netns", "self", "proto = tcp")
    ports = {m.port for m in busy}
    ours = {(s["inode"] or 0, s["state"], s["uid"] or 0, frozenset((h["pid"], h["fd"]) for h in s["holders"]))
            for s in seen.sockets if ports & {s["local_port"], s["peer_port"]}}
    theirs = {(r["inode"], r["state"], r["uid"], frozenset(r["holders"]))
              for r in mine(oracles.ss("-t"), busy, "local")}
    assert oracles.apart(ours, theirs) == (set(), set())


def test_queues_agree_with_ss(busy, doorward):
    theirs = {r["inode"]: r for r in mine(oracles.ss("-t"), busy, "local") if r["inode"]}
    seen = doorward.list("--all", "--netns", "self", "proto = tcp")
    compared = 0
    for s in seen.sockets:
        row = theirs.get(s["inode"])
        if row and s["state"] == "LISTEN":
            assert (s["recv_queue"], s["backlog"]) == row["queues"]
            compared += 1
        elif row:
            assert (s["recv_queue"], s["send_queue"]) == row["queues"]
            compared += 1
    assert compared >= 20


def test_every_process_with_sockets_agrees_with_psutil(busy, doorward, source):
    seen = doorward.list(*source, "--all", "--netns", "self")
    ours = {}
    for s in seen.sockets:
        for holder in s["holders"]:
            ours.setdefault(holder["pid"], set()).add((holder["fd"], s["local_port"]))
    pids = {pid for m in busy for s in m.sockets for pid in s.pids}
    for pid in pids:
        theirs = {(c.fd, c.laddr.port) for c in psutil.Process(pid).connections("inet")}
        assert ours[pid] == theirs


def test_udp_agrees_with_proc_net(scene, doorward, source):
    made = [scene("udp"), scene("udp", address="::1"), scene("udp-connected"), scene("multicast")]
    seen = doorward.list(*source, "--all", "--netns", "self", "proto = udp")
    ours = {(s["family"], s.local, s["inode"]) for s in seen.sockets}
    theirs = {(r["family"], r["local"], r["inode"]) for r in oracles.proc_net("udp")}
    wanted = {s.inode for m in made for s in m.sockets}
    assert wanted <= {inode for _, _, inode in ours}
    assert {row for row in ours if row[2] in wanted} == {row for row in theirs if row[2] in wanted}


@pytest.mark.needs("root")
def test_the_sources_agree_with_each_other(busy, doorward):
    ports = {m.port for m in busy}

    def listing(*source):
        return {(s["inode"], s["cookie"], s["state"], s.local, s.peer, s["uid"], s["netns"], s["v6only"],
                 s["held_by"], s["recv_queue"], s["backlog"],
                 tuple(sorted((h["pid"], h["fd"], h["name"], h["exe"]) for h in s["holders"])))
                for s in doorward.list(*source, "--all", "--netns", "self").sockets
                if ports & {s["local_port"], s["peer_port"]}}

    assert oracles.apart(listing("--source", "proc"), listing("--source", "auto")) == (set(), set())


@pytest.mark.needs("bpf")
def test_bpf_and_proc_agree(busy, doorward):
    ports = {m.port for m in busy}

    def listing(*source):
        return {(s["inode"], s["state"], s.local, s.peer, s["uid"], s["netns"], s["v6only"], s["held_by"],
                 s["recv_queue"], s["send_queue"], s["backlog"],
                 tuple(sorted((h["pid"], h["fd"], h["name"], h["exe"], str(h["cmdline"])) for h in s["holders"])))
                for s in doorward.list(*source, "--all", "--netns", "self").sockets
                if ports & {s["local_port"], s["peer_port"]}}

    assert oracles.apart(listing("--source", "proc"), listing("--source", "bpf")) == (set(), set())
