# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases that fooled scanners which people use, each with the link to where it did. Those of a full connection tracking
and of a full table of neighbours (https://github.com/hackerschoice/segfault/issues/50,
https://github.com/rtr7/router7/issues/31) are in test_scan_tables.py."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from conftest import NOBODY
from room import Room
from scans import HERE, OPEN, Found, found, listen_at, make_net, wall  # pylint: disable=unused-import

pytestmark = pytest.mark.needs("root", "program:nft")
HERE_IS = str(pathlib.Path(__file__).resolve().parent)
COUNTED = """
table inet counted {
    chain input {
        type filter hook input priority -300
        %s counter
    }
}
"""


@pytest.fixture(name="lo")
def make_lo():
    room = Room()
    yield room
    room.close()


def counted(net):
    return int(re.search(r"packets (\d+)", net.nft("", "list", "table", "inet", "counted"))[1])


# https://github.com/tokio-rs/tokio/issues/3405, https://github.com/oven-sh/bun/pull/35400
@pytest.mark.parametrize("uid", [None, NOBODY])
@pytest.mark.parametrize("words", [[], ["--udp"], ["--method", "connect"]])
def test_case_1_the_port_that_answers_itself(lo, doorward, uid, words):
    lo("open('/proc/sys/net/ipv4/ip_local_port_range', 'w').write('40000 40199') and None")
    for address in "127.0.0.1", "::1":
        seen = found(lo.doorward(doorward, uid=uid), address, "-p", "39990-40210", *words, statuses=(1,))
        assert len(seen.those("closed")) == 221
        assert seen.reasons("closed") <= {"rst", "self-connect", "icmp 3/3", "icmp 1/4"}


# https://github.com/bee-san/RustScan/issues/663
@pytest.mark.parametrize("family", [4, 6])
def test_case_3_udp_that_accepts_and_does_not_answer(net, doorward, family):
    silent = [1001, 1017, 1039]
    net.here(f"[keep(bind(a, p, socket.SOCK_DGRAM)) for a in ({HERE[family]!r},) for p in {silent!r}] and None")
    for inside in net.outside, net.here:
        seen = found(inside.doorward(doorward), HERE[family], "--udp", "-p", "1000-1039", "--max-time", "60s", statuses=(1,))
        assert seen.those("open|filtered") == silent and seen.reasons("open|filtered") == {"no-response"}
        assert len(seen.those("closed")) == 37
    assert {seen.ports[p]["compare"]["verdict"] for p in silent} == {"expected"}
    assert {h["pid"] for p in silent for h in seen.ports[p]["holders"]} == {net.here.pid}


# https://github.com/robertdavidgraham/masscan/issues/144, /476, /558, /813
@pytest.mark.parametrize("method", ["syn", "connect"])
@pytest.mark.parametrize("end", ["the link goes down", "the host vanishes"])
def test_case_6_the_scan_that_does_not_end(net, doorward, method, end):
    listen_at(net.here, [HERE[4]], [1, 22])
    outside = net.outside.doorward(doorward)
    net.nft(COUNTED % "tcp flags syn / syn,ack")
    with subprocess.Popen([*outside.prefix, outside.path, "scan", HERE[4], "-p", "1-20000", "--rate", "5000", "--method", method,
                           "--json", "--no-identify"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        while counted(net) < 1000:
            assert run.poll() is None
        if end == "the host vanishes":
            net.here(f"ip('addr del {HERE[4]}/24 dev outside')")
        else:
            net.here("ip('link set outside down')")
        out, _ = run.communicate(timeout=120)
    seen = Found(json.loads(out)["results"][0])
    assert len(seen.by_port) == 20000
    assert seen.those("open") == [1, 22]  # what was found before stays
    assert len(seen.those("closed")) > 500
    assert len(seen.those("filtered")) > 1000  # nobody is there any more: nothing of it is called closed


def test_case_6_a_pipe_that_nobody_reads_any_more(net, doorward):
    outside = net.outside.doorward(doorward)
    with subprocess.Popen([*outside.prefix, outside.path, "scan", HERE[4], "-p", "1-1000", "--json", "--no-identify"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        run.stdout.close()
        assert run.wait(60) in (3, -signal.SIGPIPE)


# https://github.com/robertdavidgraham/masscan/issues/129
@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.9", "10.99.0.1", "::1"])
def test_case_7_loopback_by_raw_packets(lo, doorward, address):
    lo("ip('addr add 10.99.0.1/32 dev lo')")
    listen_at(lo, [address], OPEN)
    assert found(lo.doorward(doorward), address, "--method", "syn").those("open") == OPEN


# https://github.com/nmap/nmap/issues/2237, https://github.com/cyprob/cyprob/issues/268
def test_case_9_the_port_that_prints(net, doorward):
    printers = [515, *range(9100, 9108)]
    room = net.here
    room(f"sys.path.insert(0, {HERE_IS!r})")
    room("import tarpits")
    room(f"pits = {{p: tarpits.Tarpit(tarpits.says_nothing, '0.0.0.0', p) for p in {printers!r}}}")
    stranger = net.outside.doorward(doorward, uid=NOBODY)  # to whom the neighbour is another host
    said = stranger.json("scan", HERE[4], "-p", ",".join(map(str, printers)), "--identify")
    seen = Found(said["results"][0])
    assert seen.those("open") == printers
    for port in printers:
        assert seen.ports[port]["identified"]["service"] is None
        assert room(f"pits[{port}].heard") == 0
    _, out, _ = stranger.run("scan", HERE[4], "-p", "9100", "--identify")
    assert "withheld" in out
    stranger.run("scan", HERE[4], "-p", "9101", "--identify", "--printers")
    assert room("pits[9101].heard") > 0 and room("pits[9100].heard") == 0
    # on this host the holder decides
    found(net.here.doorward(doorward), HERE[4], "-p", "9100", "--identify")
    assert room("pits[9100].heard") > 0


# https://github.com/nmap/nmap/issues/3403
def test_case_12_going_on(net, doorward, tmp_path):
    listen_at(net.here, [HERE[4]], [22, 30000])
    outside = net.outside.doorward(doorward)
    wall(net, "tcp dport 20000-40000 drop")
    _, out, _ = outside.run("scan", HERE[4], "-p", "1-40000", "--rate", "20000", "--max-time", "1500ms", "--json", "--no-identify")
    (tmp_path / "first").write_text(out)
    unknown = sum(o["count"] for o in json.loads(out)["results"][0]["others"] if o["state"] == "unknown")
    assert unknown
    net.nft("", "delete", "table", "inet", "wall")
    net.nft(COUNTED % "tcp flags syn / syn,ack")
    said = outside.json("scan", "--resume", tmp_path / "first", "--no-identify")
    assert unknown <= counted(net) == said["sent"] < unknown + 1000  # an answer that is late is asked for again
    seen = Found(said["results"][0])
    assert len(seen.by_port) == 40000 and 22 in seen.those("open")


# https://github.com/Pouzor/homelable/issues/277
def test_case_14_found_then_lost(lo, doorward):
    lo(f"sys.path.insert(0, {HERE_IS!r})")
    lo("import tarpits")
    lo("pit = tarpits.Tarpit(tarpits.says_nothing, '127.0.0.1', 4433)")
    listen_at(lo, ["127.0.0.1"], [22])
    status, out, err = lo.doorward(doorward).run("scan", "127.0.0.1", "-p", "22,4433,5000", "--max-time", "300ms", "--json")
    assert status in (0, 3), err
    ports = {p["port"]: p for p in json.loads(out)["results"][0]["ports"]}
    assert {p: its["state"] for p, its in ports.items()} == {22: "open", 4433: "open", 5000: "closed"}
    assert ports[4433]["identified"]["service"] is None


# https://github.com/projectdiscovery/naabu/issues/1520
@pytest.mark.parametrize("method", ["syn", "connect"])
def test_case_18_one_dead_host(net, doorward, method):
    outside = net.outside.doorward(doorward)
    said = outside.json("scan", "10.9.0.77", "-p", "1-1000", "--method", method, "--no-identify")
    assert {o["reason"] for o in said["results"][0]["others"]} == {"host-silent"}
    assert "10.9.0.77: the host does not answer ARP" in said["notes"]
    # behind the gateway, which drops
    net.here("open('/proc/sys/net/ipv4/ip_forward', 'w').write('1') and None")
    net.here("ip('route add 198.18.0.0/24 dev lo')")
    wall(net, "drop", hook="forward")
    seen = found(outside, "198.18.0.1", "-p", "1-1000", "--method", method, statuses=(1,))
    assert set(seen.by_port.values()) == {("filtered", "time-out")}


def test_case_22_the_retry_that_linux_does_not_answer(net, doorward):
    """Each retry of a SYN has a source port of its own."""
    wall(net, "tcp dport 80 drop")
    net.here("""
import threading
wire = keep(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)))
wire.bind(('outside', 0x0800))
ports = []
def hear():
    while True:
        frame = wire.recv(2000)
        if frame[23] == 6 and frame[47] == 2: ports.append(struct.unpack('>H', frame[34:36])[0])
threading.Thread(target=hear, daemon=True).start()
""")
    seen = found(net.outside.doorward(doorward), HERE[4], "-p", "80", "--method", "syn", statuses=(1,))
    assert seen.by_port[80] == ("filtered", "time-out")
    used = net.here("ports")
    assert len(used) >= 3 and len(used) == len(set(used))
