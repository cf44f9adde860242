# SPDX-License-Identifier: GPL-2.0-or-later
"""netstat, fport and mport in the shape that hands know, line by line."""

import os
import re
import signal
import subprocess

import pytest

HEADER = "  Proto  Local Address          Foreign Address        State"
TCP = re.compile(r"^  TCP    (\S+) +(\S+) +([A-Z_0-9]+)$")
UDP = re.compile(r"^  UDP    (\S+) +(\S+)$")
STATES = {"LISTENING", "ESTABLISHED", "SYN_SENT", "SYN_RECEIVED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT",
          "CLOSING", "LAST_ACK", "TIME_WAIT", "BOUND"}


def netstat(doorward, *options):
    status, out, err = doorward.run("netstat", *options)
    assert status == 0, err
    return out.splitlines()


def row(lines, end):
    found, = [x for x in lines if f" {end} " in x + " " and x.split()[1] == end]
    return found


def test_the_head_is_that_of_windows(doorward):
    assert netstat(doorward, "-n")[:4] == ["", "Active Connections", "", HEADER]
    assert netstat(doorward, "-no")[3] == HEADER + "           PID"


def test_each_row_has_the_shape(scene, doorward):
    scene("tcp-connection")
    scene("udp")
    for line in netstat(doorward, "-an")[4:]:
        tcp = TCP.match(line)
        assert tcp or UDP.match(line), line
        assert not tcp or tcp[3] in STATES


def test_a_listener_is_exactly_as_windows_prints_it(scene, doorward):
    made = scene("tcp-listener", address="0.0.0.0")
    local = f"0.0.0.0:{made.port}"
    assert row(netstat(doorward, "-an"), local) == f"  TCP    {local:<23}{'0.0.0.0:0':<23}LISTENING"
    assert row(netstat(doorward, "-ano"), local) == \
        f"  TCP    {local:<23}{'0.0.0.0:0':<23}{'LISTENING':<16}{made.pids[0]}"


def test_a_udp_socket_has_stars(scene, doorward):
    made = scene("udp", address="0.0.0.0")
    local = f"0.0.0.0:{made.port}"
    assert row(netstat(doorward, "-an"), local) == f"  UDP    {local:<23}*:*"
    assert row(netstat(doorward, "-ano"), local) == f"  UDP    {local:<23}{'*:*':<23}{'':<16}{made.pid}"


def test_only_connections_without_a(scene, doorward):
    listener, made, udp = scene("tcp-listener"), scene("tcp-connection"), scene("udp")
    out = "\n".join(netstat(doorward, "-n"))
    assert f":{made.port} " in out and f":{listener.port} " not in out and f":{udp.port} " not in out
    assert "LISTENING" not in out and "UDP" not in out


@pytest.mark.parametrize("state, word", [("fin-wait2", "FIN_WAIT_2"), ("close-wait", "CLOSE_WAIT"),
                                         ("syn-recv", "SYN_RECEIVED"), ("time-wait", "TIME_WAIT"),
                                         ("syn-sent", "SYN_SENT")])
def test_states_are_windows_words(scene, doorward, state, word):
    made = scene("tcp-connection", state=state)
    assert any(word in x and f":{made.port} " in x for x in netstat(doorward, "-an"))


def test_who_has_no_holder_has_pid_0(scene, doorward):
    made = scene("tcp-connection", state="time-wait")
    client = made.socket("client")
    ends = [f"127.0.0.1:{client.local_port}", f"127.0.0.1:{made.port}"]
    found, = [x for x in netstat(doorward, "-ano") if x.split()[1:3] == ends]
    assert found.split()[3:] == ["TIME_WAIT", "0"]


def test_b_names_the_executable_below(scene, doorward):
    made = scene("tcp-listener")
    lines = netstat(doorward, "-anb")
    at = lines.index(row(lines, f"127.0.0.1:{made.port}"))
    assert lines[at + 1] == f" [{os.path.basename(os.readlink(f'/proc/{made.pids[0]}/exe'))}]"


@pytest.mark.parametrize("proto", ["TCP", "tcp", "UDP", "TCPv6", "tcpV6", "UDPV6"])
def test_p_takes_one_protocol(scene, doorward, proto):
    scene("tcp-listener"), scene("udp"), scene("tcp-listener", address="::1"), scene("udp", address="::1")
    lines = netstat(doorward, "-anp", proto)[4:]
    assert lines
    for line in lines:
        assert line.split()[0] == proto[:3].upper()
        assert line.split()[1].startswith("[") == (len(proto) == 5)


