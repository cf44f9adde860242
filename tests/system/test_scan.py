# SPDX-License-Identifier: GPL-2.0-or-later
"""A scan against real listeners behind real rules: every open port, no phantom, and why each other one is not open."""

import json
import re
import subprocess

import pytest

from room import Room
from scans import HERE, OPEN, found, listen_at, make_net, wall, wall_in  # pylint: disable=unused-import

pytestmark = pytest.mark.needs("root", "program:nft")
METHODS = ["connect", "syn"]


@pytest.fixture(name="lo")
def make_lo():
    room = Room()
    yield room
    room.close()


@pytest.fixture(name="seen_from_outside")
def make_seen(net, doorward):
    """The scan of here from the neighbour."""
    def scan(*words, family=4, statuses=(0, 1)):
        return found(net.outside.doorward(doorward), HERE[family], *words, statuses=statuses)
    return scan


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_every_port_of_loopback_and_no_phantom(lo, doorward, method, address):
    listen_at(lo, [address], OPEN)
    for _ in range(3):
        seen = found(lo.doorward(doorward), address, "--method", method)
        assert seen.those("open") == OPEN
        assert len(seen.by_port) == 65535
        assert set(seen.reasons("closed")) <= {"rst", "self-connect"}
        assert seen.those("closed") == sorted(set(range(1, 65536)) - set(OPEN))


def test_a_port_that_would_meet_itself_is_closed(lo, doorward):
    lo("open('/proc/sys/net/ipv4/ip_local_port_range', 'w').write('40000 40199') and None")
    for _ in range(3):
        for address in "127.0.0.1", "::1":
            seen = found(lo.doorward(doorward), address, "-p", "39990-40210", "--method", "connect")
            assert not seen.those("open")
            assert len(seen.those("closed")) == 221


def test_a_user_scans_too(lo, doorward):
    listen_at(lo, ["127.0.0.1"], OPEN)
    assert found(lo.doorward(doorward, uid=65534), "127.0.0.1").those("open") == OPEN


@pytest.mark.parametrize("method", METHODS)
def test_each_kind_of_reject_is_told_from_closed(lo, doorward, method):
    listen_at(lo, ["127.0.0.1", "::1"], [22, 99])
    kinds = {"tcp reset": None, "icmpx port-unreachable": ("icmp 3/3", "icmp 1/4"),
             "icmpx admin-prohibited": ("icmp 3/13", "icmp 1/1"), "icmpx host-unreachable": ("icmp 3/1", "icmp 1/3"),
             "icmpx no-route": ("icmp 3/0", "icmp 1/0")}
    wall_in(lo, [f"tcp dport {100 + i} reject with {kind}" for i, kind in enumerate(kinds)] + ["tcp dport 99 drop"])
    for column, address in enumerate(["127.0.0.1", "::1"]):
        seen = found(lo.doorward(doorward), address, "-p", "22,98-104", "--method", method)
        assert seen.by_port[22] == ("open", "syn-ack")
        assert seen.by_port[98] == ("closed", "rst")
        assert seen.by_port[99] == ("filtered", "time-out")
        for i, reason in enumerate(kinds.values()):
            assert seen.by_port[100 + i] == (("filtered", reason[column]) if reason else ("closed", "rst")), kinds


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", [4, 6])
def test_closed_and_dropped_over_a_wire(net, seen_from_outside, method, family):
    listen_at(net.here, [HERE[family]], OPEN)
    words = "--method", method, "--rate", "1000000"
    seen = seen_from_outside(*words, family=family)
    assert seen.those("open") == OPEN
    assert len(seen.those("closed")) == 65535 - len(OPEN)
    allowed = ", ".join(map(str, OPEN))
    wall(net, f"meta l4proto tcp tcp dport != {{ {allowed} }} drop")
    seen = seen_from_outside(*words, family=family)
    assert seen.those("open") == OPEN
    assert len(seen.those("filtered")) == 65535 - len(OPEN)
    assert seen.reasons("filtered") == {"time-out"}


@pytest.mark.parametrize("method", METHODS)
def test_loss_hides_no_door(net, seen_from_outside, method):
    listen_at(net.here, [HERE[4]], OPEN)
    wall(net, "numgen random mod 100 < 5 drop")
    wall(net, "numgen random mod 100 < 5 drop", hook="output", name="lost")
    for _ in range(3):
        seen = seen_from_outside("--method", method, "--rate", "1000000", "-p", "1-10000,20000,33000,44444,60000,65535")
        assert seen.those("open") == OPEN
        assert not seen.those("filtered")


def test_a_full_backlog_is_filtered(lo, doorward):
    lo("full = listen('127.0.0.1', 7000, 1)")
    lo("[keep(socket.create_connection(('127.0.0.1', 7000), 1)) for _ in range(2)] and None")
    seen = found(lo.doorward(doorward), "127.0.0.1", "-p", "7000", "--method", "connect")
    assert seen.by_port[7000] == ("filtered", "time-out")


def test_nobody_is_scanned_by_mistake(lo, doorward):
    scan = lo.doorward(doorward).run
    for target in "255.255.255.255", "224.0.0.1", "0.0.0.0", "::", "ff02::1":
        status, out, err = scan("scan", target, "-p", "22")
        assert (status, out) == (2, ""), err
    status, out, err = scan("scan", "198.18.0.0/22", "-p", "22")
    assert status == 2 and "--yes" in err and "1022" in err, err


