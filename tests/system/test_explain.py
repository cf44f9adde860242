# SPDX-License-Identifier: GPL-2.0-or-later
"""The number alone."""

import pathlib

import pytest


def explain(doorward, port):
    return doorward.json("explain", port)["port"]


@pytest.mark.parametrize("port, kind", [(1, "well-known"), (1023, "well-known"), (1024, "registered"),
                                        (49151, "registered"), (49152, "dynamic"), (65535, "dynamic")])
def test_the_class_of_a_number(doorward, port, kind):
    assert explain(doorward, port)["class"] == kind


def test_tcp_and_udp_are_explained_apart(doorward):
    seen = explain(doorward, 514)
    assert seen["udp"]["iana_name"] == "syslog"
    assert seen["tcp"]["iana_name"] == "shell"


def test_the_ephemeral_range_is_that_of_this_host(doorward):
    low, high = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    for port in (low, high):
        seen = explain(doorward, port)
        assert (seen["ephemeral"], seen["ephemeral_first"], seen["ephemeral_last"]) == (True, low, high)
    if low > 1:
        assert explain(doorward, low - 1)["ephemeral"] is False


def test_a_service_is_its_number(doorward):
    assert explain(doorward, "https")["port"] == 443


def test_what_tends_to_use_it_and_what_is_risky(doorward):
    status, out, _ = doorward.run("explain", 2375)
    assert status == 0
    assert "Docker" in out and "root" in out
    assert explain(doorward, 2375)["tcp"]["risks"]


def test_the_envelope_is_that_of_list(doorward):
    seen, listed = doorward.json("explain", 80), doorward.list("port = 1")
    for key in ("schema", "host", "boot_id", "complete", "missing", "time"):
        assert key in seen
    assert (seen["schema"], seen["host"], seen["boot_id"]) == (listed["schema"], listed["host"], listed["boot_id"])


@pytest.mark.parametrize("words", [["explain"], ["explain", "65536"], ["explain", "80-90"], ["explain", "nosuchservice"],
                                   ["explain", "80", "90"]], ids=" ".join)
def test_what_is_no_number_is_refused(doorward, words):
    status, out, err = doorward.run(*words)
    assert status == 2 and out == "" and err.startswith("doorward:")


@pytest.mark.parametrize("words, told", [
    (["explain", "1-2"], ["doorward: explain: 1-2: it takes one number or one service"]),
    (["deliver", "99999"], ["doorward: deliver: 99999: it is no address:port", "from 1 to 65535"]),
    (["netstat", "0"], ["doorward: netstat: 0: the interval is a number of seconds"]),
    (["help", "lst"], ["help: lst is no command", "did you mean list?"]),
    (["help", "qqqqqq"], ["help: qqqqqq is no command", "`doorward help` lists the commands"]),
    (["htps"], ["htps is no command, no port and no name of a service", "did you mean https?"]),
    (["list", "port = htps"], ["htps is no port and no name of a service", "did you mean https?"]),
    (["list", "state = foo"], ["foo is not one of its words", "it has ESTABLISHED, "]),
    (["list", "--read", ""], ["--read: it takes a file, or - for standard input"]),
])
def test_what_is_wrong_is_said_once_with_the_way_out(doorward, words, told):
    status, out, err = doorward.run(*words)
    assert (status, out) == (2, "")
    assert all(line in err for line in told), err


def test_a_usage_line_ends_with_its_last_word(doorward):
    _, out, _ = doorward.run("help", "version")
    assert out.splitlines()[0] == "usage: doorward version [OPTION...]"


def test_zero_is_no_port_and_anybody_may_bind_it(doorward):
    for words in (["explain", "0"], ["show", "0"]):
        _, out, _ = doorward.run(*words)
        assert "any user may bind it" in out and "to bind 0 is to have the kernel choose one" in out
        assert "well-known port" not in out and "CAP_NET_BIND_SERVICE" not in out
    assert explain(doorward, 0)["privileged"] is False


def test_a_protocol_that_is_named_is_told_alone(doorward):
    _, out, _ = doorward.run("explain", "514/udp")
    assert "udp/514" in out and "tcp/514" not in out


def test_a_name_is_not_told_twice(doorward):
    _, out, _ = doorward.run("explain", 9999)
    assert "distinct" in out and "distinct, distinct" not in out
