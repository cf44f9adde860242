# SPDX-License-Identifier: GPL-2.0-or-later
"""`record`: what happens is kept, whatever becomes of the recorder."""

import errno
import os
import pathlib
import signal
import socket
import sqlite3
import struct
import subprocess
import time

import pytest

from conftest import NOBODY
from hosts import until
from recorded import Recorder, corrupt, listener, nanoseconds, own_network, port_of, recorder  # noqa: F401 fixtures

pytestmark = pytest.mark.needs("bpf")


def test_a_listener_is_kept_from_when_to_when(recorder):  # noqa: F811
    record = recorder()
    before = time.time_ns()
    made = listener()
    port = port_of(made)
    seen = record.until(f"port = {port}")
    assert seen["closed"] is None and seen["closed_exact"] is None and seen["opened_exact"]
    assert before <= nanoseconds(seen["opened"]) <= time.time_ns()
    assert seen["holder"]["pid"] == os.getpid()
    assert seen["holder"]["exe"] == os.readlink("/proc/self/exe")
    closing = time.time_ns()
    made.close()
    seen = record.closed(f"port = {port}")
    assert seen["closed_exact"] and closing <= nanoseconds(seen["closed"]) <= time.time_ns()
    assert seen["state"] == "LISTEN" and (seen["local_address"], seen["local_port"]) == ("127.0.0.1", port)


def test_the_status_of_what_is_empty_has_no_date_that_never_was(recorder, doorward):  # noqa: F811
    record = recorder()
    assert record.status()["newest"] is None
    _, out, _ = doorward.run("record", "--status", "--db", record.db)
    assert "nothing yet" in out and "1970" not in out


def test_what_is_older_than_the_recording_has_its_holder(recorder):  # noqa: F811
    """R16: it listened before, and is closed while it is recorded."""
    made = listener()
    port = port_of(made)
    record = recorder()
    seen = record.until(f"port = {port}")
    assert not seen["opened_exact"] and seen["closed"] is None
    assert seen["holder"]["pid"] == os.getpid()
    made.close()
    seen = record.closed(f"port = {port}")
    assert seen["closed_exact"] and not seen["opened_exact"]
    assert seen["holder"]["exe"] == os.readlink("/proc/self/exe")


def test_a_connection_is_kept_with_both_ends_and_its_bytes(recorder):  # noqa: F811
    record = recorder()
    with listener() as server:
        port = port_of(server)
        client = socket.create_connection(("127.0.0.1", port))
        accepted, peer = server.accept()
        client.sendall(b"x" * 1000)
        got = 0
        while got < 1000:
            got += len(accepted.recv(4096))
        client.close()
        assert accepted.recv(1) == b""
        accepted.close()
        seen = record.closed(f"port = {port} and state != listen")
        assert (seen["peer_address"], seen["peer_port"]) == peer
        assert seen["bytes_received"] == 1000 and seen["bytes_sent"] == 0
        seen = record.closed(f"port = {peer[1]}")
        assert seen["bytes_sent"] == 1000 and seen["bytes_received"] == 0


def test_a_refused_bind_stands_beside(recorder):  # noqa: F811
    """R23: with errno, and with what was in the way at that moment."""
    record = recorder()
    with listener() as made:
        port = port_of(made)
        with socket.socket() as other:
            with pytest.raises(OSError) as refused:
                other.bind(("127.0.0.1", port))
        assert refused.value.errno == errno.EADDRINUSE
    event, = until(lambda: [e for e in record.history(f"port = {port}")["events"] if e["event"] == "refused"],
                   "the refusal")
    assert event["errno"] == errno.EADDRINUSE
    assert (event["by"] or event["holder"])["pid"] == os.getpid()
    assert event["in_the_way"]["local_port"] == port


def test_it_stops_when_told(recorder):  # noqa: F811
    record = recorder()
    state = record.status()
    assert state["running"] and state["pid"] == record.process.pid
    assert state["lag"] < 10 and state["lost"] == 0 and state["dropped"] == 0
    with listener() as made:
        record.until(f"port = {port_of(made)}")
    assert record.stop() == 0
    state = record.status()
    assert not state["running"] and state["pid"] is None
    assert nanoseconds(state["oldest"]) <= nanoseconds(state["newest"])
    size = sum(p.stat().st_size for p in record.db.parent.iterdir() if p.name.startswith(record.db.name))
    assert 0 < state["size"] <= size + 2**20


def test_a_second_recorder_is_refused(recorder, doorward):  # noqa: F811
    record = recorder()
    status, out, err = doorward.run("record", "--db", record.db)
    assert (status, out) == (3, "")
    assert str(record.process.pid) in err


