# SPDX-License-Identifier: GPL-2.0-or-later
"""Hands that know other programs are told what is meant here."""

import pytest


@pytest.mark.parametrize("line, hint", [
    ("list -tlnp", "proto = tcp"), ("list -p 80", "'port = 80'"), ("list --port 80", "'port = 80'"),
    ("watch --user root", "'user = root'"), ("history --state=listen", "'state = listen'"),
    ("netstat -tulpn", "`doorward list`"), ("netstat -ntl", "`doorward list`"),
    ("scan -sV", "--identify"), ("scan -sU 127.0.0.1", "--udp"),
    ("scan 18080", "doorward scan -p 18080"), ("scan 127.0.0.1 18080", "doorward scan -p 18080"),
    ("scan 127.0.0.1:18080", "doorward scan 127.0.0.1 -p 18080"), ("scan [::1]:80", "doorward scan [::1] -p 80"),
    ("scan localhost:1-20", "doorward scan localhost -p 1-20"), ("scan tcp/80", "doorward scan -p 80"),
])
def test_it_is_refused_with_what_is_meant(doorward, line, hint):
    status, out, err = doorward.run(*line.split())
    assert (status, out) == (2, "")
    what, told = err.splitlines()
    assert what.startswith("doorward: ") and hint in told


@pytest.mark.parametrize("command", ["list", "netstat", "scan", "why", "version"])
def test_h_is_help(doorward, command):
    status, out, err = doorward.run(command, "-h")
    assert (status, err) == (0, "")
    assert (status, out, err) == doorward.run(command, "--help")
    assert out.startswith("usage: ") and not any(line.endswith(" ") for line in out.splitlines())


def test_an_address_is_not_called_ports(doorward, scene):
    made = scene("tcp-listener")
    _, out, _ = doorward.run("show", "127.0.0.1")
    assert made.port and out.splitlines()[0] == "Address 127.0.0.1"
