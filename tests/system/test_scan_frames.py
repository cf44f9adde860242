# SPDX-License-Identifier: GPL-2.0-or-later
"""SYNs that go past the kernel's own sender: no rule is gone past by them, and what arrives is what was said to be sent."""

import json

import pytest

from scans import HERE, OPEN, Found, found, listen_at, make_net, rules, wall_in  # pylint: disable=unused-import

pytestmark = pytest.mark.needs("root", "program:nft")
COUNTED = ["tcp flags & (fin|syn|rst|ack) == syn counter"]


def counted(room):
    said = json.loads(room("subprocess.run(['nft', '-j', 'list', 'ruleset'], capture_output=True, text=True).stdout"))
    counter, = [word["counter"] for entry in said["nftables"] for word in entry.get("rule", {}).get("expr", []) if "counter" in word]
    return counter["packets"]


@pytest.mark.parametrize("family", [4, 6])
def test_what_arrives_is_what_was_sent(net, doorward, family):
    listen_at(net.here, [HERE[family]], OPEN)
    allowed = ", ".join(map(str, OPEN))
    wall_in(net.here, [*COUNTED, f"tcp dport {{ {allowed} }} accept", "meta l4proto tcp drop"])
    said = net.outside.doorward(doorward).json("scan", HERE[family], "--no-identify", "--method", "syn", "--rate", "1000000")
    assert Found(said["results"][0]).those("open") == OPEN
    assert counted(net.here) == said["sent"]


@pytest.mark.parametrize("family", [4, 6])
def test_few_open_doors_of_one_thread_do_for_all(net, doorward, family):
    """All of them even: the other thread hears nothing, and nobody asks four times."""
    even = [22, 80, 8080, 20000, 33000, 44444, 60000, 65534]
    listen_at(net.here, [HERE[family]], even)
    wall_in(net.here, [*COUNTED, f"tcp dport {{ {', '.join(map(str, even))} }} accept", "meta l4proto tcp drop"])
    said = net.outside.doorward(doorward).json("scan", HERE[family], "--no-identify", "--method", "syn")
    assert Found(said["results"][0]).those("open") == even
    assert counted(net.here) == said["sent"] < 3.1 * 65535


@pytest.mark.parametrize("family", [4, 6])
def test_no_rule_of_our_own_is_gone_past(net, doorward, family):
    """The neighbour is known already, so that frames could go at once."""
    listen_at(net.here, [HERE[family]], OPEN)
    outside = net.outside.doorward(doorward)
    assert found(outside, HERE[family], "--method", "syn").those("open") == OPEN
    wall_in(net.here, COUNTED)
    wall_in(net.outside, "meta l4proto tcp drop", hook="output")
    seen = found(outside, HERE[family], "--method", "syn", statuses=(1,))
    assert not seen.those("open")
    assert seen.reasons("filtered") == {"refused-here"}
    assert counted(net.here) == 0


def test_an_own_address_of_a_link_is_reached(net, doorward):
    """It is reached by lo, but lo takes no frame for it: what was asked after the first answers was lost."""
    link, = net.here("[name for _, name in socket.if_nameindex() if name != 'lo']")
    net.here(f"ip('addr add fe80::99/64 dev {link} nodad')")
    listen_at(net.here, ["::"], OPEN)
    seen = found(net.here.doorward(doorward), f"fe80::99%{link}", "--method", "syn")
    assert seen.those("open") == OPEN
    assert not seen.those("filtered")


def test_an_interface_that_goes_ends_the_scan(net, doorward):
    """Half way: what is left is told as not reached, in bounded time."""
    net.outside("""
import threading
def cut():
    while True:
        if 'doorward' in subprocess.run(['ss', '-0npH'], capture_output=True, text=True).stdout: break
    ip('link set eth0 down')
threading.Thread(target=cut, daemon=True).start()
""")
    seen = found(net.outside.doorward(doorward), HERE[4], "--method", "syn", "--rate", "200000", statuses=(1, 3))
    assert len(seen.by_port) == 65535
    assert not seen.those("open")