def test_another_protocol_is_refused(doorward):
    status, _, err = doorward.run("netstat", "-p", "tpc")
    assert status == 2 and "TCP" in err


def test_names_stand_for_numbers_without_n(doorward):
    status, out, _ = doorward.run("netstat", "-a")
    assert status == 0 and out.splitlines()[3] == HEADER


def test_statistics_agree_with_the_kernel(doorward):
    def segments():
        rows = [x.split() for x in open("/proc/net/snmp") if x.startswith("Tcp:")]
        return int(dict(zip(*rows))["PassiveOpens"])
    before = segments()
    out = "\n".join(netstat(doorward, "-s"))
    after = segments()
    assert "TCP Statistics" in out and "UDP Statistics for IPv4" in out and "IPv4 Statistics" in out
    value = int(re.search(r"Passive Opens +=  *(\d+)", out)[1])
    assert before <= value <= after
    assert "UDP Statistics" not in "\n".join(netstat(doorward, "-s", "-p", "tcp"))


def test_an_interval_repeats_until_it_is_interrupted(doorward):
    with subprocess.Popen([doorward.path, "netstat", "-n", "1"], stdout=subprocess.PIPE, text=True) as ran:
        heads = 0
        for line in ran.stdout:
            heads += line == "Active Connections\n"
            if heads == 2:
                break
        ran.send_signal(signal.SIGINT)
        ran.stdout.read()
        assert ran.wait(20) == 0


@pytest.mark.parametrize("name", ["netstat", "fport", "mport"])
def test_called_by_its_name_it_is_that_command(doorward, tmp_path, name):
    link = tmp_path / name
    link.symlink_to(doorward.path)
    ran = subprocess.run([link], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[0 if name != "netstat" else 3].split()[0] == ("Proto" if name == "netstat" else "Pid")


FPORT = re.compile(r"^(\d+) +(.*?) *->  (\d+) +(TCP|UDP)(?:   (.*))?$")


def fport(doorward, *options, command="fport"):
    status, out, err = doorward.run(command, *options)
    assert status == 0, err
    head, *lines = out.splitlines()
    assert head.split() == ["Pid", "Process", "Port", "Proto", "Path"]
    matched = [FPORT.match(x) for x in lines]
    assert all(matched), [x for x, m in zip(lines, matched) if not m]
    return [(int(m[1]), m[2], int(m[3]), m[4], m[5] or "") for m in matched]


@pytest.mark.parametrize("command", ["fport", "mport"])
def test_a_process_and_its_port_are_one_row(scene, doorward, command):
    made = scene("tcp-listener", workers=2)
    exe = os.readlink(f"/proc/{made.pids[0]}/exe")
    name = open(f"/proc/{made.pids[0]}/comm").read().strip()
    rows = [r for r in fport(doorward, command=command) if r[2] == made.port]
    assert rows == [(pid, name, made.port, "TCP", exe) for pid in sorted(made.pids)]


@pytest.mark.parametrize("option, column", [("-p", 2), ("-i", 0), ("-a", 1), ("-ap", 4)])
def test_each_order(scene, doorward, option, column):
    made = scene("tcp-listener"), scene("udp"), scene("interpreter")
    rows = fport(doorward, option)
    keys = [os.fsencode(r[column]) if isinstance(r[column], str) else r[column] for r in rows]
    assert keys == sorted(keys)
    assert {m.port for m in made} <= {r[2] for r in rows}


@pytest.mark.needs("root")
def test_only_the_namespace_that_it_runs_in(scene, doorward):
    made = scene("tcp-listener", own_netns=True)
    assert made.pids[0] not in {r[0] for r in fport(doorward)}
    assert not any(x.endswith(f" {made.pids[0]}") for x in netstat(doorward, "-ano"))
    assert (made.pids[0], made.port) in {(r[0], r[2]) for r in fport(doorward.inside(made.pids[0], "net"))}


@pytest.mark.needs("root")
def test_what_an_unseen_process_holds_has_a_row_as_what_a_seen_one_holds(scene, doorward):
    made = scene("tcp-bound")
    assert (made.pid, made.port, "TCP") in {(r[0], *r[2:4]) for r in fport(doorward)}
    assert (0, made.port, "TCP") in {(r[0], *r[2:4]) for r in fport(doorward.as_user())}
