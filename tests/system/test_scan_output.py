# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scan writes: for other programs, for a person, and when it is broken off."""

import json
import os
import shutil
import signal
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from room import Room
from scans import HERE, OPEN, found, listen_at, make_net, wall  # pylint: disable=unused-import

pytestmark = pytest.mark.needs("root", "program:nft")
DTD = "/usr/share/nmap/nmap.dtd"


@pytest.fixture(name="lo")
def make_lo():
    room = Room()
    listen_at(room, ["127.0.0.1"], OPEN)
    yield room
    room.close()


def test_xml_is_what_nmaps_readers_take(lo, doorward, tmp_path):
    file = tmp_path / "scan.xml"
    status, out, err = lo.doorward(doorward).run("scan", "127.0.0.1", "-oX", file, "--no-identify")
    assert status == 0 and "10 open" in out, err
    root = ElementTree.parse(file).getroot()
    ports = {int(p.get("portid")): p.find("state").get("state") for p in root.iter("port")}
    assert [p for p, s in ports.items() if s == "open"] == OPEN
    extra = root.find("host/ports/extraports")
    assert int(extra.get("count")) + len(ports) == 65535
    if os.path.exists(DTD) and shutil.which("xmllint"):
        subprocess.run(["xmllint", "--noout", "--dtdvalid", DTD, file], check=True)
    if shutil.which("ndiff"):
        assert subprocess.run(["ndiff", file, file], check=False).returncode == 0
    libnmap = pytest.importorskip("libnmap.parser")
    report = libnmap.NmapParser.parse_fromfile(str(file))
    assert [p for p, _ in report.hosts[0].get_open_ports()] == OPEN


@pytest.mark.parametrize("words", [
    ["::1"], ["127.0.0.1", "::1", "--udp", "--tcp", "-p", "20-100"], ["127.0.0.1", "--sctp", "-p", "20-40"],
    ["127.0.0.1", "-p", "22,80", "--identify"], ["127.0.0.1", "-p", "20-90", "--method", "connect"], ["localhost", "-p", "1-3000"], ["127.0.0.1", "-p", "1-3000", "--max-time", "1ms"]])
def test_xml_of_each_kind_is_valid(lo, doorward, tmp_path, words):
    if not (os.path.exists(DTD) and shutil.which("xmllint")):
        pytest.skip("needs xmllint and nmap's DTD")
    file = tmp_path / "scan.xml"
    options = [] if "--identify" in words else ["--no-identify"]
    status, _, err = lo.doorward(doorward).run("scan", *words, *options, "-oX", file)
    assert status in (0, 1, 3), err
    subprocess.run(["xmllint", "--noout", "--dtdvalid", DTD, file], check=True)
    kinds = {info.get("protocol"): info.get("type") for info in ElementTree.parse(file).getroot().iter("scaninfo")}
    tcp = "connect" if "connect" in words else "syn"
    assert kinds.items() <= {"tcp": tcp, "udp": "udp", "sctp": "sctpinit"}.items() and kinds
    libnmap = pytest.importorskip("libnmap.parser")
    assert libnmap.NmapParser.parse_fromfile(str(file)).hosts[0].address in ("127.0.0.1", "::1")


def test_grepable_is_split_at_its_slashes(lo, doorward):
    status, out, _ = lo.doorward(doorward).run("scan", "127.0.0.1", "-oG", "-", "--no-identify")
    assert status == 0
    line, = [line for line in out.splitlines() if "Ports: " in line]
    ports = line.split("Ports: ")[1].split("\t")[0].split(", ")
    fields = [p.split("/") for p in ports]
    assert all(len(f) == 8 for f in fields)
    assert [int(f[0]) for f in fields if f[1] == "open"] == OPEN
    assert "Ignored State: closed" in line


def test_a_form_that_cannot_be_written_takes_no_other_along(lo, doorward, tmp_path):
    words = ["scan", "127.0.0.1", "-p", "22,23", "--no-identify", "--no-compare"]
    status, out, err = lo.doorward(doorward).run(*words, "-oX", "/dev/full", "-oG", tmp_path / "grepable", "--json")
    assert status == 3 and "/dev/full" in err and "no space left" in err
    assert json.loads(out)["complete"] and "22/open" in (tmp_path / "grepable").read_text()
    status, out, err = lo.doorward(doorward).run(*words, "-oX", tmp_path)
    assert (status, out) == (3, "") and "directory" in err


def test_what_stands_behind_is_told(lo, doorward):
    lo("""
import threading
def banner(port, says):
    made = keep(bind('127.0.0.1', port)); made.listen(16)
    def serve():
        while True:
            peer, _ = made.accept(); peer.sendall(says); peer.recv(1000); peer.close()
    threading.Thread(target=serve, daemon=True).start()
banner(443 + 1000, b'SSH-2.0-OpenSSH_9.9\\r\\n')
banner(80 + 100, b'SSH-2.0-OpenSSH_9.9\\r\\n')
""")
    seen = found(lo.doorward(doorward), "127.0.0.1", "-p", "180,1443", "--identify")
    its = seen.ports[1443]["identified"]
    assert (its["service"], its["product"], its["version"], its["tls"]) == ("ssh", "OpenSSH", "9.9", None)


