# SPDX-License-Identifier: GPL-2.0-or-later
"""SCTP doors: an INIT goes out, and what comes is believed where it has seen it."""

import xml.etree.ElementTree as ElementTree

import pytest

from room import Room
from scans import HERE, found, make_net, wall  # pylint: disable=unused-import
from sctp import SERVER

pytestmark = pytest.mark.needs("root", "program:nft")
OPEN = [2905, 3868, 38412]


@pytest.fixture(name="lo")
def make_lo():
    room = Room()
    yield room
    room.close()


def serve(room, address, **how):
    room(SERVER)
    room(f"sctp({address!r}, {OPEN!r}, **{how!r})")


@pytest.mark.parametrize("family", [4, 6])
def test_init_ack_is_open_and_abort_closed(net, doorward, family):
    serve(net.here, HERE[family])
    seen = found(net.outside.doorward(doorward), HERE[family], "--sctp", "-p", "1-300,2905,3868,38412", "--rate", "500")
    assert seen.those("open") == OPEN
    assert seen.reasons("open") == {"init-ack"}
    assert len(seen.those("closed")) == 300 and seen.reasons("closed") == {"abort"}
    heard = net.here("heard")
    assert sorted(set(heard)) == [*range(1, 301), *OPEN], "right checksums, and nothing but INIT"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_own_addresses(lo, doorward, address):
    serve(lo, address)
    seen = found(lo.doorward(doorward), address, "--sctp", "-p", "2900-2910,3868,38412")
    assert seen.those("open") == OPEN
    assert seen.reasons("closed") == {"abort"}


def test_wrong_tags_are_no_answer(net, doorward):
    serve(net.here, HERE[4], forges=[2905])
    seen = found(net.outside.doorward(doorward), HERE[4], "--sctp", "-p", "2905,3868")
    assert seen.by_port == {2905: ("filtered", "time-out"), 3868: ("open", "init-ack")}


def test_a_rule_that_drops_and_one_that_rejects(net, doorward):
    serve(net.here, HERE[4])
    wall(net, ["sctp dport 2905 drop", "sctp dport 3868 reject with icmp admin-prohibited"])
    seen = found(net.outside.doorward(doorward), HERE[4], "--sctp", "-p", "2904-2905,3868,38412")
    assert seen.by_port == {2904: ("closed", "abort"), 2905: ("filtered", "time-out"), 3868: ("filtered", "icmp 3/13"),
                            38412: ("open", "init-ack")}


@pytest.mark.parametrize("address, reason", [("127.0.0.1", "icmp 3/2"), ("::1", "icmp 4/1")])
def test_a_kernel_without_sctp_is_told_as_that(lo, doorward, address, reason):
    if lo("error_of(socket.socket, socket.AF_INET, socket.SOCK_STREAM, 132)") == 0:
        pytest.skip("this kernel has SCTP")
    said = lo.doorward(doorward).json("scan", address, "--sctp", "-p", "1-100", "--no-identify")
    assert {(o["state"], o["reason"], o["count"]) for o in said["results"][0]["others"]} == {("filtered", reason, 100)}
    assert any("knows no SCTP" in note for note in said["notes"])


def test_one_that_says_so_now_and_then_is_not_taken_for_a_wall(net, doorward):
    if net.here("error_of(socket.socket, socket.AF_INET, socket.SOCK_STREAM, 132)") == 0:
        pytest.skip("this kernel has SCTP")
    seen = found(net.outside.doorward(doorward), HERE[4], "--sctp", "-p", "1-100", statuses=(1,))
    assert len(seen.those("filtered")) == 100
    assert seen.reasons("filtered") == {"icmp 3/2", "icmp-limited"}
    # nor does our own kernel say it to who answers
    serve(net.here, HERE[4])
    net.outside("before = open('/proc/net/snmp').read()")
    assert found(net.outside.doorward(doorward), HERE[4], "--sctp", "-p", "3868").those("open") == [3868]
    assert net.outside("before.split('Icmp: ')[2].split()[14] == "
                       "open('/proc/net/snmp').read().split('Icmp: ')[2].split()[14]")


def test_a_user_is_told_what_it_needs(lo, doorward):
    status, out, err = lo.doorward(doorward, uid=65534).run("scan", "127.0.0.1", "--sctp", "-p", "1-10")
    assert (status, out) == (3, "") and "CAP_NET_RAW" in err


def test_three_protocols_at_once_and_nmaps_form(lo, doorward):
    serve(lo, "127.0.0.1")
    lo("listen('127.0.0.1', 3868)")
    lo("keep(bind('127.0.0.1', 3868, socket.SOCK_DGRAM)) and None")
    said = lo.doorward(doorward).json("scan", "127.0.0.1", "--tcp", "--udp", "--sctp", "-p", "3868,3869", "--no-identify")
    assert {(p["proto"], p["port"]): p["state"] for p in said["results"][0]["ports"]} == {
        ("tcp", 3868): "open", ("tcp", 3869): "closed", ("udp", 3868): "open|filtered", ("udp", 3869): "closed",
        ("sctp", 3868): "open", ("sctp", 3869): "closed"}
    status, out, _ = lo.doorward(doorward).run("scan", "127.0.0.1", "--sctp", "-p", "3868,3869", "-oX", "-")
    root = ElementTree.fromstring(out.split("\n", 2)[2])
    assert status == 0 and root.find("scaninfo").attrib["type"] == "sctpinit"
    assert [(p.get("protocol"), p.find("state").get("reason")) for p in root.iter("port")] == [("sctp", "init-ack"), ("sctp", "abort")]