def test_targets_come_from_a_file_or_standard_input(lo, doorward, tmp_path):
    listen_at(lo, ["127.0.0.1", "::1"], [8080])
    names = tmp_path / "targets"
    names.write_text("127.0.0.1 # this\n\n::1,127.0.0.2\n")
    inside = lo.doorward(doorward)
    seen = inside.json("scan", "--file", names, "-p", "8080", "--no-identify")
    assert [r["address"] for r in seen["results"]] == ["127.0.0.1", "::1", "127.0.0.2"]
    ran = subprocess.run([*inside.prefix, inside.path, "scan", "--file", "-", "-p", "8080", "--no-identify", "--json"],
                         input=names.read_text(), capture_output=True, text=True, check=False)
    assert [r["address"] for r in json.loads(ran.stdout)["results"]] == ["127.0.0.1", "::1", "127.0.0.2"]
    for wrong in "/nonexistent", "/bin/true":
        status, out, err = inside.run("scan", "--file", wrong)
        assert status in (2, 3) and out == "" and wrong in err


def test_the_time_that_may_be_had_is_kept(net, doorward):
    wall(net, "tcp dport 1-65535 drop")
    # a user may not look into other namespaces, so that the neighbour is a stranger to him
    status, out, err = net.outside.doorward(doorward, uid=65534).run("scan", HERE[4], "--json", "--max-time", "500ms")
    assert status == 3, err
    assert "65535 probes" in err  # what is sent to others is said first
    said = json.loads(out)
    assert not said["complete"]
    assert said["results"][0]["others"][-1]["reason"] == "broken-off"


@pytest.mark.parametrize("words", [["--method", "connect"], ["--method", "syn"], ["--udp"], ["--sctp"]])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_rate_holds_for_all_threads_together(lo, doorward, words, address):
    _, out, _ = lo.doorward(doorward).run("scan", address, "--rate", "100", "--max-time", "500ms", "--json", "--no-identify",
                                          "--no-compare", *words)
    said = json.loads(out)
    assert 1 <= said["sent"] <= 100 * said["seconds"] + 3


@pytest.mark.parametrize("method", METHODS)
def test_an_address_that_nobody_has_is_told_as_that(net, doorward, method):
    seen = found(net.outside.doorward(doorward), "10.9.0.77", "-p", "1-100", "--method", method, statuses=(1,))
    assert set(seen.by_port.values()) <= {("filtered", "host-silent"), ("filtered", "icmp 3/1")}


def test_a_network_of_own_addresses_has_no_limit(lo, doorward):
    lo("ip('route add local 10.5.0.0/24 dev lo')")
    listen_at(lo, ["0.0.0.0"], [22])
    status, out, err = lo.doorward(doorward).run("scan", "10.5.0.0/24", "-p", "1-100", "--json", "--no-identify")
    assert status == 0 and "not this host's" not in err
    results = json.loads(out)["results"]
    assert len(results) == 254
    assert all([p["port"] for p in r["ports"]] == [22] and r["others"][0]["count"] == 99 for r in results)


@pytest.mark.parametrize("words", [
    ["127.0.0.1", "--exclude", "127.0.0.0/8"], ["--file", "/dev/null"], ["--from", ""], ["--from", "../../etc"], ["1.2.3"], [""],
    ["10.0.0.0/8"], ["10.0.0.0/20"], ["224.0.0.1"], ["255.255.255.255"], ["0.0.0.0"], ["127.0.0.1%none"], ["127.0.0.1", "-p", ","]])
def test_what_is_refused_says_why_and_how_to_mend_it(lo, doorward, words):
    status, out, err = lo.doorward(doorward).run("scan", "-p", "1", *words)
    said = err.splitlines()
    assert (status, out, len(said)) == (2, "", 2)
    assert said[0].startswith("doorward: scan: ") and said[1].startswith("  ")


@pytest.mark.parametrize("time", ["0", "0s", "50d", "99999999999999999999s"])
def test_a_time_that_is_none_is_refused(lo, doorward, time):
    status, out, err = lo.doorward(doorward).run("scan", "127.0.0.1", "-p", "1", "--max-time", time)
    assert (status, out) == (2, "") and "--max-time" in err


def test_a_mapped_address_is_the_ipv4_one(lo, doorward):
    listen_at(lo, ["127.0.0.1"], [22])
    assert found(lo.doorward(doorward), "::ffff:127.0.0.1", "-p", "22,23").by_port == {22: ("open", "syn-ack"), 23: ("closed", "rst")}


@pytest.mark.needs("root", "program:unshare")
def test_no_row_of_a_scan_ends_in_blanks(scene, doorward):
    made = scene("tcp-listener")
    _, out, _ = doorward.run("scan", "127.0.0.1", "-p", made.port, "--no-compare", "--no-identify")
    row, = [line for line in out.splitlines() if f"tcp/{made.port}" in line]
    assert row == row.rstrip() and re.search(r" ([0-9]{1,3} µs|[0-9]\.[0-9] ms|[0-9]{2,} ms) ", row)
