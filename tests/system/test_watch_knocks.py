# SPDX-License-Identifier: GPL-2.0-or-later
"""Who tries doors that are closed or filtered: every way in networks of its own, and only there."""

import pytest

from networks import Networks
from watches import Watch

pytestmark = [pytest.mark.needs("bpf"), pytest.mark.needs("program:nft")]

WALL = """
table inet wall {
    chain input {
        type filter hook input priority filter
        tcp dport 2222 drop
        udp dport 5353 drop
    }
}
"""


@pytest.fixture
def networks():
    made = Networks()
    yield made
    made.close()


@pytest.fixture
def watch(doorward, networks):
    running = []

    def start(*words, **how):
        running.append(Watch(doorward, "--knocks", "--netns", networks.here.pid, *words, **how))
        return running[-1]

    yield start
    for made in running:
        made.close()


def datagram(room, address, port):
    room(f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('{address}', {port})) and None")


def test_a_closed_door_says_who_tried(networks, watch):
    outside = networks.outside
    watching = watch()
    assert outside("dial('10.9.0.1', 81)") == 111
    seen = watching.until(event="knock", local_port=81)
    assert (seen["proto"], seen["peer_address"], seen["local_address"]) == ("tcp", "10.9.0.2", "10.9.0.1")
    assert (seen["count"], seen["reason"], seen["source"]) == (1, "NO_SOCKET", "bpf")
    assert seen["netns"] == int(networks.here("os.stat('/proc/self/ns/net').st_ino"))
    assert outside("dial('fd09::1', 82)") == 111
    assert watching.until(event="knock", local_port=82)["peer_address"] == "fd09::2"
    assert watching.end()[0] == 0


def test_a_filtered_door_has_the_firewall_as_reason(networks, watch):
    outside = networks.outside
    networks.nft(WALL)
    watching = watch()
    datagram(outside, "10.9.0.1", 5353)
    seen = watching.until(event="knock", proto="udp", local_port=5353)
    assert seen["reason"] == "NETFILTER_DROP" and seen["peer_address"] == "10.9.0.2"
    outside("keep(socket.socket()).setblocking(False)")
    outside("kept[-1].connect_ex(('10.9.0.1', 2222))")
    assert watching.until(event="knock", proto="tcp", local_port=2222)["reason"] == "NETFILTER_DROP"


def test_a_forged_sender_is_the_reverse_path_filters(networks, watch):
    outside = networks.outside
    networks.here("open('/proc/sys/net/ipv4/conf/all/rp_filter', 'w').write('1') and None")
    networks.here("open('/proc/sys/net/ipv4/conf/outside/rp_filter', 'w').write('1') and None")
    outside("ip('addr add 10.77.0.1/32 dev eth0')")
    assert outside("dial('10.9.0.1', 83)") == 111  # the neighbour is known: who asks for it as a stranger gets no answer
    watching = watch()
    outside("keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind(('10.77.0.1', 0))")
    outside("kept[-1].sendto(b'x', ('10.9.0.1', 83))")
    assert watching.until(event="knock", peer_address="10.77.0.1")["reason"] == "IP_RPFILTER"


def test_how_often_adds_up(networks, watch):
    outside = networks.outside
    watching = watch("port = 84")
    for _ in range(25):
        assert outside("dial('10.9.0.1', 84)") == 111
    assert watching.end()[0] == 0
    knocks = [line for line in watching.lines if line["event"] == "knock"]
    assert sum(line["count"] for line in knocks) == 25
    assert len(knocks) < 25, "they are told together"


def test_an_open_door_and_other_namespaces_are_no_knock(networks, watch):
    outside = networks.outside
    port = networks.here("listen('10.9.0.1', 0)")
    watching = watch()
    assert outside(f"dial('10.9.0.1', {port})") == 0
    assert networks.container("dial('127.0.0.1', 85)") == 111  # in a room of its own
    assert outside("dial('10.9.0.1', 86)") == 111
    watching.until(event="knock", local_port=86)
    assert {line.get("local_port") for line in watching.lines} == {None, 86}


def test_the_one_filter_chooses_and_the_summary_counts(networks, watch):
    outside = networks.outside
    watching = watch("--summary", "peer in 10.9.0.0/24 and port = 87")
    for port in (87, 88, 87):
        assert outside(f"dial('10.9.0.1', {port})") == 111
    assert watching.end() == (0, "")
    summary = watching.lines[-1]
    assert summary["events"]["knock"] == 2
    assert summary["ports"] == [{"port": "tcp/87", "count": 2}]
    assert summary["peers"] == [{"peer": "10.9.0.2", "count": 2}]


def test_a_person_reads_a_line(doorward, networks):
    outside = networks.outside
    watching = Watch(doorward, "--knocks", "--netns", networks.here.pid, "--count", 1, "port = 89", first=(),
                     is_started=False)
    assert "watching by bpf" in watching.text_line()
    assert outside("dial('10.9.0.1', 89)") == 111
    line = watching.text_line()
    assert "knock" in line and "10.9.0.1:89 <- 10.9.0.2:" in line and line.endswith("NO_SOCKET")
    assert watching.wait()[0] == 0


def test_without_the_rights_it_says_what_helps(doorward):
    status, out, err = doorward.as_user().run("watch", "--knocks")
    assert (status, out) == (3, "")
    assert "CAP_BPF" in err and "run it with sudo" in err
