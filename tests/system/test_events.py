# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel's events say, held against the sockets that a room makes and what it knows of them itself."""

import json
import os
import platform
import signal
import socket
import subprocess
import time

import pytest

from room import Room
from watches import Watch

pytestmark = pytest.mark.needs("bpf")

COOKIE = 57  # SO_COOKIE
OF = "lambda s: int.from_bytes(s.getsockopt(socket.SOL_SOCKET, 57, 8), 'little')"


@pytest.fixture
def room():
    made = Room()
    made(f"cookie = {OF}")
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


def pair(room):
    """A connection of the room with itself: (listener's port, cookie dialled, cookie accepted); in kept: both ends."""
    room("server = keep(socket.create_server(('127.0.0.1', 0)))")
    room("dialled = socket.create_connection(server.getsockname())")
    room("accepted = server.accept()[0]")
    return room("[server.getsockname()[1], cookie(dialled), cookie(accepted)]")


def find(watching, **facts):
    """The first line that says this, among those that have come or will come."""
    for line in watching.lines:
        if all(line.get(key) == value for key, value in facts.items()):
            return line
    return watching.until(**facts)


def await_that(what, limit=60):
    end = time.monotonic() + limit
    while not what():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.1)


def of(watching, cookie, event):
    return find(watching, cookie=cookie, event=event)


def pid_of(line):
    return line["holder"]["pid"] if line["holder"] else None


# ---- connections ----

def test_a_connection_is_told_at_both_ends(room, watch):  # R08
    watching = watch()
    port, dialled, accepted = pair(room)
    room("dialled.sendall(b'x' * 100000)")
    assert room("len(accepted.recv(100000, socket.MSG_WAITALL))") == 100000
    room("accepted.sendall(b'y' * 7)")
    room("dialled.recv(7)")
    number = room("dialled.getsockname()[1]")
    room("dialled.close()")
    room("accepted.close()")
    one, other = of(watching, dialled, "ended"), of(watching, accepted, "ended")
    for line in (of(watching, dialled, "established"), one):
        assert (line["local_port"], line["peer_port"], line["proto"]) == (number, port, "tcp")
        assert (line["local_address"], line["peer_address"]) == ("127.0.0.1", "127.0.0.1")
        assert line["role"] == "dialled" and line["sure"] == "exact" and pid_of(line) == room.pid
    assert of(watching, accepted, "established")["role"] == "accepted"
    assert (other["local_port"], other["peer_port"], other["role"]) == (port, number, "accepted")
    assert other["sure"] == "exact" and pid_of(other) == room.pid
    assert (one["bytes_sent"], one["bytes_received"]) == (100000, 7)
    assert (other["bytes_sent"], other["bytes_received"]) == (7, 100000)
    assert one["how"] == other["how"] == "closed" and one["duration"] > 0


def test_a_connect_that_does_not_wait(room, watch):  # R09
    watching = watch()
    port = room("listen('127.0.0.1', 0)")
    room("good = socket.socket(); good.setblocking(False)")
    room(f"good.connect_ex(('127.0.0.1', {port}))")
    room("bad = socket.socket(); bad.setblocking(False)")
    room("bad.connect_ex(('127.0.0.1', 1))")
    good, bad = room("cookie(good)"), room("cookie(bad)")
    failed = of(watching, bad, "connect_failed")
    assert failed["errno"] == 111 and failed["errno_sure"] == "exact" and failed["peer_port"] == 1
    assert pid_of(failed) == room.pid and failed["local_port"]
    of(watching, good, "established")
    room("good.close(); bad.close()")
    of(watching, good, "ended")
    told = [line["event"] for line in watching.lines if line.get("cookie") in (good, bad)]
    assert sorted(told) == ["connect_failed", "ended", "established"]


