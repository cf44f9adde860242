# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases that fooled tools which people use, each with the link to where it did. The scene, the right answer."""

import collections
import os

import pytest

import oracles
from conftest import NOBODY


def rows(doorward, port, *options):
    return [line for line in doorward.table(*options, f"port = {port}") if str(port) in line.split("(")[0]]


@pytest.mark.needs("root")
def test_a_namespace_without_a_way_out_does_not_reach_further_than_itself(scene, doorward):
    """https://github.com/osquery/osquery/issues/8516: namespaces mixed up, internal ports called public."""
    made = scene("tcp-listener", own_netns=True, address="0.0.0.0")
    row = doorward.list(f"port = {made.port}").one(inode=made.inode)
    assert row["netns"] == made.netns
    status, out, _ = doorward.run("show", made.port)
    assert status == 0
    assert "public" not in out.lower()


@pytest.mark.needs("root")
def test_the_endpoint_includes_the_namespace(scene, doorward):
    """https://github.com/imsnif/bandwhich/issues/196, https://github.com/giampaolo/psutil/issues/1611"""
    made = scene("same-port-two-netns")
    seen = doorward.list(f"port = {made.port}")
    assert len({s["netns"] for s in seen.sockets}) == 2
    assert {frozenset(s.pids) for s in seen.sockets} == {frozenset([pid]) for pid in made.pids}
    status, out, _ = doorward.run("show", made.port)
    assert status == 0 and all(str(pid) in out for pid in made.pids)
    assert len(rows(doorward, made.port)) == 2, "grouping does not unite what is in two namespaces"


def test_a_socket_of_many_processes_is_one_row_with_all_of_them(scene, doorward):
    """https://github.com/giampaolo/psutil/issues/572, https://github.com/shirou/gopsutil/issues/143"""
    made = scene("tcp-listener", workers=4)
    row = doorward.list(f"port = {made.port}").one(local_port=made.port)
    assert row.pids == set(made.pids) and len(row["holders"]) == 5
    line, = rows(doorward, made.port)
    assert "×5" in line


@pytest.mark.parametrize("state", ["time-wait", "orphan"])
def test_what_belongs_to_nobody_is_no_fault(scene, doorward, state):
    """https://github.com/osquery/osquery/issues/4173: pid -1 read as a fault."""
    made = scene("tcp-connection", state=state)
    client = made.socket("client")
    seen = doorward.list("--all", f"port = {client.local_port} and peer_port = {made.port}")
    row = seen.one(local_port=client.local_port)
    assert (row["held_by"], row["holders"], row["state"]) == ("nobody", [], client.state)
    assert seen["missing"] == [] or os.geteuid() != 0


def test_a_dual_stack_listener_is_one_door_for_both_families(scene, doorward):
    """https://github.com/inconshreveable/slt/issues/4, https://github.com/tailscale/tailscale/issues/1443"""
    made = scene("dual-stack")
    assert doorward.list(f"port = {made.port}").one(local_port=made.port)["v6only"] is False
    assert len(rows(doorward, made.port)) == 1
    status, out, _ = doorward.run("show", made.port)
    assert status == 0 and "IPv4" in out and "IPv6" in out


def test_two_halves_of_one_service_are_two_sockets_in_one_row(scene, doorward):
    """The same links."""
    made = scene("v6only-pair")
    assert len(doorward.list(f"port = {made.port}").sockets) == 2
    assert len(rows(doorward, made.port)) == 1
    assert len(rows(doorward, made.port, "--no-group")) == 2


@pytest.mark.parametrize("kind", ["escape", "newline", "bytes"])
def test_an_escape_in_a_name_reaches_no_terminal(scene, doorward, kind):
    """https://github.com/ecki/net-tools/pull/62 (CVE-2024-58251), https://github.com/aristocratos/btop/issues/1846,
    https://github.com/dalance/procs/issues/950"""
    made = scene("bad-name", kind=kind)
    for words in (["list", f"port = {made.port}"], ["show", made.port], ["list", "--output", "wide"], ["fport"]):
        _, out, _ = doorward.run(*words, text=False)
        for obeyed in (b"\x1b", b"\x9b31m", b"\xc2\x9b", "\u202e".encode()):
            assert obeyed not in out


@pytest.mark.needs("root")
@pytest.mark.parametrize("path, engine", [("/docker/", "docker"), ("/libpod_parent/libpod-", "podman")])
def test_a_container_is_recognised(scene, doorward, path, engine):
    """https://github.com/dalance/procs/issues/236, https://github.com/dalance/procs/issues/676; more of them in
    test_containers.py."""
    made = scene("cgroup", path=path + "ab" * 32)
    holder, = doorward.list(f"port = {made.port}").one(inode=made.inode)["holders"]
    assert (holder["container"]["engine"], holder["container"]["id"]) == (engine, "ab" * 32)


def test_clients_are_not_taken_for_holders_of_the_port(scene, doorward):
    """https://github.com/max-sixty/worktrunk/pull/952, https://github.com/thoughtbot/dotfiles/issues/796"""
    made = scene("tcp-connection")
    story = doorward.json("show", made.port)
    held = {pid for s in story.sockets if s["local_port"] == made.port for pid in
            (h["pid"] for h in s["holders"])}
    assert held == {made.listener_pid, made.server_pid}
    status, out, _ = doorward.run("show", made.port)
    assert status == 0 and str(made.listener_pid) in out


@pytest.mark.needs("root")
def test_an_ordinary_user_learns_whose_the_socket_is(scene, doorward):
    """https://github.com/Higangssh/homebutler/issues/203: "unidentified process"."""
    made = scene("tcp-listener")
    status, out, err = doorward.as_user(NOBODY).run("list", f"port = {made.port}")
    line, = [x for x in out.splitlines() if str(made.port) in x]
    assert "root" in line
    assert "sudo" in err


@pytest.mark.needs("bpf")
def test_bpf_has_both_families_and_every_holder(scene, doorward):
    """https://github.com/inspektor-gadget/inspektor-gadget/issues/1340,
    https://github.com/inspektor-gadget/inspektor-gadget/issues/744"""
    six, four = scene("tcp-listener", address="::1", workers=2), scene("tcp-listener", workers=2)
    seen = doorward.list("--source", "bpf", f"port = {six.port} or port = {four.port}")
    for made, family in ((six, "ipv6"), (four, "ipv4")):
        row = seen.one(inode=made.inode)
        assert (row["family"], row.pids) == (family, set(made.pids))


@pytest.mark.needs("big", "memory:8")
def test_half_a_million_sockets_are_all_there(scene, doorward):
    """https://github.com/shirou/gopsutil/issues/784: slow with 120,000. How fast is the bench's to say."""
    made = scene("load", own_netns=True, processes=100, sockets=500000, kind="half")
    status, out, err = doorward.run("list", "--all", "--output", "csv", "--fields", "inode,pid", "--netns",
                                    made.pids[0], "--no-group", text=False, timeout=300)
    assert status == 0, err
    inodes = collections.Counter(line.split(b",")[0] for line in out.splitlines()[1:])
    assert len(inodes) == made.count and max(inodes.values()) == 1
    assert len(oracles.proc_net_inodes("tcp", made.pids[0])) == made.count