def test_after_kill_9_the_gap_is_told(recorder):  # noqa: F811
    record = recorder()
    stays, goes = listener(), listener()
    for made in (stays, goes):
        record.until(f"port = {port_of(made)}")
    record.stop(signal.SIGKILL)
    gone_port = port_of(goes)
    goes.close()
    comes = listener()
    record.start()
    seen = record.until(f"port = {port_of(stays)}")
    assert seen["closed"] is None and seen["opened_exact"]
    seen = record.closed(f"port = {gone_port}")
    assert seen["closed_exact"] is False and seen["opened_exact"]
    seen = record.until(f"port = {port_of(comes)}")
    assert seen["opened_exact"] is False and seen["holder"]["pid"] == os.getpid()
    answer = record.history()
    assert len(answer["gaps"]) >= 1 and not answer["complete"]
    gap = answer["gaps"][0]
    assert nanoseconds(gap["from"]) < nanoseconds(gap["to"]) and gap["why"]
    with sqlite3.connect(f"file:{record.db}?mode=ro", uri=True) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    stays.close()
    comes.close()


@pytest.fixture
def pins(tmp_path):
    """A bpffs of the test's own."""
    folder = tmp_path / "bpf"
    folder.mkdir()
    subprocess.run(["mount", "-t", "bpf", "bpf", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_what_is_pinned_watches_while_nobody_records(pins, recorder):  # noqa: F811
    """After kill -9 nothing is missed: the ring is read on where the record ends."""
    record = recorder("--pin", pins)
    goes = listener()
    gone_port = port_of(goes)
    record.until(f"port = {gone_port}")
    before = [port_of(made) for made in [listener() for _ in range(50)]]
    record.stop(signal.SIGKILL)
    goes.close()
    meanwhile = []
    for _ in range(50):
        with listener() as made:
            meanwhile.append(port_of(made))
    record.start()
    assert record.closed(f"port = {gone_port}")["closed_exact"]
    with listener() as last:
        record.until(f"port = {port_of(last)}")
    found = [i for i in record.intervals("--limit", "0", "state = listen") if i["local_port"] in before + meanwhile]
    assert sorted(i["local_port"] for i in found) == sorted(before + meanwhile)
    assert all(i["opened_exact"] and i["closed_exact"] for i in found)
    answer = record.history()
    assert [gap["lost"] for gap in answer["gaps"]] == [0] and answer["complete"]


def test_a_kill_after_a_commit_tells_nothing_twice(pins, recorder):  # noqa: F811
    """So much waits in the ring that it is written while it is read: killed then, before the ring may forget it."""
    n = 6_000  # and not so much that the ring is full: it has what others do meanwhile too
    record = recorder("--pin", pins)
    record.process.send_signal(signal.SIGSTOP)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        at_once = struct.pack("ii", 1, 0)
        for _ in range(n):
            with socket.create_connection(server.getsockname()) as dialled, server.accept()[0]:
                dialled.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        port = port_of(server)
    with sqlite3.connect(f"file:{record.db}?mode=ro", uri=True) as db:
        count = lambda: db.execute("SELECT sum(n) FROM segment").fetchone()[0]
        before = count()
        record.process.send_signal(signal.SIGCONT)
        until(lambda: count() > before + n, "the first rows", 30)
        record.stop(signal.SIGKILL)
    db.close()
    record.start()
    with listener() as last:
        record.until(f"port = {port_of(last)}")
    found = [i for i in record.intervals("--limit", "0", f"port = {port} or peer_port = {port}")
             if i["state"] == "ESTABLISHED"]
    assert len({i["cookie"] for i in found}) == len(found) == 2 * n
    assert [gap["lost"] for gap in record.history()["gaps"]] == [0]
    assert [i for i in found if not (i["opened_exact"] and i["closed_exact"])] == []


def test_a_kill_loses_no_bind_that_was_not_decided(pins, recorder):  # noqa: F811
    """Who is refused and keeps its socket is told of 45 ms later: what is written meanwhile has it not yet."""
    record = recorder("--pin", pins)
    taken, tried = listener(), []
    port = port_of(taken)
    for _ in range(3):
        for n in range(60):
            with listener():  # so that it is written all the time
                tried.append(socket.socket())
                with pytest.raises(OSError):
                    tried[-1].bind(("127.0.0.1", port))
                if n % 2:  # what it does with the socket afterwards does not undo it
                    tried[-1].connect(("127.0.0.1", port))
            time.sleep(0.005)
        record.stop(signal.SIGKILL)
        record.start()

    def refused():
        return [e["cookie"] for e in record.history("--limit", "0", "refused")["events"] if e["local_port"] == port]

    cookies = {int.from_bytes(made.getsockopt(socket.SOL_SOCKET, 57, 8), "little") for made in tried}
    until(lambda: cookies <= set(refused()), "all that was refused", 20)
    assert len(refused()) == len(tried)
    for made in tried:
        made.close()
    taken.close()
    record.closed(f"port = {port} and state = listen")
    assert len(refused()) == len(tried)


@pytest.mark.parametrize("is_abstract", [False, True])
def test_whoever_started_it_is_told(doorward, tmp_path, own_network, is_abstract):  # noqa: F811
    name = f"@doorward-test-{os.getpid()}" if is_abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name[1:] if is_abstract else name)
        manager.settimeout(30)
        record = Recorder(doorward, tmp_path / "history.db",
                          environment={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "400000"})
        try:
            record.start()
            said = manager.recv(4096).decode()
            assert "READY=1" in said.splitlines()
            alive = [manager.recv(4096) for _ in range(3)]
            assert alive == [b"WATCHDOG=1"] * 3
            assert record.stop() == 0
            while b"STOPPING=1" not in (said := manager.recv(4096)):
                assert said == b"WATCHDOG=1"
        finally:
            record.close()


def test_a_broken_file_is_set_aside(recorder, tmp_path):  # noqa: F811
    db = tmp_path / "history.db"
    corrupt(db)
    before = db.read_bytes()
    record = recorder()
    aside, = [p for p in tmp_path.iterdir() if p.is_file() and p.read_bytes() == before]
    assert aside != db and str(aside) in record.said
    with listener() as made:
        record.until(f"port = {port_of(made)}")


def test_a_record_of_a_newer_version_is_left_alone(recorder, doorward):  # noqa: F811
    record = recorder()
    assert record.stop() == 0
    with sqlite3.connect(record.db) as db:
        version, = db.execute("PRAGMA user_version").fetchone()
        assert version > 0
        db.execute(f"PRAGMA user_version = {version + 1}")
    db.close()
    before = record.db.read_bytes()
    for command in (["record"], ["history"], ["list", "--at", "now"]):
        status, out, err = doorward.run(*command, "--db", record.db)
        assert (status, out) == (3, "") and "newer" in err
    assert record.db.read_bytes() == before


def test_a_recorder_and_a_watcher_are_both_right(recorder, doorward):  # noqa: F811
    if doorward.run("help", "watch")[0] == 2:
        pytest.skip("this program has no watch")
    record = recorder()
    watcher = subprocess.Popen([doorward.path, "watch", "--json", "--netns", "self"], stdout=subprocess.PIPE,
                               text=True)
    try:
        assert '"started"' in watcher.stdout.readline()
        with listener() as made:
            port = port_of(made)
            record.until(f"port = {port}")
            for line in watcher.stdout:
                if f'"local_port":{port},' in line:
                    assert '"event":"opened"' in line
                    break
    finally:
        watcher.kill()
        watcher.communicate()


def test_another_boot_is_another_boot(recorder, tmp_path):  # noqa: F811
    record = recorder()
    made = listener()
    port = port_of(made)
    record.until(f"port = {port}")
    assert record.stop() == 0
    boot = tmp_path / "boot_id"
    boot.write_text("01234567-89ab-cdef-0123-456789abcdef\n")
    again = recorder(db=record.db, prefix=[
        "unshare", "--mount", "sh", "-c",
        f'mount --bind {boot} /proc/sys/kernel/random/boot_id && exec "$@"', "sh"])
    seen = until(lambda: len(found := again.intervals(f"port = {port}")) > 1 and found, "what stands in this boot")
    assert sorted(i["closed"] is None for i in seen) == [False, True]
    assert record.status()["boots"] == 2
    made.close()


def test_a_full_disk_is_told_and_room_is_used(recorder, doorward, tmp_path):  # noqa: F811
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], check=True)
    try:
        record = recorder(db=place / "history.db")
        filler = place / "filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError as e:
                assert e.errno == errno.ENOSPC
        while "no room" not in record.said and "space" not in record.said:
            for _ in range(50):
                listener().close()
            try:
                record.expect("kept in memory", 1)
            except AssertionError:
                assert record.process.poll() is None, record.said
        filler.unlink()
        record.expect("there is room again")
        with listener() as made:
            record.until(f"port = {port_of(made)}")
        assert record.stop() == 0
        record.close()
    finally:
        for one in recorder.made:
            one.close()
        subprocess.run(["umount", place], check=True)