@pytest.mark.parametrize("option", ["TCP_DEFER_ACCEPT", "TCP_FASTOPEN"])
def test_data_before_the_connection_is_counted(room, watch, option):  # R12
    room("open('/proc/sys/net/ipv4/tcp_fastopen', 'w').write('519')")  # both ends, and without a cookie
    watching = watch()
    number = {"TCP_DEFER_ACCEPT": 9, "TCP_FASTOPEN": 23}[option]
    room("server = socket.socket(); server.bind(('127.0.0.1', 0))")
    room(f"server.setsockopt(socket.IPPROTO_TCP, {number}, 5); server.listen()")
    room("dialled = socket.socket()")
    if option == "TCP_FASTOPEN":
        room("dialled.sendto(b'early', 0x20000000, server.getsockname())")
    else:
        room("dialled.connect(server.getsockname()); dialled.sendall(b'early')")
    room("accepted = server.accept()[0]")
    room("accepted.recv(100); accepted.sendall(b'answer'); dialled.recv(100)")
    dialled, accepted = room("cookie(dialled)"), room("cookie(accepted)")
    room("dialled.close(); accepted.close()")
    for cookie, sent, received in ((dialled, 5, 6), (accepted, 6, 5)):
        of(watching, cookie, "established")
        ended = of(watching, cookie, "ended")
        assert (ended["bytes_sent"], ended["bytes_received"]) == (sent, received)


def test_what_is_older_than_the_watching_has_its_end(room, watch):  # R15
    port, dialled, accepted = pair(room)
    number = room("dialled.getsockname()[1]")
    watching = watch()
    room("dialled.close(); accepted.close()")
    one, other = of(watching, dialled, "ended"), of(watching, accepted, "ended")
    assert (one["local_port"], one["peer_port"], one["local_address"]) == (number, port, "127.0.0.1")
    assert (other["local_port"], other["peer_port"], other["peer_address"]) == (port, number, "127.0.0.1")
    assert one["duration"] is None and other["duration"] is None
    assert pid_of(one) == pid_of(other) == room.pid and one["holder"]["exe"]


# ---- how it ends ----

def test_a_connection_of_mptcp_is_told_once_and_its_bytes_are_its_payload(room, watch):
    watching = watch()
    if room("error_of(socket.socket, socket.AF_INET, socket.SOCK_STREAM, 262)"):
        pytest.skip("no MPTCP here")
    room("server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)")
    room("server.bind(('127.0.0.1', 0)); server.listen()")
    room("dialled = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)")
    room("dialled.connect(server.getsockname()); accepted = server.accept()[0]")
    port = room("server.getsockname()[1]")
    room("dialled.sendall(b'12345'); accepted.recv(5, socket.MSG_WAITALL)")
    room("accepted.sendall(b'123'); dialled.recv(3, socket.MSG_WAITALL)")
    room("dialled.close(); accepted.recv(1); accepted.close()")
    ends = {end["role"]: end for end in (watching.until(event="ended"), watching.until(event="ended"))}
    assert {role: (end["bytes_sent"], end["bytes_received"]) for role, end in ends.items()} == {
        "dialled": (5, 3), "accepted": (3, 5)}
    assert ends["accepted"]["peer_port"] == ends["dialled"]["local_port"]
    room("server.close()")
    watching.until(event="closed", local_port=port)
    told = [(line["event"], line["state"]) for line in watching.lines if line.get("local_port") == port]
    assert told == [("opened", "LISTEN"), ("established", "ESTABLISHED"), ("ended", "LAST_ACK"), ("closed", "LISTEN")]


def test_the_end_that_sends_the_reset_aborts(room, watch):
    watching = watch()
    _, dialled, accepted = pair(room)
    room("dialled.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); dialled.close()")
    one, other = of(watching, dialled, "ended"), of(watching, accepted, "ended")
    assert one["how"] == "aborted" and one["sure"] == "exact"
    assert other["how"] == "reset" and other["sure"] == "probable" and pid_of(other) == room.pid
    room("accepted.close()")


