# SPDX-License-Identifier: GPL-2.0-or-later
"""A scan among listeners and walls that mean no good: it ends, and says what it has seen."""

import json
import pathlib
import re
import subprocess

import pytest

from conftest import NOBODY
from room import Room
from scans import HERE, found, listen_at, make_net, wall, wall_in  # pylint: disable=unused-import
from test_scan_forged import FORGER

pytestmark = pytest.mark.needs("root", "program:nft")
HERE_IS = str(pathlib.Path(__file__).resolve().parent)
ESCAPES = b"220 \x1b]0;owned\x07\x1b[2J\xe2\x80\xae\xc2\x9b31m ESMTP Exim 4.\x1b[31m\r\n"
BEHAVE = ["says_nothing", "drips", "never_ends", "never_ends_a_line", "greets_without_end", "closes", "resets", f"says({ESCAPES!r})"]


@pytest.fixture(name="lo")
def make_lo():
    room = Room()
    yield room
    room.close()


@pytest.fixture(name="pits")
def make_pits(lo):
    """A port for each of BEHAVE, from 7001 on."""
    lo(f"sys.path.insert(0, {HERE_IS!r})")
    lo("import tarpits; from tarpits import *")
    lo(f"pits = [tarpits.Tarpit(behave, '127.0.0.1', 7001 + i) for i, behave in enumerate([{', '.join(BEHAVE)}])]")
    yield lo
    lo("[pit.__exit__() for pit in pits] and None")


@pytest.mark.parametrize("method", ["connect", "syn"])
def test_tarpits_are_open_and_nothing_more(pits, doorward, method):
    inside = pits.doorward(doorward)
    said = inside.json("scan", "127.0.0.1", "-p", "7000-7009", "--method", method)
    ports = {p["port"]: p for p in said["results"][0]["ports"]}
    assert {p for p, its in ports.items() if its["state"] == "open"} == {*range(7001, 7001 + len(BEHAVE))}
    assert {its["identified"]["service"] for p, its in ports.items() if p in (7001, 7002, 7003, 7006, 7007)} == {None}
    status, out, _ = inside.run("scan", "127.0.0.1", "-p", "7000-7009", "--method", method)
    assert status == 0 and all(c == "\n" or c.isprintable() for c in out)
    for form in "-oG", "-oX":
        _, out, _ = inside.run("scan", "127.0.0.1", "-p", "7000-7009", form, "-")
        assert all(c in "\n\t" or c.isprintable() for c in out)
    assert pits("max(pit.most for pit in pits)") <= 2


@pytest.mark.parametrize("method", ["connect", "syn"])
@pytest.mark.parametrize("family, kind, reason", [(4, "icmpx admin-prohibited", "icmp 3/13"), (6, "icmpx admin-prohibited", "icmp 1/1"),
                                                  (4, "icmpx port-unreachable", "icmp 3/3")])
def test_rejects_beyond_the_limit_are_no_silence(net, doorward, method, family, kind, reason):
    """The kernel says so six times at once, and then once a second: what it says of some is true of their siblings."""
    listen_at(net.here, [HERE[family]], [22])
    wall(net, f"tcp dport 100-399 reject with {kind}")
    seen = found(net.outside.doorward(doorward), HERE[family], "-p", "22,90-99,100-399", "--method", method)
    assert seen.those("open") == [22]
    assert seen.those("closed") == [*range(90, 100)]
    assert seen.those("filtered") == [*range(100, 400)]
    assert seen.reasons("filtered") == {reason, "icmp-limited"}


