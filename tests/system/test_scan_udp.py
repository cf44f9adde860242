# SPDX-License-Identifier: GPL-2.0-or-later
"""UDP doors: those that answer, those that are silent, and those of a host that says once a second which are closed."""

import os
import time

import pytest

from room import Room
from scans import HERE, found, make_net, wall  # pylint: disable=unused-import

pytestmark = pytest.mark.needs("root", "program:nft")
SILENT = [1001, 1017, 1039]


def bind_silent(room, address, ports):
    room(f"[keep(bind({address!r}, p, socket.SOCK_DGRAM)) for p in {ports!r}] and None")


@pytest.fixture(name="lo")
def make_lo():
    room = Room()
    yield room
    room.close()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_silent_sockets_are_never_called_open(lo, doorward, address):
    bind_silent(lo, address, SILENT)
    seen = found(lo.doorward(doorward), address, "--udp", "-p", "1000-1039", statuses=(1,))
    assert seen.those("open|filtered") == SILENT
    assert len(seen.those("closed")) == 37
    for port in SILENT:  # this host's table knows more than a stranger
        assert seen.ports[port]["compare"]["verdict"] == "expected"
        assert [h["pid"] for h in seen.ports[port]["holders"]] == [lo.pid]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_all_ports_of_loopback_and_not_our_own(lo, doorward, address):
    bind_silent(lo, address, SILENT)
    seen = found(lo.doorward(doorward), address, "--udp", statuses=(1,))
    assert len(seen.by_port) == 65535
    assert seen.those("open|filtered") == SILENT
    assert not seen.those("open")
    # the sockets of the scan itself, two for each thread
    assert list(seen.by_port.values()).count(("closed", "self-connect")) == 2 * min(4, len(os.sched_getaffinity(0)))


def test_a_service_is_asked_in_its_own_language(net, doorward):
    net.here("""
import threading
def answer(port, says, elsewhere=False):
    made = keep(bind('10.9.0.1', port, socket.SOCK_DGRAM))
    other = keep(bind('10.9.0.1', 0, socket.SOCK_DGRAM)) if elsewhere else made
    def serve():
        while True:
            data, peer = made.recvfrom(2000)
            if says(data): other.sendto(data, peer)
    threading.Thread(target=serve, daemon=True).start()
answer(53, lambda d: b'version' in d)
answer(123, lambda d: len(d) == 48 and d[0] & 7 == 3)
answer(161, lambda d: d[0] == 0x30 and d[1] == len(d) - 2)
answer(69, lambda d: d[:2] == b'\\0\\1' and d.endswith(b'octet\\0'), elsewhere=True)
answer(443, lambda d: len(d) >= 1200 and d[0] & 0x80)
answer(11211, lambda d: d[8:] == b'version\\r\\n')
answer(3478, lambda d: len(d) == 20 and d[4:8] == b'\\x21\\x12\\xa4\\x42')
answer(5353, lambda d: d.count(b'_services') and d[-4:] == b'\\0\\x0c\\0\\1')
answer(137, lambda d: len(d) == 50)
answer(67, lambda d: d[236:240] == b'c\\x82Sc')
answer(9999, lambda d: d == b'')
""")
    ports = [53, 67, 69, 123, 137, 161, 443, 3478, 5353, 9999, 11211]
    seen = found(net.outside.doorward(doorward), HERE[4], "--udp", "-p", ",".join(map(str, ports)))
    assert seen.those("open") == ports


@pytest.mark.parametrize("family", [4, 6])
def test_what_is_closed_among_silence_is_told_token_by_token(net, doorward, family):
    closed = [1050, 1100, 1150, 1151, 1152, 1153, 1154, 1200, 1300, 1499]
    wall(net, [f"udp dport {{ {', '.join(map(str, closed))} }} accept", "meta l4proto udp drop"])
    began = time.monotonic()
    seen = found(net.outside.doorward(doorward), HERE[family], "--udp", "-p", "1000-1499", statuses=(1,))
    assert seen.those("closed") == closed
    assert len(seen.those("open|filtered")) == 490
    assert time.monotonic() - began < 60  # it ends


def test_what_there_is_no_time_for_is_unknown(net, doorward):
    outside = net.outside.doorward(doorward)
    seen = found(outside, HERE[4], "--udp", "-p", "1000-1499", "--max-time", "2s", statuses=(3,))
    assert len(seen.those("closed")) in range(6, 30)
    assert seen.reasons("unknown") == {"icmp-limited"}
    assert not seen.those("open|filtered")
    # at once again: the host has no word left, and silence must not be taken for an answer
    seen = found(outside, HERE[4], "--udp", "-p", "1000-1499", "--max-time", "3s", statuses=(3,))
    assert not seen.those("open|filtered")
    _, out, _ = outside.run("scan", HERE[4], "--udp", "-p", "1000-1499", "--max-time", "2s")
    assert "the rest would take" in out
