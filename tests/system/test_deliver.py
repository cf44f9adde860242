# SPDX-License-Identifier: GPL-2.0-or-later
"""To whom a packet goes: asked first, then sent for real. Whoever got it answers with its pid."""

import random
import socket
import subprocess

import pytest

from sk_lookup import pidfd_getfd, steering

FAMILIES = {"127.0.0.1": socket.AF_INET, "::1": socket.AF_INET6}


def text(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def ask(doorward, to, source=None, proto="tcp", **how):
    words = [text(*to), "--proto", proto]
    if source:
        words += ["--from", text(*source)]
    seen = doorward.json("deliver", *words, **how)
    delivery, = seen["deliveries"]
    return delivery


def bound(kind, address):
    """A socket with a port of its own that nothing is sent from yet."""
    mine = socket.socket(FAMILIES[address], kind)
    mine.settimeout(20)
    mine.bind((address, 0))
    return mine


def answered(mine, to, kind):
    """The pid of whoever got it."""
    mine.connect(to)
    if kind == socket.SOCK_DGRAM:
        mine.send(b"?")
    return int(mine.recv(64).split()[0])


def pids(delivery):
    return {h["pid"] for h in delivery["chosen"]["holders"]} if delivery["chosen"] else set()


def foretold_and_real(doorward, made, address, kind, proto):
    with bound(kind, address) as mine:
        delivery = ask(doorward, (address, made.port), mine.getsockname()[:2], proto)
        return pids(delivery), {answered(mine, (address, made.port), kind)}


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.needs("big"))])
@pytest.mark.parametrize("proto, kind", [("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)])
def test_the_member_of_a_reuseport_group_is_foretold(scene, doorward, proto, kind, count):
    made = scene("reuseport-group", udp=proto == "udp", answer=True, count=8)
    got = [foretold_and_real(doorward, made, "127.0.0.1", kind, proto) for _ in range(count)]
    wrong = [g for g in got if g[0] != g[1]]
    assert not wrong, f"{len(wrong)} of {count}: {wrong[:3]}"
    assert len({pid for _, real in got for pid in real}) > 1, "the group was not used"


@pytest.mark.parametrize("name", ["two-owners", "v6only-pair", "dual-stack"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_family_decides(scene, doorward, name, address):
    made = scene(name, answer=True)
    foretold, real = foretold_and_real(doorward, made, address, socket.SOCK_STREAM, "tcp")
    assert foretold == real


def test_one_address_comes_before_any(scene, doorward):
    made = scene("any-and-one", answer=True)
    delivery = ask(doorward, ("127.0.0.1", made.port), ("127.0.0.1", random.randrange(20000, 30000)))
    assert pids(delivery) == {made.pids[1]}
    kinds = {c["kind"]: c for c in delivery["candidates"]}
    assert kinds["address"]["chosen"] and not kinds["wildcard"]["chosen"]
    assert all(c["reason"] for c in delivery["candidates"])
    assert pids(ask(doorward, ("127.0.0.2", made.port))) == {made.pids[0]}
    _, real = foretold_and_real(doorward, made, "127.0.0.1", socket.SOCK_STREAM, "tcp")
    assert real == {made.pids[1]}


def test_a_dual_stack_socket_takes_ipv4_and_is_said_to(scene, doorward):
    made = scene("dual-stack")
    chosen, = [c for c in ask(doorward, ("127.0.0.1", made.port))["candidates"] if c["chosen"]]
    assert chosen["kind"] == "dual-stack"


def test_an_ipv6_only_socket_does_not_take_ipv4(scene, doorward):
    made = scene("v6only-pair")
    delivery = ask(doorward, ("127.0.0.1", made.port))
    assert delivery["chosen"]["family"] == "ipv4"
    other, = [c for c in delivery["candidates"] if not c["chosen"]]
    assert "IPV6_V6ONLY" in other["reason"] and other["kind"] == "wildcard"


def test_a_packet_of_a_connection_goes_to_it_and_not_to_the_listener(scene, doorward):
    made = scene("tcp-connection")
    client = made.socket("client")
    delivery = ask(doorward, ("127.0.0.1", made.port), ("127.0.0.1", client.local_port))
    assert delivery["chosen"]["state"] == "ESTABLISHED"
    assert pids(delivery) == {made.server_pid}
    assert {c["kind"] for c in delivery["candidates"]} == {"connection", "wildcard"} or \
        {c["kind"] for c in delivery["candidates"]} == {"connection", "address"}


def test_an_answer_to_a_connected_udp_socket_is_delivered_to_it(scene, doorward):
    made = scene("udp-connected")
    delivery = ask(doorward, ("127.0.0.1", made.client_port), ("127.0.0.1", made.port), "udp")
    assert pids(delivery) == {made.pid}
    assert delivery["by_kernel"] is True


def test_where_nobody_is_nobody_is_said(scene, doorward):
    with bound(socket.SOCK_STREAM, "127.0.0.1") as mine:  # bound, not listening: the port is surely free
        delivery = ask(doorward, mine.getsockname())
    assert delivery["chosen"] is None and delivery["note"]
    status, out, _ = doorward.run("deliver", text(*("127.0.0.1", 1)))
    assert status == 1 and "nobody" in out


@pytest.mark.needs("root")
def test_where_no_address_is_that_is_said(doorward):
    with subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        assert doorward.run("deliver", "8080", "--netns", other.pid)[:2] == (1, "there is no address to which a packet could come\n")
        assert doorward.json("deliver", "8080", "--netns", other.pid)["deliveries"] == []
        other.stdin.close()


def test_without_an_address_each_of_this_host_is_told(scene, doorward):
    made = scene("tcp-listener", address="0.0.0.0")
    seen = doorward.json("deliver", made.port)
    to = {d["to_address"]: d for d in seen["deliveries"]}
    assert pids(to["127.0.0.1"]) == {made.pids[0]}
    assert all(d["to_port"] == made.port for d in seen["deliveries"])


def test_localhost_is_both_its_addresses(scene, doorward):
    made = scene("tcp-listener")
    told = doorward.json("deliver", f"localhost:{made.port}")["deliveries"]
    assert {d["to_address"]: bool(d["chosen"]) for d in told} == {"127.0.0.1": True, "::1": False}
    told, = doorward.json("deliver", f"LOCALHOST:{made.port}", "--from", "127.0.0.1:9")["deliveries"]
    assert told["to_address"] == "127.0.0.1"


def test_the_kernel_is_asked_without_privilege(scene, doorward):
    made = scene("tcp-listener")
    delivery = ask(doorward.as_user(), ("127.0.0.1", made.port))
    assert delivery["by_kernel"] is True and delivery["chosen"]["local_port"] == made.port


@pytest.mark.needs("bpf")
def test_a_packet_that_a_program_steers_goes_where_it_says(scene, doorward):
    made = scene("tcp-listener")
    with bound(socket.SOCK_STREAM, "127.0.0.1") as free:
        port = free.getsockname()[1]
    copy = pidfd_getfd(made.pids[0], made.fd)
    with steering(port, copy):
        delivery = ask(doorward, ("127.0.0.1", port), ("127.0.0.1", 40000))
    assert pids(delivery) == set(made.pids)
    assert delivery["steered"] is True and delivery["chosen"]["local_port"] == made.port
    chosen, = [c for c in delivery["candidates"] if c["chosen"]]
    assert "sk_lookup" in chosen["reason"]
    assert ask(doorward, ("127.0.0.1", port))["chosen"] is None


@pytest.mark.needs("root")
def test_the_namespace_of_a_process_can_be_asked(scene, doorward):
    made = scene("tcp-listener", own_netns=True)
    seen = doorward.json("deliver", "--netns", made.pids[0], text("127.0.0.1", made.port))
    delivery, = seen["deliveries"]
    assert (pids(delivery), delivery["netns"], delivery["by_kernel"]) == (set(made.pids), made.netns, True)


@pytest.mark.parametrize("words", [["deliver"], ["deliver", "127.0.0.1"], ["deliver", "nonsense:80"],
                                   ["deliver", "127.0.0.1:80", "--from", "::1"],
                                   ["deliver", "127.0.0.1:80", "--proto", "tpc"]], ids=" ".join)
def test_what_is_no_packet_is_refused(doorward, words):
    status, out, err = doorward.run(*words)
    assert status == 2 and out == "" and err.startswith("doorward:")
