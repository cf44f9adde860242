# SPDX-License-Identifier: GPL-2.0-or-later
"""`watch`: its lines, filters, commands and ends. What it says of each event is held against the kernel in
test_events*.py; here a room makes them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from room import Room
from watches import LIMIT, Watch

pytestmark = pytest.mark.needs("bpf")


@pytest.fixture
def room():
    made = Room()
    yield made
    made.close()


@pytest.fixture
def watch(doorward, room):
    running = []

    def start(*words, **how):
        running.append(Watch(doorward, "--netns", room.pid, *words, **how))
        return running[-1]

    yield start
    for made in running:
        made.close()


def connect(room, port):
    """A connection of the room with itself, closed by the client."""
    room(f"keep(socket.create_connection(('127.0.0.1', {port})))")
    room("kept[-1].close()")


# ---- lines ----

def test_the_first_line_says_that_all_is_attached(watch):
    started = watch("--for", "100ms").lines[0]
    assert started["schema"] == "doorward/1" and started["source"] == "bpf"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", started["time"])
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        assert started["boot_id"] == file.read().strip()
    assert started["uptime"] <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_a_listening_event_alone_has_its_address(room, watch):  # R22
    watching = watch("state = listen")
    port = room("listen('127.0.0.2', 0)")
    seen = watching.until(event="opened")
    assert (seen["local_address"], seen["local_port"], seen["state"]) == ("127.0.0.2", port, "LISTEN")
    assert seen["holder"]["pid"] == room.pid and seen["sure"] == "exact"
    assert seen["holder"]["exe"] == os.path.realpath("/usr/bin/python3")
    assert watching.end() == (0, "")


def test_each_event_of_a_connection_is_whole(room, watch):  # R08
    watching = watch()
    port = room("listen('127.0.0.1', 0)")
    connect(room, port)
    both = {line["role"]: line for line in (watching.until(event="established"), watching.until(event="established"))}
    assert both["dialled"]["peer_port"] == both["accepted"]["local_port"] == port
    for seen in both.values():
        assert seen["local_port"] and seen["peer_port"]
        assert seen["local_address"] == seen["peer_address"] == "127.0.0.1"
        assert seen["proto"] == "tcp" and seen["cookie"] and seen["netns"] and seen["family"] == "ipv4"


def test_a_holder_is_as_in_show(room, watch, doorward):
    watching = watch("state = listen")
    port = room("listen('127.0.0.1', 0)")
    seen = watching.until(event="opened")
    shown = doorward.json("show", "--netns", room.pid, port)["sockets"][0]
    assert set(seen["holder"]) == set(shown["holders"][0])
    holder = {key: value for key, value in shown["holders"][0].items() if key not in ("fd", "parents")}
    assert {key: seen["holder"][key] for key in holder} == holder
    listed = doorward.list("--netns", room.pid, f"port = {port}").sockets[0]
    assert set(listed) - {"holders"} <= set(seen)
    assert seen["cookie"] == listed["cookie"]


def test_a_person_reads_who_and_where(room, doorward):
    watching = Watch(doorward, "--netns", room.pid, "--count", 1, "state = listen", first=(), is_started=False)
    assert "watching by bpf" in watching.text_line()
    port = room("listen('127.0.0.1', 0)")
    line = watching.text_line()
    assert re.search(rf"opened +tcp 127\.0\.0\.1:{port} +python3 \({room.pid}\)$", line)
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d ", line)
    assert watching.wait() == (0, "")


# ---- filters ----

def test_the_one_filter_chooses(room, watch):
    port = room("listen('127.0.0.1', 0)")
    watching = watch(f"closed or (established and role = dialled and peer_port = {port})")
    connect(room, port)
    room("kept[0].close()")
    watching.until(event="closed")
    assert [line["event"] for line in watching.lines] == ["started", "established", "closed"]


def test_a_wrong_filter_is_the_command_lines_fault(doorward):
    status, out, err = doorward.run("watch", "event = opend")
    assert (status, out) == (2, "") and "did you mean opened?" in err
    assert doorward.run("watch", "--on", "public")[0] == 2
    assert doorward.run("watch", "--exec", "")[0] == 2
    assert doorward.run("watch", "--count", "0")[0] == 2


# ---- its end ----

def test_a_count_ends_it(room, watch):
    watching = watch("--count", 2, "state = listen")
    for _ in range(3):
        room("listen('127.0.0.1', 0)")
    assert watching.wait() == (0, "")
    assert [line["event"] for line in watching.lines] == ["started", "opened", "opened"]


def test_a_time_ends_it(watch):
    watching = watch("--for", "50ms")
    assert watching.wait() == (0, "")


def test_the_time_begins_when_all_is_attached(watch):
    watching = watch("--for", "500ms", "--summary")
    began = watching.lines[0]["uptime"]
    assert watching.wait() == (0, "")
    assert time.clock_gettime(time.CLOCK_BOOTTIME) - began >= 0.5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_what_came_before_is_told(room, watch, number):
    watching = watch("state = listen")
    port = room("listen('127.0.0.1', 0)")
    assert watching.end(number) == (0, "")
    assert watching.lines[-1]["local_port"] == port


def test_a_reader_that_goes_away_ends_it_quietly(room, watch):
    watching = watch()
    watching.process.stdout.close()
    assert watching.process.wait(LIMIT) == 0
    assert watching.process.stderr.read() == b""


# ---- commands ----

def wait_for(condition):
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_command_has_what_happened_in_its_environment(room, watch, tmp_path):
    out = tmp_path / "out"
    watching = watch("--exec", 'echo "$DOORWARD_EVENT $DOORWARD_PORT $DOORWARD_ADDRESS $DOORWARD_LOCAL_PORT '
                     '$DOORWARD_PID $DOORWARD_PROCESS $DOORWARD_STATE" >"$OUT.new"; mv "$OUT.new" "$OUT"',
                     "state = listen", environment={"OUT": str(out), "DOORWARD_PORT": "of the caller"})
    port = room("listen('127.0.0.1', 0)")
    watching.until(event="opened")
    wait_for(out.exists)
    assert out.read_text() == f"opened {port} 127.0.0.1 {port} {room.pid} python3 LISTEN\n"


def test_no_name_becomes_a_part_of_the_command(room, watch, tmp_path):
    out, evil = tmp_path / "out", tmp_path / "evil"
    name = f"$(touch {evil})"[:15]  # as long as a name may be
    hostile = f"a; touch {evil}; `touch {evil}` $(touch {evil}) '\"\n=DOORWARD_PORT=1"
    watching = watch("--exec", 'printf "%s|%s|%s" "$DOORWARD_NAME" "$DOORWARD_CMDLINE" "$DOORWARD_PORT" >"$OUT.new"; '
                     'mv "$OUT.new" "$OUT"', "state = listen", environment={"OUT": str(out)})
    code = (f"import ctypes, socket; ctypes.CDLL(None).prctl(15, {name.encode()!r}, 0, 0, 0); s = socket.socket(); "
            "s.bind(('127.0.0.1', 0)); s.listen(); print(s.getsockname()[1], flush=True); input()")
    with subprocess.Popen(["nsenter", "-t", str(room.pid), "--net", sys.executable, "-c", code, hostile],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as made:
        port = int(made.stdout.readline())
        watching.until(event="opened")
        wait_for(out.exists)
        made.stdin.close()
    seen_name, cmdline, seen_port = out.read_text().split("|")
    assert seen_port == str(port)
    assert seen_name in (name, "python3", os.path.basename(os.path.realpath(sys.executable)))
    assert hostile.split("\n", maxsplit=1)[0] in cmdline and not evil.exists()


def readers_of(path):
    """How many processes have it open, but we."""
    found = 0
    for process in psutil.process_iter():
        try:
            found += process.pid != os.getpid() and any(
                os.readlink(f"/proc/{process.pid}/fd/{fd}") == str(path) for fd in os.listdir(f"/proc/{process.pid}/fd"))
        except OSError:  # it ended meanwhile
            continue
    return found


def test_eight_commands_run_and_the_rest_is_counted(room, watch, tmp_path):  # R21
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    begun = tmp_path / "begun"
    begun.mkdir()
    watching = watch("--exec", 'exec >/dev/null 2>&1; touch "$BEGUN/$DOORWARD_PORT"; cat "$GATE"', "state = listen",
                     environment={"GATE": str(gate), "BEGUN": str(begun)})
    for _ in range(12):
        room("listen('127.0.0.1', 0)")
    for _ in range(12):
        watching.until(event="opened")
    status, err = watching.end()
    assert status == 0
    assert "8 commands run already" in err and "4 events started no command" in err
    wait_for(lambda: len(list(begun.iterdir())) == 8)
    end = os.open(gate, os.O_RDWR)  # they read its end once its last writer goes
    wait_for(lambda: readers_of(gate) == 8)
    os.close(end)
    wait_for(lambda: readers_of(gate) == 0)


def test_a_command_has_the_rights_of_the_caller_and_no_input(room, watch, tmp_path):
    out = tmp_path / "out"
    watching = watch("--exec", '{ grep -E "^(CapEff|NoNewPrivs)" /proc/self/status; readlink /proc/self/fd/0; } '
                     '>"$OUT.new"; mv "$OUT.new" "$OUT"', "state = listen", environment={"OUT": str(out)})
    room("listen('127.0.0.1', 0)")
    watching.until(event="opened")
    wait_for(out.exists)
    own = [line for line in open("/proc/self/status", encoding="ascii") if re.match("CapEff|NoNewPrivs", line)]
    assert out.read_text() == "".join(own) + "/dev/null\n"


def test_a_new_door_is_told_once(room, watch, tmp_path):
    out = tmp_path / "out"
    port = room("listen('127.0.0.1', 0)")  # stands already
    watching = watch("--on", "first-seen", "--exec", 'echo "$DOORWARD_PORT" >>"$OUT"', "state = listen",
                     environment={"OUT": str(out)})
    room("kept[-1].close()")
    room(f"listen('127.0.0.1', {port}, reuseaddr=1)")
    other = room("listen('127.0.0.1', 0)")
    room("kept[-1].close()")
    room(f"listen('127.0.0.1', {other}, reuseaddr=1)")
    for _ in range(3):
        watching.until(event="opened")
    wait_for(lambda: out.exists() and out.read_text())
    assert watching.end()[0] == 0
    assert out.read_text().split() == [str(other)]


def test_a_door_that_turns_public_is_told(room, watch, tmp_path):
    out = tmp_path / "out"
    port = room("listen('127.0.0.1', 0)")
    watching = watch("--on", "public", "--exec", 'echo "$DOORWARD_LOCAL" >>"$OUT"', environment={"OUT": str(out)})
    room("kept[-1].close()")
    room(f"listen('0.0.0.0', {port}, reuseaddr=1)")
    watching.until(event="opened", state="LISTEN")
    wait_for(lambda: out.exists() and out.read_text())
    assert watching.end()[0] == 0
    assert out.read_text().split() == [f"0.0.0.0:{port}"]


# ---- the summary ----

def test_a_summary_counts(room, watch):
    watching = watch("--summary")
    port = room("listen('127.0.0.1', 0)")
    for _ in range(10):
        connect(room, port)
    assert watching.end() == (0, "")
    summary = watching.lines[-1]
    assert summary["summary"] is True and summary["events"]["established"] == 20
    assert [line["port"] for line in summary["ports"]] == [f"tcp/{port}"]
    assert [line["peer"] for line in summary["peers"]] == ["127.0.0.1"]


# ---- who does not read ----

def wait_until_idle(pid):
    """It has read all that came: it sleeps, and ran no more between two looks."""
    def ran():
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat, open(f"/proc/{pid}/schedstat", encoding="ascii") as more:
            return stat.read().rsplit(")", 1)[1].split()[0], more.read().split()[2]
    seen = [ran()]
    def is_idle():
        time.sleep(0.2)
        seen.append(ran())
        return seen[-1][0] == "S" and seen[-1] == seen[-2]
    wait_for(is_idle)


def test_a_reader_that_stopped_slows_nothing_and_learns_what_it_missed(room, watch, doorward):  # R21
    end, other = os.pipe()
    os.set_inheritable(other, True)
    watching = Watch(doorward, "--netns", room.pid, stdout=other, is_started=False)
    os.close(other)
    port = room("listen('127.0.0.1', 0)")
    wait_for(lambda: b'"started"' in os.read(end, 1 << 20))
    room(f"""
