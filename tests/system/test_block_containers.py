# SPDX-License-Identifier: GPL-2.0-or-later
"""block against ports that a real Docker and a real Podman publish: the hole of every rule in an input hook."""

import errno
import subprocess

import pytest

from hosts.docker import docker  # noqa: F401 a fixture
from hosts.podman import podman  # noqa: F401 a fixture
from room import Room

pytestmark = pytest.mark.needs("root", "program:nft", "program:ip")

WALL = "table inet wall { chain input { type filter hook input priority filter; tcp dport 18181 drop; }; }"


@pytest.fixture(params=["docker", "podman"])
def published(request):
    """The engine whose container `blocked` has port 80 published as 18181, behind a wall that drops 18181 on input."""
    engine = request.getfixturevalue(request.param)
    engine.run("blocked", ["18181:80"], [80])
    engine.network.run("nft", WALL)
    yield engine
    engine.network.run("nft", "delete table inet wall")
    engine.command("rm", "-f", "blocked")
    if "blocked" in getattr(engine, "_names", []):
        engine._names.remove("blocked")


@pytest.fixture
def outside(published):
    """Another host, 10.99.0.2, whose neighbour 10.99.0.1 is the engine's."""
    room = Room()
    published.network.run("ip", "link", "add", "outside", "type", "veth", "peer", "name", "eth0", "netns", room.pid)
    published.network.run("ip", "addr", "add", "10.99.0.1/24", "dev", "outside")
    published.network.run("ip", "link", "set", "outside", "up")
    room("ip('addr add 10.99.0.2/24 dev eth0')")
    room("ip('link set eth0 up')")
    yield room
    room.close()


def test_a_published_port_is_refused_and_comes_back(doorward, published, outside):
    reach = "error_of(socket.create_connection, ('10.99.0.1', 18181), 10)"
    netns = published.network.pid
    assert outside(reach) == 0  # the wall never sees it
    assert doorward.run("block", "tcp/18181", "--from", "outside", "--netns", netns)[0] == 0
    assert outside(reach) == errno.ECONNREFUSED
    assert [b["first_port"] for b in doorward.json("blocks", "--netns", netns)["blocks"]] == [18181]
    assert doorward.run("unblock", "18181", "--netns", netns)[0] == 0
    assert outside(reach) == 0


def test_cut_ends_a_connection_to_the_container(doorward, published, outside):
    outside("held = keep(socket.create_connection(('10.99.0.1', 18181), 10))")
    netns = published.network.pid
    assert doorward.run("block", "tcp/18181", "--cut", "--netns", netns)[:2] == \
        (0, "tcp/18181: new traffic from anywhere is refused until it is unblocked\n1 connection ended\n")
    assert outside("error_of(held.recv, 1)") == errno.ECONNRESET
    assert doorward.run("unblock", "--all", "--netns", netns)[0] == 0


def test_the_rules_of_the_engine_are_not_touched(doorward, published):
    listing = ["nsenter", "-t", str(published.network.pid), "--net", "--", "nft", "-s", "list", "ruleset"]
    before = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    assert doorward.run("block", "18181", "--for", "1h", "--netns", published.network.pid)[0] == 0
    assert before in subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    assert doorward.run("unblock", "--all", "--netns", published.network.pid)[0] == 0
    assert subprocess.run(listing, capture_output=True, text=True, check=True).stdout == before