def test_what_was_not_read_is_thrown_away(room, watch):
    watching = watch()
    _, dialled, accepted = pair(room)
    room("dialled.sendall(b'unread')")
    room("accepted.recv(1, socket.MSG_PEEK); accepted.close()")
    assert of(watching, accepted, "ended")["how"] == "aborted"
    assert of(watching, dialled, "ended")["how"] == "reset"
    room("dialled.close()")


@pytest.mark.needs("program:ss")
def test_who_destroys_it_is_told(room, watch):
    watching = watch()
    port, dialled, _ = pair(room)
    subprocess.run(["nsenter", "-t", str(room.pid), "--net", "--", "ss", "-K", f"dport = {port}"], check=True,
                   stdout=subprocess.DEVNULL)
    ended = of(watching, dialled, "ended")
    assert ended["how"] == "destroyed" and pid_of(ended) == room.pid
    assert ended["by"]["name"] == "ss"


# ---- who held it ----

def test_a_listener_that_is_older_has_its_holder(room, watch):  # R16
    room("server = socket.create_server(('127.0.0.1', 0))")
    port, cookie = room("server.getsockname()[1]"), room("cookie(server)")
    watching = watch()
    room("server.close()")
    closed = of(watching, cookie, "closed")
    assert closed["local_port"] == port and closed["duration"] is None
    assert pid_of(closed) == room.pid and closed["holder"]["exe"] == os.path.realpath("/usr/bin/python3")


def test_who_lived_for_a_moment_is_known(room, watch, tmp_path):  # R18
    watching = watch()
    port = room("listen('127.0.0.1', 0)")
    room(f"subprocess.run(['bash', '-c', 'exec 3<>/dev/tcp/127.0.0.1/{port}'])")
    line = watching.until(event="established", role="dialled", peer_port=port)
    assert line["holder"]["exe"] == os.path.realpath("/bin/bash") and line["holder"]["name"] == "bash"
    assert line["holder"]["cmdline"] == f"bash -c exec 3<>/dev/tcp/127.0.0.1/{port}"
    program = tmp_path / "helper"
    program.write_bytes(open(os.path.realpath("/bin/bash"), "rb").read())
    program.chmod(0o755)
    room(f"subprocess.run(['https', '-c', 'exec 3<>/dev/tcp/127.0.0.1/{port}'], executable='{program}')")
    line = watching.until(event="established", role="dialled", peer_port=port)
    assert line["holder"]["exe"] == str(program) and line["holder"]["cmdline"].startswith("https -c ")


def test_the_child_that_serves_holds_what_it_accepted(room, watch):
    watching = watch()
    room("server = socket.create_server(('127.0.0.1', 0))")
    room("children = []")
    room("exec('''for _ in range(3):\n    child = os.fork()\n    if child == 0:\n        while True:\n"
         "            made = server.accept()[0]; made.sendall(str(os.getpid()).encode()); made.recv(1); made.close()\n"
         "    children.append(child)''', globals())")
    served = {}
    for _ in range(6):
        room("dialled = socket.create_connection(server.getsockname())")
        said = room("int(dialled.recv(20))")
        served[room("dialled.getsockname()[1]")] = said
        room("dialled.close()")
    for number, child in served.items():
        ended = find(watching, event="ended", role="accepted", peer_port=number)
        assert pid_of(ended) == child and ended["sure"] == "exact"
    room("[os.kill(child, 9) for child in children]; [os.waitpid(child, 0) for child in children]")


def test_a_socket_that_was_passed_on(room, watch):
    watching = watch()
    _, _, accepted = pair(room)
    room("ours, theirs = socket.socketpair()")
    room("exec('''child = os.fork()\nif child == 0:\n    accepted.close(); dialled.close(); ours.close()\n"
         "    fds = socket.recv_fds(theirs, 1, 1)[1]\n    theirs.send(b\"x\"); theirs.recv(1)\n"
         "    os.close(fds[0]); os._exit(0)''', globals())")
    room("socket.send_fds(ours, [b'x'], [accepted.fileno()]); ours.recv(1)")
    room("accepted.close(); ours.send(b'x'); os.waitpid(child, 0)")
    room("dialled.close()")
    ended = of(watching, accepted, "ended")
    assert pid_of(ended) == room("child") and ended["sure"] == "exact"


