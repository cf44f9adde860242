# SPDX-License-Identifier: GPL-2.0-or-later
"""block where NAT passes a port on to another namespace: an input rule never sees what comes."""

import errno
import json

import pytest

from networks import done, net, run  # noqa: F401 fixtures among them

pytestmark = pytest.mark.needs("root", "program:nft", "program:ip")


def test_a_published_port_is_refused_where_an_input_rule_never_sees_it(net, run):  # noqa: F811
    net.container("listen('0.0.0.0', 80)")
    assert net.outside("dial('10.9.0.1', 8088)") == 0  # past the wall's drop
    assert net.here("dial('10.9.0.1', 8088)") == 0
    done(run("block", "tcp/8088"))
    assert net.outside("dial('10.9.0.1', 8088)") == errno.ECONNREFUSED
    assert net.here("dial('10.9.0.1', 8088)") == errno.ECONNREFUSED
    assert net.container("dial('127.0.0.1', 80)") == 0
    done(run("unblock", "8088"))
    assert net.outside("dial('10.9.0.1', 8088)") == 0


def test_datagrams_to_a_published_port_are_refused(net, run):  # noqa: F811
    net.container("echo_datagrams('0.0.0.0', 80)")
    assert net.outside("send_datagram('10.9.0.1', 8088)") == 0
    done(run("block", "8088"))
    assert net.outside("send_datagram('10.9.0.1', 8088)") == errno.ECONNREFUSED


def test_what_is_only_forwarded_is_not_refused(net, run):  # noqa: F811
    net.container("listen('0.0.0.0', 80)")
    net.outside("ip('route add 10.8.0.0/24 via 10.9.0.1')")
    done(run("block", "80"))
    assert net.outside("dial('10.8.0.2', 80)") == 0


def test_connections_through_nat_go_on(net, run):  # noqa: F811
    net.container("listen('0.0.0.0', 80)")
    client = net.outside("dialled('10.9.0.1', 8088)")
    server = net.container("accept(80)")
    done(run("block", "tcp/8088"))
    net.outside(f"say({client}, 'through')")
    assert net.container(f"hear({server})") == "through"


@pytest.mark.parametrize("words", [[], ["--from", "outside"], ["--from", "10.9.0.0/24"]])
def test_cut_ends_connections_through_nat_at_both_ends(net, run, words):  # noqa: F811
    net.container("listen('0.0.0.0', 80)")
    client = net.outside("dialled('10.9.0.1', 8088)")
    server = net.container("accept(80)")
    other = net.container("dialled('127.0.0.1', 80)")
    said = json.loads(done(run("block", "tcp/8088", "--cut", "--json", *words)))
    assert said["cut"] == {"ended": 1, "failed": 0, "spared": 0, "elsewhere": 0}
    assert net.outside(f"hear({client})") == errno.ECONNRESET
    assert net.container(f"hear({server})") == errno.ECONNABORTED
    accepted = net.container("accept(80)")
    net.container(f"say({other}, 'not through it')")
    assert net.container(f"hear({accepted})") == "not through it"


def test_cut_through_nat_ends_no_listener_of_another_namespace(net, run):  # noqa: F811
    """It would take the same connection, and the kernel finds it by the same ends."""
    before = net.room("before")
    before("listen('0.0.0.0', 80)")
    net.container("listen('0.0.0.0', 80)")
    after = net.room("after")
    after("listen('0.0.0.0', 80)")
    client = net.outside("dialled('10.9.0.1', 8088)")
    said = json.loads(done(run("block", "tcp/8088", "--cut", "--json")))
    assert said["cut"] == {"ended": 1, "failed": 0, "spared": 0, "elsewhere": 0}
    assert net.outside(f"hear({client})") == errno.ECONNRESET
    for bystander in before, after:
        assert bystander("dial('127.0.0.1', 80)") == 0


def test_cut_leaves_those_through_nat_that_come_from_elsewhere(net, run):  # noqa: F811
    net.container("listen('0.0.0.0', 80)")
    client = net.outside("dialled('10.9.0.1', 8088)")
    server = net.container("accept(80)")
    said = json.loads(done(run("block", "tcp/8088", "--cut", "--json", "--from", "192.0.2.0/24")))
    assert said["cut"]["ended"] == 0
    net.outside(f"say({client}, 'on')")
    assert net.container(f"hear({server})") == "on"


def test_cut_of_a_connection_that_has_ended_has_nothing_to_end(net, run):  # noqa: F811
    net.container("listen('0.0.0.0', 80)")
    client = net.outside("dialled('10.9.0.1', 8088)")
    server = net.container("accept(80)")
    net.outside(f"kept[{client}].close()")
    assert net.container(f"hear({server})") == ""
    net.container(f"kept[{server}].close()")
    said = json.loads(done(run("block", "tcp/8088", "--cut", "--json")))
    assert said["cut"]["ended"] == 0
