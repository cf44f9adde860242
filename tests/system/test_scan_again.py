# SPDX-License-Identifier: GPL-2.0-or-later
"""A scan that goes on where another was broken off, and what has changed since one that was saved."""

import json
import re

import pytest

from scans import HERE, Found, listen_at, make_net, wall  # pylint: disable=unused-import

pytestmark = pytest.mark.needs("root", "program:nft")
COUNTED = """
table inet counted {
    chain input {
        type filter hook input priority -300
        tcp flags syn / syn,ack counter
    }
}
"""


def save(doorward, path, *words, status=None):
    got, out, err = doorward.run("scan", "--json", "--no-identify", *words)
    assert status is None or got == status, err
    path.write_text(out)
    return json.loads(out)


def test_only_what_is_unknown_is_asked(net, doorward, tmp_path):
    listen_at(net.here, [HERE[4]], [22, 30000])
    outside = net.outside.doorward(doorward)
    first = save(outside, tmp_path / "first", HERE[4], "-p", "1-40000", "--rate", "20000", "--max-time", "1s", status=3)
    unknown = sum(o["count"] for o in first["results"][0]["others"] if o["state"] == "unknown")
    assert 0 < unknown < 40000
    net.nft(COUNTED)
    whole = save(outside, tmp_path / "whole", "--resume", tmp_path / "first", status=0)
    packets = int(re.search(r"packets (\d+)", net.nft("", "list", "table", "inet", "counted"))[1])
    assert packets == unknown
    assert whole["complete"]
    seen = Found(whole["results"][0])
    assert seen.those("open") == [22, 30000]
    assert len(seen.by_port) == 40000


def test_what_has_changed_is_told(net, doorward, tmp_path):
    listen_at(net.here, [HERE[4]], [22, 80])
    outside = net.outside.doorward(doorward)
    save(outside, tmp_path / "old", HERE[4], "-p", "1-1000", status=0)
    listen_at(net.here, [HERE[4]], [443])
    wall(net, "tcp dport 80 drop")
    now = save(outside, tmp_path / "new", HERE[4], "-p", "1-1000", "--diff", tmp_path / "old", status=0)
    assert [(c["port"], c["was"], c["now"]) for c in now["changes"] if c["field"] == "state"] == [(80, "open", "filtered"), (443, "closed", "open")]
    _, out, _ = outside.run("scan", HERE[4], "-p", "1-1000", "--diff", tmp_path / "old", "--no-identify")
    assert "tcp/443: open, was closed" in out


BANNERS = """
import threading
says = {7001: b'SSH-2.0-OpenSSH_9.2\\r\\n', 7002: b'SSH-2.0-OpenSSH_9.9\\r\\n', 7003: b'INFO {"server_id":"X","version":"2.9.1","proto":1}\\r\\n'}
def serve(made, port):
    while True:
        peer, _ = made.accept(); peer.sendall(says[port]); peer.recv(1000); peer.close()
def banner(port):
    made = keep(bind('127.0.0.1', port)); made.listen(16)
    threading.Thread(target=serve, args=(made, port), daemon=True).start()
[banner(port) for port in says]
"""


def test_what_was_not_scanned_then_is_no_unchanged_door(net, doorward, tmp_path):
    outside = net.outside.doorward(doorward)
    save(outside, tmp_path / "then", HERE[4], "-p", "22,23", status=1)
    for words, note in ((("-p", "22"), None), (("-p", "22,80"), "only 1 of 2 doors"), (("-p", "80"), "only 0 of 1 doors")):
        notes = outside.json("scan", HERE[4], *words, "--no-identify", "--diff", tmp_path / "then", statuses=(1,))["notes"]
        assert [n for n in notes if "known in both scans" in n] == [n for n in notes if note and note in n], notes
        assert bool(note) == bool([n for n in notes if "known in both scans" in n])


def test_what_stands_behind_has_changed(net, doorward, tmp_path):
    net.here(BANNERS)
    inside = net.here.doorward(doorward)
    words = ["scan", "127.0.0.1", "-p", "7000-7003", "--no-compare"]
    old = tmp_path / "old"
    old.write_text(inside.run(*words, "--json")[1])
    net.here("says.update({7001: b'SSH-2.0-OpenSSH_9.9\\r\\n', 7003: b'SSH-1.99-dropbear_2022.83\\r\\n'})")
    changes = inside.json(*words, "--diff", old)["changes"]
    assert {c["address"] for c in changes} == {"127.0.0.1"}
    told = {(c["port"], c["field"]): (c["was"], c["now"]) for c in changes}
    assert told[7001, "version"] == ("9.2", "9.9")
    assert told[7003, "service"] == ("nats", "ssh")
    assert told[7003, "product"] == ("nats-server", "dropbear")
    gone = {c["was"] for c in changes if c["field"] == "finding" and c["now"] is None}
    assert gone == {"no-password", "clear-text"}
    assert {port for port, _ in told} == {7001, 7003}
    status, out, _ = inside.run(*words, "--diff", old)
    assert status == 0 and "tcp/7001: version 9.9, was 9.2" in out and "tcp/7003: no longer: clear-text" in out
    # who was not asked has not changed
    assert inside.json(*words, "--diff", old, "--no-identify")["changes"] == []


@pytest.mark.parametrize("text", ["", "{}", '{"results":[{"address":"x"}]}', '{"results":[{"address":"::1","others":[{"proto":"tcp",'
                                  '"state":"open","reason":"rst","ports":"9-1"}]}]}', "[1]", '{"results":7}'])
def test_what_is_no_scan_is_refused(net, doorward, tmp_path, text):
    (tmp_path / "bad").write_text(text)
    for option in "--resume", "--diff":
        status, out, err = net.outside.doorward(doorward).run("scan", HERE[4], "-p", "1", option, tmp_path / "bad")
        assert (status, out) == (2, "") and "bad: " in err and "--json > FILE" in err
        assert "not this host's" not in err  # nothing was sent
