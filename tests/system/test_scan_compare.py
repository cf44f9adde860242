# SPDX-License-Identifier: GPL-2.0-or-later
"""Both sides: what answers from outside against what this host's table of sockets says."""

import pathlib

import pytest

from room import Room
from scans import HERE, Found, found, listen_at, make_net, wall, wall_in  # pylint: disable=unused-import

pytestmark = pytest.mark.needs("root", "program:nft")


@pytest.fixture(name="lo")
def make_lo():
    room = Room()
    yield room
    room.close()


def verdict(seen, port):
    compared = seen.ports[port]["compare"]
    return compared and compared["verdict"]


def test_an_open_door_has_its_holder(lo, doorward):
    listen_at(lo, ["127.0.0.1"], [7001])
    seen = found(lo.doorward(doorward), "127.0.0.1")
    assert verdict(seen, 7001) == "expected"
    assert [h["pid"] for h in seen.ports[7001]["holders"]] == [lo.pid]


def test_a_listener_behind_a_wall_is_told(lo, doorward):
    listen_at(lo, ["127.0.0.1"], [7001, 7002, 7003])
    wall_in(lo, ["tcp dport 7001 drop", "tcp dport 7002 reject", "tcp dport 7003 reject with tcp reset"])
    seen = found(lo.doorward(doorward), "127.0.0.1", "-p", "7000-7100", statuses=(1,))
    words = {7001: "dropped", 7002: "rejects", 7003: "resets"}
    for port, word in words.items():
        assert verdict(seen, port) == "not-reachable"
        assert word in seen.ports[port]["compare"]["detail"]


def test_a_block_of_our_own_is_told(lo, doorward):
    """By the scan, and by the story of the port."""
    listen_at(lo, ["127.0.0.1"], [7001, 7002])
    run = lo.doorward(doorward)
    assert run.run("block", "tcp/7001", "--reason", "for the test")[0] == 0
    seen = found(run, "127.0.0.1", "-p", "7000-7100")
    assert verdict(seen, 7001) == "not-reachable"
    assert "doorward unblock tcp/7001" in seen.ports[7001]["compare"]["detail"]
    assert verdict(seen, 7002) == "expected"
    remark, = [r["text"] for r in run.json("show", "7001")["remarks"] if r["what"] == "blocked"]
    assert "for the test" in remark and "doorward unblock tcp/7001" in remark
    assert run.run("unblock", "tcp/7001")[0] == 0
    assert not [r for r in run.json("show", "7001")["remarks"] if r["what"] == "blocked"]


def test_a_listener_at_another_address_is_told(lo, doorward):
    listen_at(lo, ["127.0.0.1"], [7001])
    listen_at(lo, ["::"], [7002], v6only=True)
    listen_at(lo, ["127.0.0.2"], [7003])
    listen_at(lo, ["127.0.0.9"], [7003])
    seen = found(lo.doorward(doorward), "127.0.0.9", "-p", "7000-7100")
    words = {7001: "127.0.0.1", 7002: ":: (IPv6 only)"}
    for port, word in words.items():
        assert seen.by_port[port] == ("closed", "rst")
        assert verdict(seen, port) == "not-reachable"
        assert f"bound to {word}" in seen.ports[port]["compare"]["detail"]
        assert [h["pid"] for h in seen.ports[port]["holders"]] == [lo.pid]
    assert verdict(seen, 7003) == "expected"


def test_a_full_backlog_is_told(lo, doorward):
    lo("full = listen('127.0.0.1', 7000, 1)")
    lo("[keep(socket.create_connection(('127.0.0.1', 7000), 1)) for _ in range(2)] and None")
    seen = found(lo.doorward(doorward), "127.0.0.1", "-p", "7000", statuses=(1,))
    assert verdict(seen, 7000) == "not-reachable"
    assert "backlog is full" in seen.ports[7000]["compare"]["detail"]


@pytest.mark.parametrize("method", ["connect", "syn"])
def test_a_port_that_is_published_from_a_container_is_told(net, doorward, method):
    net.container("listen('10.8.0.2', 80)")
    seen = found(net.here.doorward(doorward), "10.8.0.1", "-p", "8080-8090", "--method", method)
    assert seen.those("open") == [8088]
    assert verdict(seen, 8088) == "not-in-table"
    assert "NAT rule sends it to 10.8.0.2 port 80" in seen.ports[8088]["compare"]["detail"]


@pytest.mark.alone  # an address that other namespaces have too is compared with none
@pytest.mark.parametrize("where", ["here", "outside"])
def test_a_published_port_is_told_wherever_it_is_seen_from(net, doorward, where):
    net.container("listen('10.8.0.2', 80)")
    words = ["--from", "stranger"] if where == "here" else []
    seen = found(getattr(net, where).doorward(doorward), HERE[4], "-p", "8088", *words)
    assert verdict(seen, 8088) == "not-in-table"
    assert "NAT rule sends it to 10.8.0.2 port 80" in seen.ports[8088]["compare"]["detail"]


@pytest.mark.alone
def test_the_neighbour_that_is_this_hosts_has_holders_too(net, doorward):
    listen_at(net.here, [HERE[4]], [7001])
    seen = found(net.outside.doorward(doorward), HERE[4], "-p", "7001")
    assert verdict(seen, 7001) == "expected"
    assert [h["pid"] for h in seen.ports[7001]["holders"]] == [net.here.pid]