def test_thousands_of_open_ports(lo, doorward):
    wanted = [*range(10000, 13000)]
    lo("import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (8000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))")
    listen_at(lo, ["127.0.0.1"], wanted)
    for method in "connect", "syn":
        seen = found(lo.doorward(doorward), "127.0.0.1", "--method", method)
        assert seen.those("open") == wanted and len(seen.those("closed")) == 65535 - 3000


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("method", ["connect", "syn"])
def test_what_is_sent_is_what_was_said(net, doorward, family, method):
    """Counted where it arrives: each closed door once, but for late answers and samples of the loss, and no other."""
    counts = "\n        ".join(f"meta nfproto ipv{family} {which} counter" for which in ("tcp dport 1-1000 tcp flags syn / syn,ack",
                                                                                         "tcp dport > 1000", "meta l4proto udp"))
    net.nft(f"table inet counted {{\nchain input {{\ntype filter hook input priority -300\n{counts}\n}}\n}}\n")
    said = net.outside.doorward(doorward).json("scan", HERE[family], "-p", "1-1000", "--method", method, "--rate", "2000",
                                               "--no-identify")
    packets = [int(n) for n in re.findall(r"packets (\d+)", net.nft("", "list", "table", "inet", "counted"))]
    assert 1000 <= packets[0] == said["sent"] < 1300 and packets[1:] == [0, 0]


def test_wrong_numbers_are_no_answer_to_a_user_either(net, doorward):
    wall(net, "meta l4proto tcp drop")
    net.here(FORGER)
    seen = found(net.outside.doorward(doorward, uid=NOBODY), HERE[4], "-p", "100-110", statuses=(1,))
    assert seen.those("filtered") == [*range(100, 111)]


def test_a_name_is_shown_with_what_was_scanned_for_it(lo, doorward):
    listen_at(lo, ["127.0.0.1", "::1"], [22])
    lo("ip('addr add 10.99.0.1/32 dev lo')")
    said = lo.doorward(doorward).json("scan", "localhost", "-p", "22", "--no-identify")
    assert {(r["address"], r["name"]) for r in said["results"]} <= {("127.0.0.1", "localhost"), ("::1", "localhost")}
    status, out, err = lo.doorward(doorward).run("scan", "no-such-name.invalid", "-p", "22")
    assert (status, out) == (2, "") and "no-such-name.invalid" in err


def test_whom_a_name_means_is_said_before(lo, doorward, tmp_path):
    (tmp_path / "hosts").write_text("127.0.0.1 localhost\n198.18.0.1 two.test\n198.18.0.2 two.test\n"
                                    "198.18.0.3 all.test\n224.0.0.1 all.test\n")
    inside = lo.doorward(doorward)

    def scan(name):
        return subprocess.run([*inside.prefix, "unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"',
                               tmp_path / "hosts", inside.path, "scan", name, "-p", "22,23", "--json"],
                              capture_output=True, text=True, timeout=60, check=False)
    said = scan("two.test")
    assert said.stderr.splitlines() == [
        "doorward: scan: two.test is 198.18.0.1, 198.18.0.2",
        "doorward: scan: 4 probes to 2 addresses that are not this host's; what does not answer is asked again"]
    assert {(r["address"], r["name"]) for r in json.loads(said.stdout)["results"]} == {("198.18.0.1", "two.test"),
                                                                                       ("198.18.0.2", "two.test")}
    said = scan("all.test")
    assert (said.returncode, said.stdout) == (2, "") and "multicast" in said.stderr
    assert "localhost" not in scan("localhost").stderr


def test_networks_lists_and_what_is_left_out(lo, doorward, tmp_path):
    lo("ip('addr add 10.99.0.9/29 dev lo')")
    inside = lo.doorward(doorward)

    def addresses(*words, statuses=(0, 1)):
        said = inside.json("scan", "-p", "22", "--no-identify", *words, statuses=statuses)
        return [r["address"] for r in said["results"]]
    assert addresses("127.1.0.0/30") == ["127.1.0.1", "127.1.0.2"]
    assert addresses("127.1.0.0/31") == ["127.1.0.0", "127.1.0.1"]
    assert addresses("127.1.0.4/32", "127.1.0.4") == ["127.1.0.4"]
    assert addresses("127.1.0.0/28", "--exclude", "127.1.0.0/29,127.1.0.9") == [f"127.1.0.{i}" for i in (8, 10, 11, 12, 13, 14)]
    (tmp_path / "list").write_text("127.2.0.1 # one\n127.2.0.2, ::1\n")
    assert addresses("--file", tmp_path / "list", "--exclude", "::1") == ["127.2.0.1", "127.2.0.2"]
    for refused in "10.99.0.15", "224.0.0.1/32", "0.0.0.0/32", "127.1.0.0/33", "fe80::1", "::/64", "1.2.3.4.5/8", "":
        status, out, err = inside.run("scan", refused, "-p", "22")
        assert (status, out) == (2, "") and len(err.splitlines()) <= 2, (refused, err)
    for ports in "0", "65536", "9-1", "x", "", "-p", "1,,2,a":
        status, out, err = inside.run("scan", "127.0.0.1", "-p", ports)
        assert (status, out) == (2, "") and err, ports


