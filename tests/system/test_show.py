# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole story of a port on one screen."""

import json
import os
import socket

import pytest

from conftest import TREE
from terminal import on_terminal


def story(doorward, *words):
    status, out, err = doorward.run("show", *words)
    assert status == 0, err
    return out


def test_the_holder_is_told_with_all_that_is_known(scene, doorward):
    made = scene("tcp-listener")
    out = story(doorward, made.port)
    exe = os.path.realpath(f"/proc/{made.pids[0]}/exe")
    for told in (str(made.pids[0]), exe, "127.0.0.1", "listening", "only this host", "since"):
        assert told in out


def test_the_parents_are_told_up_to_the_first(scene, doorward):
    made = scene("tcp-listener")
    holder, = doorward.json("show", made.port).one(inode=made.inode)["holders"]
    chain, pid = [], made.pids[0]
    while True:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            pid = int(stat.read().rpartition(b")")[2].split()[1])
        if not pid:
            break
        chain.append(pid)
    assert [p["pid"] for p in holder["parents"]] == chain
    assert f"({os.getpid()})" in story(doorward, made.port)


def test_workers_stand_in_one_line(scene, doorward):
    made = scene("tcp-listener", workers=4)
    out = story(doorward, made.port)
    assert all(str(pid) in out for pid in made.pids)
    assert "×4" in out or "x4" in out


def test_two_owners_are_warned_of_and_localhost_is_decided(scene, doorward):
    made = scene("two-owners")
    remark, = [r for r in doorward.json("show", made.port)["remarks"] if r["what"] == "two-owners"]
    assert all(str(pid) in remark["text"] for pid in made.pids)
    first = socket.getaddrinfo("localhost", made.port, type=socket.SOCK_STREAM)[0][0]
    pid = made.pids[0 if first == socket.AF_INET else 1]
    assert f"(pid {pid}) first" in remark["text"]
    assert "localhost" in story(doorward, made.port)


def test_any_and_one_address_are_two_owners_too(scene, doorward):
    made = scene("any-and-one")
    remark, = [r for r in doorward.json("show", made.port)["remarks"] if r["what"] == "two-owners"]
    assert all(str(pid) in remark["text"] for pid in made.pids)
    assert f"reaches scene (pid {made.pids[1]})" in remark["text"]


def test_who_is_connected_is_grouped_by_peer(scene, doorward):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        clients = [socket.create_connection(("127.0.0.1", port), source_address=(source, 0))
                   for source in ("127.0.0.1", "127.0.0.1", "127.0.0.2")]
        accepted = [server.accept()[0] for _ in clients]
        seen = doorward.json("show", port)
        out = story(doorward, port)
        for end in clients + accepted:
            end.close()
    groups = {c["peer_address"]: c["count"] for c in seen["connections"]}
    assert groups == {"127.0.0.1": 2, "127.0.0.2": 1}
    assert all(c["peer_process"]["pid"] == os.getpid() for c in seen["connections"])
    assert "3 connections from 2 addresses" in out


def test_a_deleted_executable_is_remarkable(scene, doorward):
    made = scene("deleted-exe")
    seen = doorward.json("show", made.port)
    assert "exe-deleted" in {r["what"] for r in seen["remarks"]}
    assert "(deleted)" in story(doorward, made.port)


def test_tcp_and_udp_are_two_doors(doorward):
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            pytest.skip("the number is taken for UDP")
        seen = doorward.json("show", tcp.getsockname()[1])
    assert {s["proto"] for s in seen.sockets} == {"tcp", "udp"}
    assert {r["what"] for r in seen["remarks"]} & {"two-doors", "two-owners"} == {"two-doors"}


def test_a_full_backlog_is_remarkable(scene, doorward):
    made = scene("not-accepted", backlog=2, waiting=3)
    assert "backlog-full" in {r["what"] for r in doorward.json("show", made.port)["remarks"]}


def test_the_number_is_explained_where_nobody_is(doorward):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    status, out, _ = doorward.run("show", port)
    assert status == 1 and "Nobody is there" in out and f"tcp/{port}" in out
    seen = doorward.json("show", port)
    assert seen["sockets"] == [] and seen["port"]["port"] == port


@pytest.mark.parametrize("form", ["{}", "tcp/{}", "127.0.0.1:{}"])
def test_every_form_of_a_target(scene, doorward, form):
    made = scene("tcp-listener")
    target = form.format(made.port)
    assert doorward.json("show", target).one(inode=made.inode).pids == set(made.pids)
    status, out, err = doorward.run(target)
    assert status == 0 and str(made.pids[0]) in out, err


def test_another_protocol_or_address_is_not_shown(scene, doorward):
    made = scene("tcp-listener")
    assert doorward.json("show", f"udp/{made.port}")["sockets"] == []
    assert doorward.json("show", f"127.0.0.9:{made.port}")["sockets"] == []


def test_sockets_are_those_of_list(scene, doorward):
    made = scene("tcp-listener")
    shown = doorward.json("show", made.port).one(inode=made.inode)
    listed = doorward.list(f"port = {made.port}").one(inode=made.inode)
    for socket_ in (shown, listed):
        for holder in socket_["holders"]:
            holder.pop("parents", None)
    assert shown == listed


def test_a_saved_port_is_told_again(scene, doorward, tmp_path):
    made = scene("tcp-listener")
    _, saved, _ = doorward.run("show", "--json", made.port)
    file = tmp_path / "saved.json"
    file.write_text(saved)
    made.close()
    again = doorward.json("show", "--read", file, made.port)
    assert again.sockets == [dict(s) for s in json.loads(saved)["sockets"]]
    out = story(doorward, "--read", file, made.port)
    assert str(made.pids[0]) in out


@pytest.mark.parametrize("words", [["show"], ["show", "65536"], ["show", "80", "90"], ["show", "tpc/80"],
                                   ["show", "--sorce", "auto", "80"]], ids=" ".join)
def test_what_is_no_target_is_refused(doorward, words):
    status, out, err = doorward.run(*words)
    assert status == 2 and out == "" and err.startswith("doorward:")


# ---- pager ----

HOST = TREE / "tests/golden/host.json"


@pytest.mark.parametrize("words, rows, is_paged", [([], 10, True), ([], 60, False), (["--no-pager"], 10, False),
                                                   (["--json"], 10, False)], ids=str)
def test_a_story_longer_than_the_screen_is_paged(doorward, tmp_path, words, rows, is_paged):
    status, got, _ = on_terminal(doorward, "show", "8080", "--read", HOST, *words, rows=rows,
                                 DOORWARD_PAGER=f"tee {tmp_path}/paged")
    assert status == 0 and got.count(b"8080") > 1
    assert (tmp_path / "paged").exists() == is_paged
    assert not is_paged or (tmp_path / "paged").read_bytes() == got