def test_a_server_that_is_killed(room, watch):
    watching = watch()
    room("exec('''end, other = os.pipe()\nchild = os.fork()\nif child == 0:\n"
         "    server = socket.create_server((\"127.0.0.1\", 0))\n"
         "    os.write(other, str(server.getsockname()[1]).encode())\n    made = server.accept()[0]\n    time.sleep(600)"
         "''', globals())")
    port = room("int(os.read(end, 20))")
    room(f"dialled = socket.create_connection(('127.0.0.1', {port})); dialled.sendall(b'x')")
    watching.until(event="established", role="accepted", local_port=port)
    child = room("child")
    room("os.kill(child, 9); os.waitpid(child, 0)")
    ended = find(watching, event="ended", role="accepted", local_port=port)
    assert pid_of(ended) == child and ended["sure"] == "exact" and ended["holder"]["exe"]
    closed = find(watching, event="closed", local_port=port)
    assert pid_of(closed) == child and closed["holder"]["exe"]


@pytest.mark.alone
@pytest.mark.needs("root")
def test_a_number_that_is_used_again(room, watch, tmp_path):  # R17
    watching = watch()
    port = room("listen('127.0.0.1', 0)")
    for _ in range(50):
        first = subprocess.Popen(["nsenter", "-t", str(room.pid), "--net", "--", "bash", "-c",
                                  f"exec 3<>/dev/tcp/127.0.0.1/{port}"])
        first.wait()
        with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as file:
            file.write(str(first.pid - 1))
        second = subprocess.Popen(["sleep", "60"])
        try:
            line = watching.until(event="established", role="dialled", peer_port=port)
            assert line["holder"]["exe"] == os.path.realpath("/bin/bash") and pid_of(line) == first.pid
            if second.pid == first.pid:
                return
        finally:
            second.kill()
            second.wait()
    pytest.skip("the number was always taken by somebody else")


# ---- doors ----

def test_a_refused_bind_says_what_stood_in_the_way(room, watch):  # R23
    watching = watch()
    port = room("listen('127.0.0.1', 0)")
    assert room(f"bind_error('0.0.0.0', {port})") == 98
    refused = watching.until(event="refused")
    assert (refused["errno"], refused["errno_sure"], refused["local_port"]) == (98, "exact", port)
    assert pid_of(refused) == room.pid


@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM"])
def test_a_refused_bind_whose_socket_lives_on(room, watch, kind):
    watching = watch()
    room(f"first = bind('127.0.0.1', 0, socket.{kind})")
    port = room("first.getsockname()[1]")
    room(f"second = socket.socket(socket.AF_INET, socket.{kind})")
    began = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert room(f"error_of(second.bind, ('127.0.0.1', {port}))") == 98
    refused = watching.until(event="refused")
    assert refused["errno"] == 98 and refused["local_port"] == port
    assert refused["uptime"] >= began


@pytest.mark.parametrize("address, port, errno", [("10.99.99.99", 4711, 99), ("127.0.0.1", 80, 13)])
def test_other_refusals(room, watch, address, port, errno):
    watching = watch()
    uid = 65534 if errno == 13 else None
    assert room(f"bind_error({address!r}, {port}, {uid})") == errno
    refused = watching.until(event="refused")
    assert refused["errno"] == errno and refused["local_port"] == port


@pytest.mark.parametrize("address, only_v6, sure", [("fe80::1", 0, "probable"), ("::ffff:127.0.0.1", 1, "exact")])
def test_an_address_that_cannot_be_meant(room, watch, address, only_v6, sure):
    watching = watch()
    room(f"made = socket.socket(socket.AF_INET6); made.setsockopt(41, 26, {only_v6})")
    assert room(f"error_of(made.bind, ({address!r}, 4711))") == 22
    refused = watching.until(event="refused", local_address=address)
    assert (refused["errno"], refused["errno_name"], refused["errno_sure"]) == (22, "EINVAL", sure)


