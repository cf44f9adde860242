# SPDX-License-Identifier: GPL-2.0-or-later
"""A port that may be bound, and yet gets nothing: NAT leads it elsewhere, or our own table blocks it."""

import json
import re
import subprocess

import pytest

from conftest import Doorward
from hosts.docker import docker  # noqa: F401 a fixture
from networks import done, net, run  # noqa: F401 fixtures among them

pytestmark = pytest.mark.needs("root", "program:nft", "program:ip")


@pytest.fixture
def why(net, doorward):  # noqa: F811
    def ask(*words, uid=None):
        said = net.here.doorward(doorward, uid).json("why", *words)
        assert said["can"] == (said["kernel"]["errno"] == 0)
        return said
    return ask


def only(said, cause):
    """It can be bound, the kernel agrees, and there is that one thing to know."""
    assert said["can"] and said["agreement"] == "yes"
    found, = said["causes"]
    assert (found["cause"], found["errno"], found["certainty"]) == (cause, 0, "read")
    return found


def test_a_rule_of_nat_takes_the_port(net, doorward, why):  # noqa: F811
    net.container("listen('0.0.0.0', 80)")
    cause = only(why("tcp/8088"), "nat-rule")
    assert "10.8.0.2:80" in cause["rule"]["text"] and cause["rule"]["table"] == "nat"
    only(why("udp/8088"), "nat-rule")
    only(why("8088", "--bind", "10.8.0.1"), "nat-rule")
    assert why("8088", "--bind", "::1")["causes"] == [], "the rule is one for IPv4"
    assert why("8089")["causes"] == []
    status, out, _ = net.here.doorward(doorward).run("why", 8088)
    assert status == 0 and "address translation" in " ".join(out.split())
    # and so it is: who binds it gets nothing
    net.here("listen('0.0.0.0', 8088)")
    assert net.outside("dial('10.9.0.1', 8088)") == 0
    with pytest.raises(AssertionError, match="timed out|BlockingIOError"):
        net.here("kept[-1].settimeout(0) or kept[-1].accept() and None")


@pytest.mark.parametrize("rule, words, is_led", [
    ("tcp dport { 80, 8000-8100 } redirect to :9000", ["8042"], True),
    ("tcp dport { 80, 8000-8100 } redirect to :9000", ["8101"], False),
    ("dnat to tcp dport map { 8080 : 10.8.0.2, 8081 : 10.8.0.3 }", ["8081"], True),
    ("ip daddr 192.0.2.1 tcp dport 8080 dnat to 10.8.0.2", ["8080", "--bind", "127.0.0.1"], False),
    ("tcp dport != 8080 redirect to :9000", ["8080"], False),
    ("tcp dport 8080 counter accept", ["8080"], False),
])
def test_rules_as_people_write_them(net, why, rule, words, is_led):  # noqa: F811
    net.nft(f"table ip mine {{ chain c {{ type nat hook prerouting priority dstnat; {rule}; }}; }}")
    found = [c["cause"] for c in why(*words)["causes"]]
    assert found == (["nat-rule"] if is_led else [])


def test_a_block_of_ours(net, run, why, doorward):  # noqa: F811
    done(run("block", "tcp/8080", "--reason", "until the audit"))
    cause = only(why("8080"), "block")
    assert "until the audit" in cause["because"] and "unblock" in cause["remedy"]
    assert "--netns" not in cause["remedy"]
    cause, = doorward.json("why", "8080", "--netns", net.here.pid)["causes"]
    for command in re.findall(r"`doorward ([^`]+)`", cause["remedy"]):  # as it stands, from here
        status, out, _ = doorward.run(*command.split())
        assert status == 0 and ("8080" in out or "unblock" in command)
    assert why("8080")["causes"] == []
    done(run("block", "tcp/8080"))
    assert why("udp/8080")["causes"] == [] and why("8081")["causes"] == []
    done(run("unblock", "tcp/8080"))
    assert why("8080")["causes"] == []


def test_a_user_is_told_that_it_was_not_looked_at(why):
    said = why("8080", uid=65534)
    assert said["can"] and any("packet filter" in note for note in said["notes"])


def test_dockers_proxy_and_its_rule_when_the_proxy_is_gone(docker):  # noqa: F811
    docker.run("led", ["18096:80"], [80])
    inside = Doorward([*docker.network.words])
    said = inside.json("why", "18096", "--bind", "0.0.0.0")
    assert said["causes"][0]["cause"] == "container-port" and "docker container led" in said["causes"][0]["because"]
    for holder in said["causes"][0]["sockets"][0]["holders"]:
        subprocess.run(["kill", "-9", str(holder["pid"])], check=True)
    said = inside.json("why", "18096", "--bind", "0.0.0.0")
    assert "18096" in json.dumps(only(said, "nat-rule")["rule"])
