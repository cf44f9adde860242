# SPDX-License-Identifier: GPL-2.0-or-later
"""Who holds a socket: every process and descriptor, each once a process; and if none, what then."""

import os
import pwd
import re
import socket

import psutil
import pytest

import oracles


def look(doorward, source, made, **facts):
    """The scene's first socket as the program sees it."""
    return doorward.list(*source, "--all", f"port = {made.port}").one(
        inode=made.sockets[0].inode, **facts)


# ---- held by a process ----

def test_every_worker_holds_the_shared_socket(scene, doorward, source):
    made = scene("tcp-listener", workers=4)
    seen = look(doorward, source, made)
    assert seen.pids == set(made.pids) == oracles.pids_by_psutil(made.port)
    assert len(seen["holders"]) == 5
    assert seen["held_by"] == "process"


def test_each_member_of_a_reuseport_group_holds_its_own_socket(scene, doorward, source):
    made = scene("reuseport-group", count=5)
    seen = doorward.list(*source, f"port = {made.port}")
    assert len(seen.sockets) == 5
    assert {(s["inode"], *s.pids) for s in seen.sockets} == {(s.inode, *s.pids) for s in made.sockets}


def test_two_descriptors_of_one_process_are_both_named(doorward, source):
    with socket.create_server(("127.0.0.1", 0)) as first, first.dup() as second:
        port, inode = first.getsockname()[1], os.fstat(first.fileno()).st_ino
        seen = doorward.list(*source, f"port = {port}").one(inode=inode)
        held = {(h["pid"], h["fd"]) for h in seen["holders"]}
        assert held == {(os.getpid(), first.fileno()), (os.getpid(), second.fileno())}
        assert held == oracles.holders_by_proc(inode)


@pytest.mark.parametrize("backend", [pytest.param("bpf", marks=pytest.mark.needs("bpf")), "proc"])
def test_a_socket_without_cookie_has_its_holders_too(scene, doorward, backend):
    made = scene("reuseport-group", count=3, cookies=0)
    seen = doorward.list("--source", backend, f"port = {made.port}")
    assert {(s["inode"], *s.pids) for s in seen.sockets} == {(s.inode, *s.pids) for s in made.sockets}


def test_a_thread_that_outlives_its_leader_is_a_holder_once(scene, doorward, source):
    made = scene("leader-gone")
    seen = look(doorward, source, made)
    assert [(h["pid"], h["fd"]) for h in seen["holders"]] == [(made.pid, made.sockets[0].fd)]
    assert oracles.pids_by_proc(made.inode) == {made.pid}


def test_a_thread_with_a_table_of_its_own_is_a_holder(scene, doorward, source):
    made = scene("own-table-thread")
    seen = look(doorward, source, made)
    assert [(h["pid"], h["fd"]) for h in seen["holders"]] == [(made.pid, made.sockets[0].fd)]
    assert seen["held_by"] == "process"


def test_a_socket_registered_with_io_uring_belongs_to_the_rings_owner(scene, doorward, source):
    made = scene("io-uring-registered")
    seen = look(doorward, source, made)
    assert seen.pids == {made.pid}
    assert seen["held_by"] == "process"


@pytest.mark.needs("root")
def test_a_holder_in_another_pid_namespace_has_the_number_that_we_know_it_by(scene, doorward, source):
    made = scene("pid-namespace")
    seen = look(doorward, source, made)
    assert seen.pids == {made.pid}


def test_who_exits_during_the_walk_spoils_nothing(scene, doorward, source):
    made = scene("exits-during-walk", together=40)
    for _ in range(25):
        seen = look(doorward, source, made)
        assert made.pid in seen.pids
        for holder in seen["holders"]:
            assert holder["pid"] > 0 and holder["fd"] >= 0


# ---- what is said of a holder ----

def test_a_holder_is_described_as_psutil_describes_it(scene, doorward, source):
    made = scene("tcp-listener", name="shop-web", argv0="shop-web --port 80")
    holder, = look(doorward, source, made)["holders"]
    process = psutil.Process(made.pid)
    with process.oneshot():
        assert holder["name"] == "shop-web"
        assert holder["exe"] == process.exe()
        assert holder["exe_deleted"] is False
        assert holder["cwd"] == process.cwd()
        assert holder["uid"] == process.uids().effective
        assert holder["user"] == process.username()
        assert holder["ppid"] == process.ppid()
        assert abs(holder["start_time"] - oracles.start_time(made.pid)) <= 1
        words = holder["cmdline"]
        assert (words if isinstance(words, list) else words.split(" "))[0].startswith("shop-web")


@pytest.mark.needs("root")
def test_the_sockets_user_and_the_holders_user_are_told_apart(scene, doorward, source):
    made = scene("tcp-listener", uid=65534)
    seen = look(doorward, source, made)
    assert (seen["uid"], seen["user"]) == (65534, pwd.getpwuid(65534).pw_name)
    assert {h["uid"] for h in seen["holders"]} == {65534}


@pytest.mark.parametrize("kind, deleted", [("deleted", True), ("replaced", True), ("so-called", False)])
def test_an_executable_that_is_gone_is_told_from_one_that_is_only_called_so(scene, doorward, source, kind, deleted):
    made = scene("deleted-exe", kind=kind)
    holder, = look(doorward, source, made)["holders"]
    assert holder["exe_deleted"] is deleted
    assert holder["exe"] == made.exe


