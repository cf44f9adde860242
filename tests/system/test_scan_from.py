# SPDX-License-Identifier: GPL-2.0-or-later
"""From where it is looked: this host, another namespace, a stranger who comes for it and leaves nothing behind."""

import os
import signal
import subprocess

import pytest

from scans import HERE, Found, found, listen_at, make_net, wall  # pylint: disable=unused-import

pytestmark = pytest.mark.needs("root", "program:nft")


def links(room):
    return room("sorted(n for _, n in socket.if_nameindex())")


def namespaces():
    return {os.stat(f"/proc/{p}/ns/net").st_ino for p in os.listdir("/proc") if p.isdigit() and
            os.path.exists(f"/proc/{p}/ns/net")}


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("method", ["connect", "syn"])
def test_a_stranger_does_not_pass_rules_for_lo(net, doorward, family, method):
    listen_at(net.here, [HERE[family]], [7001, 7002])
    wall(net, ["iifname lo accept", "tcp dport 7001 drop"])
    here = net.here.doorward(doorward)
    assert found(here, HERE[family], "-p", "7001,7002", "--method", method).those("open") == [7001, 7002]
    before = links(net.here)
    seen = found(here, HERE[family], "-p", "7001,7002", "--from", "stranger", "--method", method)
    assert seen.result["from"] == "stranger"
    assert seen.those("open") == [7002]
    assert seen.by_port[7001] == ("filtered", "time-out")
    assert seen.ports[7001]["compare"]["verdict"] == "not-reachable"
    assert seen.ports[7002]["holders"][0]["pid"] == net.here.pid
    assert links(net.here) == before


def test_without_target_the_stranger_sees_what_others_can_come_to(net, doorward):
    listen_at(net.here, ["0.0.0.0", "127.0.0.1"][:1], [7003])
    said = net.here.doorward(doorward).json("scan", "--from", "stranger", "-p", "7003")
    seen = {r["address"]: Found(r).those("open") for r in said["results"]}
    assert seen == {HERE[4]: [7003], HERE[6]: []}
    assert any("rules that name another interface" in note for note in said["notes"])


def test_rules_that_the_stranger_does_not_meet_are_told(net, doorward):
    wall(net, ['iifname "lo" accept', 'iifname "outside" tcp dport 7008 drop', "tcp dport 7009 drop"])
    said = net.here.doorward(doorward).json("scan", HERE[4], "--from", "stranger", "-p", "7008,7009", statuses=(1,))
    notes = [note for note in said["notes"] if note.startswith("not met: ")]
    assert notes == ['not met: iifname "outside" tcp dport 7008 drop (chain input, table inet wall)']
    said = net.here.doorward(doorward).json("scan", "127.0.0.1", "--from", "stranger", "-p", "7008", statuses=(1,))
    assert any(note.startswith("127.0.0.1: no stranger") for note in said["notes"])


def test_a_stranger_who_is_killed_leaves_nothing_behind(net, doorward):
    wall(net, "tcp dport 1-65535 drop")
    before = links(net.here)
    path = net.here.doorward(doorward)
    with subprocess.Popen([*path.prefix, path.path, "scan", HERE[4], "--from", "stranger", "--rate", "1000"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        while links(net.here) == before:
            assert run.poll() is None
        run.send_signal(signal.SIGKILL)
    while links(net.here) != before:  # the kernel takes it down some time after the last holder has gone
        pass


def test_from_a_namespace_that_is_there(net, doorward):
    listen_at(net.here, [HERE[4]], [7004])
    wall(net, ["iifname lo drop"])
    here = net.here.doorward(doorward)
    seen = found(here, "-p", "7004", "--from", str(net.outside.pid), HERE[4])
    assert seen.those("open") == [7004]
    assert seen.result["from"].startswith("netns ")
    status, _, err = here.run("scan", "--from", "nowhere", "-p", "1")
    assert status in (2, 3) and err


def test_each_namespace_when_asked(net, doorward):
    listen_at(net.here, ["127.0.0.1"], [7005])
    listen_at(net.outside, ["127.0.0.1"], [7006])
    said = net.here.doorward(doorward).json("scan", "--netns", str(net.outside.pid), "-p", "7005,7006")
    seen = {r["address"]: Found(r).those("open") for r in said["results"]}
    assert seen["127.0.0.1"] == [7006]