def as_reader(doorward, *groups):
    words = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}",
             f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups", "--inh-caps=-all",
             "--bounding-set=-all", "--"]
    user = doorward.as_user()
    user.prefix = words
    return user


def test_who_may_read_is_told_by_the_file(recorder, doorward, tmp_path):  # noqa: F811
    place = pathlib.Path(f"/tmp/doorward-record-{os.getpid()}")
    place.mkdir(0o750)
    os.chown(place, 0, 12345)
    os.chmod(place, 0o2750)
    try:
        record = recorder(db=place / "history.db")
        with listener() as made:
            record.until(f"port = {port_of(made)}")
            status, out, err = as_reader(doorward).run("history", "--db", record.db)
            assert (status, out) == (3, "") and "group" in err
            seen = as_reader(doorward, 12345).json("history", "--db", record.db, f"port = {port_of(made)}")
            assert len(seen["intervals"]) == 1
            assert seen["intervals"][0]["holder"]["pid"] == os.getpid()
        assert record.db.stat().st_mode & 0o777 == 0o640
        record.stop()
    finally:
        for one in recorder.made:
            one.close()
        subprocess.run(["rm", "-r", place], check=True)


def test_the_bound_is_kept(recorder):  # noqa: F811
    record = recorder("--retain", "30d,2GB")
    assert record.stop() == 0
