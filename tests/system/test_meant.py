# SPDX-License-Identifier: GPL-2.0-or-later
"""Hands that know other programs are told what is meant here."""

import socket
import subprocess

import pytest


@pytest.mark.parametrize("line, hint", [
    ("list -tlnp", "proto = tcp"), ("list -p 80", "'port = 80'"), ("list --port 80", "'port = 80'"),
    ("watch --user root", "'user = root'"), ("top --port 80", "'port = 80'"), ("history --state=listen", "'state = listen'"),
    ("netstat -tulpn", "`doorward list`"), ("netstat -ntl", "this netstat takes Windows' options"),
    ("scan -sV", "--identify"), ("scan -sU 127.0.0.1", "--udp"),
    ("scan 18080", "doorward scan -p 18080"), ("scan 127.0.0.1 18080", "doorward scan -p 18080"),
    ("scan 127.0.0.1:18080", "doorward scan 127.0.0.1 -p 18080"), ("scan [::1]:80", "doorward scan ::1 -p 80"),
    ("list alice", "'user = alice'"), ("list port:18080", "'port = 18080'"), ("list start_time > 5m", "Unix seconds"),
    ("pid 21", "doorward list 'pid = 21'"), ("port", "doorward list 'port = VALUE'"),
    ("port = 21", "doorward list 'port = 21'"), ("port=21", "doorward list 'port=21'"), ("v6only", "doorward list v6only"),
    ("free 8080", "`doorward why 8080`"),
    ("scan localhost:1-20", "doorward scan 127.0.0.1 -p 1-20"), ("scan tcp/80", "doorward scan -p 80"),
])
def test_it_is_refused_with_what_is_meant(doorward, line, hint):
    status, out, err = doorward.run(*line.split())
    assert (status, out) == (2, "")
    *what, told = err.splitlines()
    assert what[0].startswith("doorward: ") and hint in told


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


def test_a_word_of_an_option_may_be_large(doorward):
    assert doorward.run("free", "--proto", "TCP") == doorward.run("free", "--proto", "tcp")


def test_json_beside_another_form_is_refused(doorward):
    for form in ("csv", "raw", "wide", "jsonl"):
        status, out, err = doorward.run("list", "--json", "--output", form)
        assert (status, out) == (2, "") and f"--json: it does not go with --output {form}" in err
    assert doorward.run("list", "--json", "--output", "json", "port = 1")[0] == 1


@pytest.mark.parametrize("proto", ["tcp", "udp", "UDP"])
def test_deliver_takes_the_form_with_a_slash(doorward, proto):
    told = doorward.json("deliver", f"{proto}/127.0.0.1:53")["deliveries"]
    assert told == doorward.json("deliver", "127.0.0.1:53", "--proto", proto)["deliveries"]


def test_deliver_of_two_protocols_is_refused(doorward):
    for one, other in (("tcp", "udp"), ("udp", "tcp")):
        status, _, err = doorward.run("deliver", f"{one}/53", "--proto", other)
        assert status == 2 and f"{one}/53: --proto says {other}" in err


def test_serve_names_the_port_that_another_has(doorward):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, err = doorward.run("serve", "--port", port)
    assert status == 3 and f"127.0.0.1:{port}" in err and f"`doorward why {port}`" in err


@pytest.mark.needs("root", "program:setpriv", "program:unshare")
@pytest.mark.parametrize("words, told", [
    (["record"], "run it with sudo, or name a file of your own: --db"),
    (["list", "--source", "bpf"], "run it with sudo, or without --source"),
])
def test_a_user_is_told_how_it_may_be(doorward, words, told, tmp_path):
    """/var/lib is one of this test's own."""
    ran = subprocess.run(["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /var/lib && exec "$@"', tmp_path, "setpriv",
                          "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--", doorward.path,
                          *words], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 3 and told in ran.stderr


@pytest.mark.needs("root", "program:unshare")
def test_that_nothing_is_blocked_is_said(doorward):
    alone = type(doorward)(["unshare", "--net", *doorward.prefix])
    status, out, err = alone.run("blocks")
    assert (status, out, err) == (1, "", "doorward: blocks: nothing is blocked here\n")


def test_a_dump_without_listeners_is_no_empty_host(doorward, scene, tmp_path):
    made = scene("tcp-listener")
    with socket.create_connection(("127.0.0.1", made.port)):
        subprocess.run(["ss", "-t", "-D", tmp_path / "dump", f"dport = :{made.port}"], check=True, timeout=60)
    status, _, err = doorward.run("list", "--read", tmp_path / "dump")
    assert status == 1 and "nothing open was saved there, as by `ss -D` without -a; --all shows the " in err
    assert "nothing open" not in doorward.run("list", "--all", "--read", tmp_path / "dump")[2]