def test_what_waits_in_the_way_is_held_by_nobody(room, watch):  # R23
    watching = watch()
    port, _, _ = pair(room)
    room("accepted.close(); dialled.close(); server.close()")
    assert room(f"bind_error('127.0.0.1', {port})") == 98
    refused = watching.until(event="refused")
    assert (refused["in_the_way"]["state"], refused["in_the_way"]["held_by"]) == ("TIME_WAIT", "nobody")
    assert (refused["held_by"], refused["holder"], refused["by"]["pid"]) == ("nobody", None, room.pid)


def test_who_is_in_the_way_is_told_each_time(room, watch):
    watching = watch()
    port, _, _ = pair(room)
    room("accepted.close(); dialled.close(); server.close()")
    assert [room(f"bind_error('127.0.0.1', {port})") for _ in range(5)] == [98] * 5
    for _ in range(5):
        assert watching.until(event="refused")["in_the_way"]["state"] == "TIME_WAIT"


def test_a_listener_that_its_process_shuts_down_is_not_destroyed(room, watch):
    watching = watch()
    port = room("listen('127.0.0.1', 0)")
    room("kept[-1].shutdown(socket.SHUT_RDWR)")
    closed = watching.until(event="closed", local_port=port)
    assert (closed["how"], closed["by"], pid_of(closed)) == (None, None, room.pid)


def test_bound_twice(room, watch):
    watching = watch()
    room("made = bind('127.0.0.1', 0)")
    assert room("error_of(made.bind, ('127.0.0.1', 0))") == 22
    assert watching.until(event="refused")["errno"] == 22


RING = r"""
import mmap
def ring_bind(fd, port):
    # through io_uring, IORING_OP_BIND: 0 or an errno
    libc, p = ctypes.CDLL(None, use_errno=True), (ctypes.c_uint32 * 30)()
    ring = libc.syscall(425, 1, p)
    if ring < 0: return ctypes.get_errno()
    queue, entries = mmap.mmap(ring, 4096), mmap.mmap(ring, 4096, offset=0x10000000)
    address = ctypes.create_string_buffer(struct.pack("=H", 2) + struct.pack(">H", port) + bytes([127, 0, 0, 1]) + bytes(8))
    entries[:64] = struct.pack("=BBHiQQ", 56, 0, 0, fd, 16, ctypes.addressof(address)).ljust(64, b"\0")
    struct.pack_into("=I", queue, p[16], 0)
    struct.pack_into("=I", queue, p[11], 1)
    libc.syscall(426, ring, 1, 1, 1, None, 0)
    os.close(ring)
    return -struct.unpack_from("=i", queue, p[25] + 8)[0]
"""