def test_an_address_of_two_namespaces_is_compared_with_neither(net, doorward):
    listen_at(net.here, [HERE[4]], [7001])
    net.room("twin")(f"ip('addr add {HERE[4]}/32 dev lo')")
    said = net.outside.doorward(doorward).json("scan", HERE[4], "-p", "7001")
    assert any(HERE[4] in note and "namespaces of this host have this address" in note for note in said["notes"])
    assert Found(said["results"][0]).ports[7001]["compare"] is None


def test_without_compare_nothing_is_said(lo, doorward):
    listen_at(lo, ["127.0.0.1"], [7001])
    seen = found(lo.doorward(doorward), "127.0.0.1", "-p", "7001", "--no-compare")
    assert verdict(seen, 7001) is None
    assert not seen.ports[7001]["holders"]


HTTP = """
import contextlib, threading
def answer_http(listener):
    while True:
        made = listener.accept()[0]
        with made, contextlib.suppress(ConnectionError):  # who only looks where it leads resets
            made.recv(1000)
            made.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
def serve_http(port, address="127.0.0.1"):
    listen(address, port)
    threading.Thread(target=answer_http, args=(kept[-1],), daemon=True).start()
"""


@pytest.mark.parametrize(("program", "port", "told"), [
    ("sshd", 5511, "http answers, where sshd holds the door"),
    ("python3", 22, "http answers at the port of ssh"),
    ("memcached", 11211, "http answers at the port of memcache, where memcached holds the door"),
    ("lighttpd", 5511, None),
])
def test_another_service_than_the_number_or_the_program_says(lo, doorward, program, port, told):
    lo(HTTP)
    lo(f"serve_http({port})")
    lo(f"open('/proc/self/comm', 'w').write({program!r}) and None")
    seen = found(lo.doorward(doorward), "127.0.0.1", "-p", str(port), "--identify")
    compared = seen.ports[port]["compare"]
    assert compared == {"verdict": "other-service" if told else "expected", "detail": told}


def test_another_service_behind_a_rule_leaves_the_rule_told(net, doorward):
    net.container(HTTP)
    net.container("serve_http(80, '10.8.0.2')")
    net.container("open('/proc/self/comm', 'w').write('sshd') and None")
    seen = found(net.here.doorward(doorward), "10.8.0.1", "-p", "8088", "--identify")
    assert seen.ports[8088]["compare"] == {
        "verdict": "not-in-table",
        "detail": "a NAT rule sends it to 10.8.0.2 port 80; http answers, where sshd holds the door"}


@pytest.mark.needs("bpf")
def test_a_door_that_a_program_of_the_kernel_steers_is_told(lo, doorward):
    lo(f"sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r})")
    lo("import sk_lookup")
    listen_at(lo, ["127.0.0.1"], [7001])
    lo("held = sk_lookup.steering(7002, os.dup(kept[0].fileno()))")
    lo("held.__enter__()")
    seen = found(lo.doorward(doorward), "127.0.0.1", "-p", "7000-7010")
    assert seen.those("open") == [7001, 7002] and verdict(seen, 7002) == "not-in-table"
    assert seen.ports[7002]["compare"]["detail"] == "a program of the kernel (sk_lookup) steers it to port 7001"
    assert [h["pid"] for h in seen.ports[7002]["holders"]] == [lo.pid]


# what answers without a socket: a packet socket that says SYN-ACK to every SYN, and a rule that hides it from the kernel
ANSWERER = """
import threading
def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
def answer_all():
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x800)); wire.bind(("lo", 0x800))
    out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    keep(wire)
    def go():
        while True:
            data, where = wire.recvfrom(2000)
            to, sequence = struct.unpack("!H", data[22:24])[0], struct.unpack("!I", data[24:28])[0]
            if data[9] != 6 or to != 7003 or data[33] != 2 or where[2] == 4: continue
            source = data[20:22]
            tcp = struct.pack("!H2sIIBBHHH", 7003, source, 1, sequence + 1 & 0xffffffff, 0x50, 0x12, 1000, 0, 0)
            pseudo = data[16:20] + data[12:16] + struct.pack("!BBH", 0, 6, len(tcp))
            tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
            out.sendto(b"\\x45\\0" + struct.pack("!HHHBBH", 20 + len(tcp), 1, 0, 64, 6, 0) + data[16:20] + data[12:16] + tcp,
                       ("127.0.0.1", 0))
    threading.Thread(target=go, daemon=True).start()
"""


def test_a_door_without_a_socket_is_told_as_hidden(lo, doorward):
    lo(ANSWERER)
    wall_in(lo, "tcp dport 7003 drop")
    lo("answer_all()")
    seen = found(lo.doorward(doorward), "127.0.0.1", "-p", "7000-7010")
    assert seen.those("open") == [7003] and verdict(seen, 7003) == "not-in-table"
    assert seen.ports[7003]["compare"]["detail"].startswith("hidden: no socket that may be seen")
    assert not seen.ports[7003]["holders"]


@pytest.mark.alone
@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_a_published_port_has_the_holder_behind_the_rule(net, doorward, proto):
    net.container("listen('10.8.0.2', 80)")
    net.container("echo_datagrams('10.8.0.2', 80)")
    seen = found(net.outside.doorward(doorward), HERE[4], "-p", "8088", f"--{proto}")
    assert "NAT rule sends it to 10.8.0.2 port 80" in seen.ports[8088]["compare"]["detail"]
    assert [h["pid"] for h in seen.ports[8088]["holders"]] == [net.container.pid]
