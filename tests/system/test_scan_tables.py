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


def test_time_that_is_over_ends_the_waiting_for_tracking(lo, doorward, tmp_path):
    wall_in(lo, TRACKED, hook="output")
    wall_in(lo, "tcp dport 1-1000 drop", name="silent")
    inside = with_tracking_of(doorward, lo, tmp_path, 400)
    for method in "connect", "syn":
        status, _, err = inside.run("scan", "127.0.0.1", "-p", "1-1000", "--max-time", "500ms", "--method", method)
        assert status == 3, err