OLD_ENTRY = r"""
def old_entry_bind(fd, port):
    # int $0x80, as a 32-bit program calls: 0 or an errno; it needs addresses below 4 GiB
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
    page = libc.mmap(None, 4096, 7, 0x22 | 0x40, -1, 0)
    ctypes.memmove(page, bytes.fromhex("5389f889f387cacd805bc3"), 11)
    ctypes.memmove(page + 2048, struct.pack("=H", 2) + struct.pack(">H", port) + bytes([127, 0, 0, 1]) + bytes(8), 16)
    return -ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_int] * 4)(page)(361, fd, page + 2048, 16)
def has_old_entry():
    child = os.fork()
    if child == 0:
        with socket.socket() as made: os._exit(old_entry_bind(made.fileno(), 0))
    return os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.parametrize("entry", ["ring_bind", "old_entry_bind"])
def test_other_ways_to_bind_are_told_too(room, watch, entry):
    room(RING if entry == "ring_bind" else OLD_ENTRY)
    if entry == "ring_bind" and room("ring_bind(keep(socket.socket()).fileno(), 0)"):
        pytest.skip("this kernel binds nothing through io_uring")
    if entry == "old_entry_bind" and (platform.machine() != "x86_64" or not room("has_old_entry()")):
        pytest.skip("this kernel has no entry for 32-bit programs")
    watching = watch()
    room("first = socket.socket(); second = socket.socket()")
    assert room(f"{entry}(first.fileno(), 0)") == 0
    port = room("first.getsockname()[1]")
    assert room(f"{entry}(second.fileno(), {port})") == 98
    assert pid_of(of(watching, room("cookie(first)"), "opened")) == room.pid
    refused = watching.until(event="refused", local_port=port)
    assert (refused["errno"], refused["errno_sure"], pid_of(refused)) == (98, "exact", room.pid)


def test_bound_and_then_listening_are_two_states(room, watch):
    watching = watch()
    room("made = bind('127.0.0.1', 0); made.listen()")
    number = room("cookie(made)")
    room("made.close()")
    of(watching, number, "closed")
    told = [(line["event"], line["state"]) for line in watching.lines if line.get("cookie") == number]
    assert told == [("opened", "BOUND"), ("opened", "LISTEN"), ("closed", "LISTEN")]


def test_bound_and_dialled_in_vain_is_closed_once(room, watch):
    watching = watch()
    room("gone = bind('127.0.0.1', 0); port = gone.getsockname()[1]; gone.close()")
    room("made = bind('127.0.0.1', 0); error = error_of(made.connect, ('127.0.0.1', port))")
    assert room("error") == 111
    number = room("cookie(made)")
    room("made.close(); last = bind('127.0.0.1', 0); n = cookie(last); last.close()")
    of(watching, room("n"), "closed")
    told = [line["event"] for line in watching.lines if line.get("cookie") == number]
    assert told == ["opened", "connect_failed", "closed"]


def test_what_was_granted_is_not_refused(room, watch):
    watching = watch()
    room("made = [bind('127.0.0.1', 0) for _ in range(100)]")
    room("[one.close() for one in made]")
    for _ in range(100):
        watching.until(event="closed")
    assert not [line for line in watching.lines if line["event"] == "refused"]
    assert len([line for line in watching.lines if line["event"] == "opened"]) == 100


def test_udp_with_and_without_a_bind(room, watch):
    watching = watch()
    room("bound = bind('127.0.0.1', 0, socket.SOCK_DGRAM)")
    opened = of(watching, room("cookie(bound)"), "opened")
    assert (opened["proto"], opened["local_port"]) == ("udp", room("bound.getsockname()[1]"))
    room("sent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); sent.sendto(b'x', bound.getsockname())")
    assert of(watching, room("cookie(sent)"), "opened")["local_port"] == room("sent.getsockname()[1]")
    room("talks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); talks.connect(bound.getsockname())")
    told = of(watching, room("cookie(talks)"), "established")
    assert (told["local_port"], told["peer_port"]) == (room("talks.getsockname()[1]"), opened["local_port"])
    cookies = room("[cookie(bound), cookie(sent), cookie(talks)]")
    room("bound.close(); sent.close(); talks.close()")
    for cookie, event in zip(cookies, ("closed", "closed", "ended")):
        assert pid_of(of(watching, cookie, event)) == room.pid


def test_a_listener_that_was_never_bound(room, watch):
    watching = watch()
    room("made = socket.socket(); made.listen()")
    opened = of(watching, room("cookie(made)"), "opened")
    assert opened["local_port"] == room("made.getsockname()[1]") and opened["state"] == "LISTEN"
    cookie = room("cookie(made)")
    room("made.close()")
    assert of(watching, cookie, "closed")["local_port"] == opened["local_port"]


def told_of_doors(path):
    """{event: {pid: how many}} of what a file has by now, and who they were."""
    counts, programs = {"opened": {}, "closed": {}}, set()
    for text in path.read_text(encoding="utf-8").splitlines(keepends=True):
        line = json.loads(text) if text.endswith("\n") else {"event": "started"}
        if line["event"] == "started":
            continue
        counts[line["event"]][pid_of(line)] = counts[line["event"]].get(pid_of(line), 0) + 1
        programs.add(line["holder"]["exe"])
    return counts, programs


@pytest.mark.alone
def test_many_listeners_of_many_processes_that_end(room, doorward, tmp_path):
    """All, with who it was, where the reader keeps up: a file."""
    path, each, processes = tmp_path / "lines", 100, 50
    with path.open("wb") as out:
        watching = Watch(doorward, "--netns", room.pid, "state = listen", is_started=False, stdout=out)
    try:
        await_that(lambda: path.stat().st_size)
        room(f"exec('''children = []\nfor _ in range({processes}):\n    child = os.fork()\n    if child == 0:\n"
             f"        for _ in range({each}): listen(\"127.0.0.1\", 0)\n        os._exit(0)\n"
             "    children.append(child)\nfor child in children: os.waitpid(child, 0)''', globals())")
        wanted = {child: each for child in room("children")}
        await_that(lambda: told_of_doors(path)[0] == {"opened": wanted, "closed": wanted})
        assert told_of_doors(path)[1] == {os.path.realpath("/usr/bin/python3")}
    finally:
        watching.close()


# ---- without BPF ----

def test_what_the_short_ring_has_no_room_for_stays_in_its_order(doorward):
    """The reader is stopped meanwhile: what comes goes to the long ring, and to the short one again once all is read."""
    watching = Watch(doorward, f"pid = {os.getpid()} and state = listen")
    try:
        for _ in range(3):
            made = []
            watching.process.send_signal(signal.SIGSTOP)
            for _ in range(1500):
                with socket.create_server(("127.0.0.1", 0)) as server:
                    made.append(server.getsockname()[1])
            watching.process.send_signal(signal.SIGCONT)
            told = [watching.line() for _ in range(2 * len(made))]
            assert [(line["event"], line["local_port"]) for line in told] == [
                (event, port) for port in made for event in ("opened", "closed")]
    finally:
        watching.close()


@pytest.mark.parametrize("words", [["watch", "--for", "1ms"], ["record"]], ids=" ".join)
def test_what_is_not_seen_without_bpf_is_one_clear_sentence(doorward, tmp_path, words):
    if words == ["record"]:
        with subprocess.Popen([*doorward.prefix, doorward.path, "record", "--source", "proc", "--db", tmp_path / "x.db"],
                              stderr=subprocess.PIPE, text=True) as run:
            said = run.stderr.readline()
            run.send_signal(signal.SIGTERM)
    else:
        said, = doorward.run(*words, "--source", "proc")[2].splitlines()
    assert said.startswith(f"doorward: {words[0]}: without BPF these are not seen: what opens and closes")
    assert said.count("BPF") == 1 and "sockets are missing" not in said and "(unsupported)" not in said


def test_without_bpf_openings_and_ends_are_told(room, doorward):
    watching = Watch(doorward, "--netns", room.pid, "--source", "proc")
    try:
        assert watching.lines[0]["source"] == "netlink"
        port, dialled, accepted = pair(room)
        opened = watching.until(event="opened", local_port=port)
        assert opened["source"] == "netlink" and pid_of(opened) == room.pid
        of(watching, dialled, "established")
        of(watching, accepted, "established")
        room("dialled.close(); accepted.close(); server.close()")
        of(watching, dialled, "ended")
        of(watching, accepted, "ended")
        find(watching, event="closed", local_port=port)
    finally:
        watching.close()


def test_own_sockets_are_told_too(doorward):
    """Also in the host's own namespace, from this very process."""
    watching = Watch(doorward, f"pid = {os.getpid()}")
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            cookie = int.from_bytes(server.getsockopt(socket.SOL_SOCKET, COOKIE, 8), "little")
            opened = of(watching, cookie, "opened")
            assert opened["local_port"] == server.getsockname()[1] and opened["netns"]
    finally:
        watching.close()