def test_both_ends_of_a_connection_are_joined(scene, doorward, source):
    made = scene("tcp-connection")
    seen = doorward.list(*source, "--all", f"port = {made.port} or peer_port = {made.port}")
    client = seen.one(inode=made.socket("client").inode)
    server = seen.one(inode=made.socket("server").inode)
    assert client["peer_process"]["pid"] == made.server_pid
    assert server["peer_process"]["pid"] == made.client_pid


def test_the_role_of_each_end_follows_from_the_listeners(scene, doorward, source):
    made = scene("tcp-connection")
    seen = doorward.list(*source, "--all", f"port = {made.port} or peer_port = {made.port}")
    roles = {role: seen.one(inode=made.socket(role).inode)["role"] for role in ("client", "server")}
    # Both ends are this host's: either word for what it is, never the same for both as if nothing were known.
    assert roles["server"] in ("accepted", "local")
    assert roles["client"] in ("dialled", "local")


# ---- held by no process ----

@pytest.mark.needs("root")
def test_a_socket_of_the_kernel_is_called_so(scene, doorward, source):
    made = scene("vxlan")
    seen = doorward.list(*source, "--all", f"port = {made.port} and proto = udp").all(netns=made.own_netns)
    assert seen and {s["held_by"] for s in seen} == {"kernel"}
    assert all(s["holders"] == [] for s in seen)


@pytest.mark.needs("root")
def test_the_listener_of_an_mptcp_endpoint_is_the_kernels(scene, doorward, source):
    made = scene("mptcp-endpoint", own_netns=True)
    seen = doorward.list(*source, "--all", f"port = {made.port}").one(netns=made.netns)
    assert (seen["held_by"], seen["mptcp"]) == ("kernel", True)


@pytest.mark.needs("root", "bpf")
def test_it_is_the_kernels_as_seen_from_within_its_namespace_too(scene, doorward):
    """Also where a process may not be inspected, whose socket it might be."""
    made = scene("mptcp-endpoint", own_netns=True)
    seen = doorward.inside(made.scene_pid, "net").list(f"tcp port = {made.port}")
    assert seen.one(netns=made.netns)["held_by"] == "kernel"


@pytest.mark.needs("root")
def test_a_socket_in_transit_is_unseen_and_the_result_incomplete(scene, doorward, source):
    made = scene("in-transit")
    seen = doorward.list(*source, "--all", f"port = {made.port}")
    assert seen.one(inode=made.inode)["held_by"] == "unseen"
    assert seen.one(inode=made.inode)["holders"] == []
    assert seen["complete"] is False
    assert seen["missing"]
    for missing in seen["missing"]:
        assert "sudo" not in (missing["hint"] or ""), "root is not helped by sudo"
    _, _, err = doorward.run("list", *source, "--all", f"port = {made.port} and held_by = unseen")
    assert re.search("[0-9]+ (socket is held by no process that can be seen: it is"
                     "|sockets are held by no process that can be seen: they are) on (its|their) way .*; "
                     "no right shows more", err)


@pytest.mark.needs("root")
def test_from_an_inner_pid_namespace_the_outer_holder_is_unseen(scene, doorward):
    made = scene("pid-namespace")
    inner = doorward.inside(made.pid, "pid", "mount")
    seen = inner.list("--source", "proc", f"port = {made.port} or port = {made.outer_port}")
    assert seen.one(inode=made.socket("inner").inode).pids == {made.inner_pid}
    outer = seen.one(inode=made.socket("outer").inode)
    assert (outer["held_by"], outer["holders"]) == ("unseen", [])
    assert seen["complete"] is False


def test_a_connection_that_nobody_accepted_is_held_by_nobody(scene, doorward, source):
    made = scene("not-accepted", waiting=5, backlog=16)
    seen = doorward.list(*source, "--all", f"port = {made.port}")
    waiting = [s for s in seen.sockets if s["state"] == "ESTABLISHED"]
    assert len(waiting) == 5
    assert {s["held_by"] for s in waiting} == {"nobody"}
    assert all(s["holders"] == [] for s in waiting)


def test_a_listener_says_how_full_its_backlog_is(scene, doorward, source):
    made = scene("not-accepted", waiting=5, backlog=16)
    seen = doorward.list(*source, f"port = {made.port}").one(inode=made.socket("listener").inode)
    assert (seen["recv_queue"], seen["backlog"]) == (5, 16)


# ---- interpreters ----

@pytest.mark.parametrize("kind", ["script", "options", "module", "perl", "java"])
def test_an_interpreter_is_named_by_what_it_runs(scene, doorward, kind):
    made = scene("interpreter", kind=kind)
    lines = [line for line in doorward.table("--fields", "port,process", f"port = {made.port}")
             if str(made.port) in line]
    assert len(lines) == 1
    assert made.runs in lines[0]


def test_an_interpreter_with_its_program_on_the_command_line_keeps_its_name(scene, doorward):
    made = scene("interpreter", kind="inline")
    lines = [line for line in doorward.table("--fields", "port,process", f"port = {made.port}")
             if str(made.port) in line]
    assert len(lines) == 1 and "python3" in lines[0] and "import" not in lines[0]