def many(n):
    for _ in range(n):
        made = socket.create_connection(('127.0.0.1', {port}))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        made.close()
        kept[0].accept()[0].close()
""")
    room("many(4000)")  # more than 8 MiB of lines, while nobody reads
    wait_until_idle(watching.process.pid)
    with open(f"/proc/{watching.process.pid}/status", encoding="ascii") as file:
        resident = int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])
    assert resident < 256 << 10
    watching.process.send_signal(signal.SIGINT)
    lines, rest = [], b""
    os.set_blocking(end, True)
    while more := os.read(end, 1 << 20):
        *whole, rest = (rest + more).split(b"\n")
        lines += [json.loads(line) for line in whole]
    assert watching.process.wait(LIMIT) == 0
    err = watching.process.stderr.read().decode()
    os.close(end)
    missed = sum(line["count"] for line in lines if line["event"] == "lost")
    told = re.search(r"(\d+) events were not read", err)
    missed += int(told[1]) if told else 0
    assert missed > 0 and missed + sum(line["event"] in ("established", "ended") for line in lines) == 4 * 4000


def test_a_reader_that_stays_away_holds_up_no_end(room, doorward):
    end, other = os.pipe()
    os.set_inheritable(other, True)
    watching = Watch(doorward, "--netns", room.pid, stdout=other, is_started=False)
    os.close(other)
    wait_for(lambda: b'"started"' in os.read(end, 1 << 20))
    room("for _ in range(1000): bind('127.0.0.1', 0).close()")
    wait_until_idle(watching.process.pid)
    watching.process.send_signal(signal.SIGINT)
    assert watching.process.wait(LIMIT) == 0
    os.set_blocking(end, True)
    lines = 0
    while more := os.read(end, 1 << 20):
        lines += more.count(b"\n")
    os.close(end)
    told = re.search(r"(\d+) events were not read", watching.process.stderr.read().decode())
    assert int(told[1]) + lines == 2000


# ---- where it may not ----

def test_without_the_rights_it_says_what_it_cannot_see(doorward):
    status, out, err = doorward.as_user().run("watch", "--for", "100ms")
    assert (status == 0 and out.count("\n") >= 1 and err) or (status == 3 and "sudo" in err)


# ---- beyond one host ----

def nats_lines(port, n):
    with socket.create_connection(("127.0.0.1", port), LIMIT) as made:
        made.sendall(b'CONNECT {"verbose":false}\r\nSUB doorward.events 1\r\nPING\r\n')
        file = made.makefile("rb")
        while not file.readline().startswith(b"PONG"):
            pass
        yield None
        for _ in range(n):
            head = file.readline().split()
            while head[0] != b"MSG":
                head = file.readline().split()
            yield json.loads(file.read(int(head[-1])))
            file.readline()


@pytest.mark.needs("program:nats-server")
def test_its_lines_go_into_nats_as_the_manual_says(room, doorward, tmp_path):
    with open(os.path.join(os.path.dirname(__file__), "../../man/watch.prose"), encoding="utf-8") as file:
        code = re.search(r"^\.nf\n(    doorward watch.*?PUB.*?)\n\.fi", file.read(), re.M | re.S)[1]
    code = code.replace(r"\(aq", "'").replace(r"\(dq", '"').replace(r"\e", "\\").replace(r"\-", "-")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(["nats-server", "-a", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL) as server:
        try:
            def answers():
                with socket.socket() as tried:
                    return tried.connect_ex(("127.0.0.1", port)) == 0
            wait_for(answers)
            came = nats_lines(port, 2)
            next(came)
            code = code.replace("4222", str(port)).replace(
                "doorward watch", f"{doorward.path} watch --netns {room.pid} --count 1 state = listen")
            with subprocess.Popen(["bash", "-c", code]) as shell:
                assert next(came)["event"] == "started"
                opened = room("listen('127.0.0.1', 0)")
                assert next(came)["local_port"] == opened
                assert shell.wait(LIMIT) == 0
        finally:
            server.terminate()
