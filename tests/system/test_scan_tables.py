# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of who scans: its connection tracking and its neighbours, kept small on purpose."""

import pytest

from room import Room
from scans import HERE, OPEN, found, listen_at, make_net, wall, wall_in  # pylint: disable=unused-import

pytestmark = pytest.mark.needs("root", "program:nft")
TRACKED = "ct state new accept"
SYS = "/proc/sys/net/netfilter/nf_conntrack_"
# Looks how many entries there are, and takes them all away when no more come: the kernel counts those that have
# expired until it looks for them, which it does once a minute.
SAMPLER = f"""
import threading
most = [0]
def flush():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as made:  # NETLINK_NETFILTER, IPCTNL_MSG_CT_DELETE
        made.send(struct.pack('=IHHIIBBH', 20, 1 << 8 | 2, 5, 1, 0, 0, 0, 0))
        made.recv(100)
def sample():
    unchanged, before = 0, 0
    with open({SYS + "count"!r}) as file:
        while True:
            file.seek(0)
            count = int(file.read())
            most[0] = max(most[0], count)
            unchanged = unchanged + 1 if count == before else 0
            before = count
            if count and unchanged >= 50:
                flush()
            time.sleep(0.001)
threading.Thread(target=sample, daemon=True).start()
"""


@pytest.fixture(name="lo")
def make_lo():
    room = Room()
    yield room
    room.close()


def with_tracking_of(doorward, room, tmp_path, maximum):
    """The program in the room, where the kernel's maximum, which is the host's, reads as @maximum."""
    (tmp_path / "max").write_text(f"{maximum}\n")
    inside = room.doorward(doorward)
    inside.prefix += ["unshare", "--mount", "sh", "-c", f"mount --bind {tmp_path}/max {SYS}max && exec \"$@\"", "sh"]
    return inside


@pytest.mark.parametrize("words", [["--method", "connect"], ["--method", "syn"], ["--udp"]])
def test_half_of_the_connection_tracking_stays_free(lo, doorward, tmp_path, words):
    wall_in(lo, TRACKED, hook="output")
    wall_in(lo, "meta l4proto { tcp, udp } th dport { 1-21, 23-398 } drop", name="silent")
    listen_at(lo, ["127.0.0.1"], [22, 400])
    lo(SAMPLER)
    said = with_tracking_of(doorward, lo, tmp_path, 400).json("scan", "127.0.0.1", "-p", "1-400", "--no-identify", *words)
    assert sum(o["count"] for o in said["results"][0]["others"]) + len(said["results"][0]["ports"]) == 400
    if "--udp" not in words:
        assert [p["port"] for p in said["results"][0]["ports"] if p["state"] == "open"] == [22, 400]
    assert 100 < lo("most[0]") <= 200
    assert any("connection tracking had room for 400 more" in note for note in said["notes"])


def test_tracking_that_no_rule_uses_slows_nothing(lo, doorward, tmp_path):
    listen_at(lo, ["127.0.0.1"], OPEN)
    said = with_tracking_of(doorward, lo, tmp_path, 400).json("scan", "127.0.0.1", "--no-identify")
    assert [p["port"] for p in said["results"][0]["ports"]] == OPEN
    assert not said["notes"]


def test_frames_leave_no_trace_in_the_tracking(net, doorward, tmp_path):
    """What goes past the kernel's own way takes no entry, however many doors are silent (case 16)."""
    wall(net, "tcp dport 23-5000 drop")
    listen_at(net.here, [HERE[4]], [22])
    wall_in(net.outside, TRACKED, hook="output")
    net.outside(SAMPLER)
    seen = found(with_tracking_of(doorward, net.outside, tmp_path, 100), HERE[4], "-p", "1-5000", "--method", "syn")
    assert seen.those("open") == [22] and len(seen.those("filtered")) == 4978
    assert net.outside("most[0]") < 20


def neighbours(room):
    """The addresses that the kernel has an entry for, whatever it is worth."""
    lines = room("subprocess.run(['ip', 'neigh'], capture_output=True, text=True).stdout").splitlines()
    return {line.split()[0] for line in lines}


@pytest.fixture(name="wide")
def make_wide(net):
    """Networks of which few addresses are there: here's, seen from outside. Their addresses of each family."""
    there = {4: [f"10.10.{i}.{i + 7}" for i in range(4)], 6: [f"fd10::{i}:7" for i in range(1, 4)]}
    net.outside("ip('addr add 10.10.0.2/22 dev eth0')")
    net.outside("ip('addr add fd10::2/64 dev eth0 nodad')")
    for address in there[4]:
        net.here(f"ip('addr add {address}/22 dev outside')")
    for address in there[6]:
        net.here(f"ip('addr add {address}/64 dev outside nodad')")
    listen_at(net.here, ["0.0.0.0", "::"], [2022], v6only=1)
    return there


NETWORKS = {4: ["10.10.0.0/22", "--exclude", "10.10.0.2"], 6: ["fd10::1:0/120", "fd10::2:0/120", "fd10::3:0/120"]}


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("method", ["syn", "connect"])
def test_absent_neighbours_take_no_room(net, doorward, wide, family, method):
    said = net.outside.doorward(doorward).json("scan", *NETWORKS[family], "-p", "2022,2023", "--yes", "--no-identify",
                                               "--rate", "20000", "--method", method)
    results = {r["address"]: {(p["port"], p["state"], p["reason"]) for p in r["ports"]} for r in said["results"]}
    silent = {(2022, "filtered", "host-silent"), (2023, "filtered", "host-silent")}
    assert {a for a, ports in results.items() if ports != silent} == set(wide[family])
    assert all(results[a] == {(2022, "open", "syn-ack"), (2023, "closed", "rst")} for a in wide[family])
    # our own kernel resets what answered, and so it meets those that are there
    assert {a for a in neighbours(net.outside) if a in results} <= set(wide[family])
    assert any(f"{len(results) - len(wide[family])} addresses on the own link do not answer" in note for note in said["notes"])


@pytest.mark.parametrize("address, word", [("10.9.0.77", "ARP"), ("fd09::77", "neighbour solicitations")])
def test_one_that_nobody_has_is_told_as_that(net, doorward, address, word):
    said = net.outside.doorward(doorward).json("scan", address, "-p", "1-100", "--udp", "--tcp", "--no-identify")
    assert {o["reason"] for o in said["results"][0]["others"]} == {"host-silent"}
    assert f"{address}: the host does not answer {word}" in said["notes"]
    assert address not in neighbours(net.outside)


def test_time_that_is_over_ends_the_waiting_for_tracking(lo, doorward, tmp_path):
    wall_in(lo, TRACKED, hook="output")
    wall_in(lo, "tcp dport 1-1000 drop", name="silent")
    inside = with_tracking_of(doorward, lo, tmp_path, 400)
    for method in "connect", "syn":
        status, _, err = inside.run("scan", "127.0.0.1", "-p", "1-1000", "--max-time", "500ms", "--method", method)
        assert status == 3, err