def test_many_strangers_are_asked_only_with_yes(lo, doorward):
    inside = lo.doorward(doorward)
    status, out, err = inside.run("scan", "198.18.0.0/23", "-p", "22")
    assert (status, out) == (2, "") and "510" in err and "--yes" in err
    status, out, err = inside.run("scan", "198.18.0.0/23", "-p", "22", "--yes", "--json")
    assert status == 1 and "510 probes to 510 addresses" in err
    assert {p["reason"] for r in json.loads(out)["results"] for p in r["ports"]} == {"no-route"}


@pytest.mark.needs("program:unshare", "program:mount")
def test_strangers_are_counted_over_all_namespaces_before_one_is_asked(doorward):
    """Three namespaces, alone in a /proc and a /run of their own: each would ask fewer than need --yes."""
    script = """mount -t tmpfs none /run
ip link set lo up
unshare --net sleep 60 & unshare --net sleep 60 &
until [ "$(readlink /proc/[0-9]*/ns/net | sort -u | wc -l)" = 3 ]; do :; done
exec "$@" """
    alone = type(doorward)(["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script, "sh",
                            *doorward.prefix])
    words = ["scan", "--netns", "all", "-p", "22", "--no-identify", "--no-compare", "--json"]
    status, out, err = alone.run(*words, "198.18.0.0/25")
    assert (status, out) == (2, "") and "378 addresses" in err and "3 network namespaces" in err and "--yes" in err
    assert len(err.splitlines()) == 2  # nothing was announced, so nothing was sent
    status, out, err = alone.run(*words, "198.18.0.0/25", "--yes")
    assert status == 1 and err.count("126 probes to 126 addresses") == 3
    assert len(json.loads(out)["results"]) == 378
    status, out, err = alone.run(*words, "198.18.0.0/26")
    assert status == 1 and len(json.loads(out)["results"]) == 3 * 62


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("kind", ["port-unreachable", "admin-prohibited"])
def test_rejects_that_come_from_another_processor(lo, doorward, address, kind):
    """While connect() sleeps an ICMP error ends it as a reset does: only the error queue tells them apart."""
    spread = lo("subprocess.run(['unshare', '-m', 'sh', '-c', 'mount -t sysfs none /sys && '"
                "'echo 3 > /sys/class/net/lo/queues/rx-0/rps_cpus']).returncode")
    if spread:
        pytest.skip("this kernel does not hand packets to another processor")
    listen_at(lo, [address], [1050])
    wall_in(lo, [f"tcp dport {{ 1000-1020, 1100, 1120-1121 }} reject with icmpx {kind}"])
    seen = found(lo.doorward(doorward), address, "-p", "900-1200", "--method", "connect")
    rejected = {*range(1000, 1021), 1100, 1120, 1121}
    assert seen.those("open") == [1050]
    assert set(seen.those("filtered")) == rejected and len(seen.reasons("filtered")) == 1
    assert seen.reasons("filtered") <= {"icmp 3/3", "icmp 1/4", "icmp 3/13", "icmp 1/1"}
    assert set(seen.those("closed")) == set(range(900, 1201)) - rejected - {1050}
