# SPDX-License-Identifier: GPL-2.0-or-later
"""Both sides: what answers from outside against what this host's table of sockets says."""

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