def test_a_line_a_door(lo, doorward):
    status, out, _ = lo.doorward(doorward).run("scan", "127.0.0.1", "-o", "jsonl", "--no-identify")
    lines = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [line["port"] for line in lines if line.get("state") == "open"] == OPEN
    assert lines[-1]["end"] and lines[-1]["complete"]


@pytest.mark.parametrize("form", [["--json"], ["-o", "jsonl"], ["-oX", "-"], ["-oG", "-"], []])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_broken_off_is_well_formed_and_says_so(net, doorward, form, number):
    listen_at(net.here, [HERE[4]], [22])
    wall(net, "tcp dport 1000-65535 drop")
    path = net.outside.doorward(doorward)
    with subprocess.Popen([*path.prefix, path.path, "scan", HERE[4], "--rate", "2000", *form], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        while sent(net) < 100:  # it is under way when the first hundred have arrived
            assert run.poll() is None
        run.send_signal(number)
        out, _ = run.communicate(timeout=30)
    assert run.returncode == 3
    if form == ["--json"]:
        said = json.loads(out)
        assert not said["complete"]
        states = {o["state"]: o["count"] for o in said["results"][0]["others"]}
        assert states["unknown"] > 50000
    elif form[:1] == ["-o"]:
        assert [json.loads(line) for line in out.splitlines()][-1]["complete"] is False
    elif form[:1] == ["-oX"]:
        assert ElementTree.fromstring(out.split("\n", 2)[2]).find("runstats/finished").get("exit") == "error"
    else:
        assert "broken off" in out


def test_what_is_broken_off_while_servers_are_asked_says_so(net, doorward):
    """Every port is known by then; what stands behind them is not."""
    listen_at(net.here, ["127.0.0.1"], [7001])
    path = net.here.doorward(doorward)
    with subprocess.Popen([*path.prefix, path.path, "scan", "127.0.0.1", "-p", "7001", "--no-compare", "--json"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        while not connections(net, 7001):
            assert run.poll() is None
        run.send_signal(signal.SIGINT)
        said = json.loads(run.communicate(timeout=30)[0])
    assert run.returncode == 3 and not said["complete"]
    door, = said["results"][0]["ports"]
    assert (door["state"], door["identified"]["service"], door["identified"]["outcome"]) == ("open", None, "stopped")


@pytest.mark.parametrize("form", [["--json"], ["-oX", "-"], ["-oG", "-"]])
@pytest.mark.parametrize("words", [["-p", "7001", "--max-time", "300ms"], ["-p", "1-20000", "--max-time", "1ms"]])
def test_what_max_time_breaks_off_says_so(lo, doorward, form, words):
    """The time ends while a server that says nothing is asked, and before all doors are."""
    listen_at(lo, ["127.0.0.1"], [7001])
    status, out, err = lo.doorward(doorward).run("scan", "127.0.0.1", "--no-compare", *words, *form)
    assert status == 3, err
    if form == ["--json"]:
        assert json.loads(out)["complete"] is False
    elif form == ["-oX", "-"]:
        finished = ElementTree.fromstring(out.split("\n", 2)[2]).find("runstats/finished")
        assert (finished.get("exit"), finished.get("errormsg")) == ("error", "broken off")
    else:
        assert out.splitlines()[-1].endswith("(broken off)")


def connections(net, port):
    """Established here, to that port."""
    return net.here(f"sum(line.split()[1].endswith(':{port:04X}') and line.split()[3] == '01' for line in open('/proc/net/tcp'))")


def sent(net):
    """TCP packets that have arrived here."""
    return net.here("sum(int(line.split()[10]) for line in open('/proc/net/snmp') if line.startswith('Tcp: ') and line[5].isdigit())")


def test_all_doors_open_are_one_finding(lo, doorward):
    lo("""subprocess.run(['nft', '-f', '-'], text=True, check=True, input='''
table ip alike {
    chain output {
        type nat hook output priority -100
        tcp dport 1-65535 redirect to :80
    }
}
''') and None""")
    status, out, err = lo.doorward(doorward).run("scan", "127.0.0.1", "--no-identify")
    assert status == 0, err
    assert "all tcp doors stand open" in out
    assert len(out.splitlines()) < 20
    said = lo.doorward(doorward).json("scan", "127.0.0.1", "--no-identify")
    assert len(said["results"][0]["ports"]) < 20
    assert max(o["count"] for o in said["results"][0]["others"] if o["state"] == "open") > 65000
    assert [n for n in said["notes"] if "127.0.0.1: all tcp doors stand open" in n]
