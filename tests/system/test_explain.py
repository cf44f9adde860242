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
