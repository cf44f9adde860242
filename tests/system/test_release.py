# SPDX-License-Identifier: GPL-2.0-or-later
"""`close --by release`: the port is free, and its program does not notice.

The echo server of tests/scenes/server.c counts what happens to it: an EINTR that it would not have seen, an error,
a turn of its loop. A spinning program is told by its CPU time, held against CPU time of our own: no clock decides.
"""

import contextlib
import ctypes
import json
import mmap
import os
import pathlib
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import pytest

from conftest import NOBODY, program

pytestmark = pytest.mark.needs("root")

COUNTERS = "interrupted", "errors", "turns", "accepted", "gap_ns", "beats", "ready"
TICKS = os.sysconf("SC_CLK_TCK")


# ---- what is played with ----

def await_that(true, limit=30):
    """Until @true() is; each look is an event of its own."""
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.005)


def stat_of(pid):
    """The fields of /proc/PID/stat behind the name."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rsplit(")")[-1].split()


def alive(pid):
    try:
        return stat_of(pid)[0] not in "ZX"
    except OSError:
        return False


def cpu_ticks(pid):
    """utime and stime of a process, in ticks."""
    return sum(map(int, stat_of(pid)[11:13]))


def assert_idle(*pids):
    """While we use half a second of CPU each of them uses next to none."""
    before = [cpu_ticks(pid) for pid in pids]
    end = time.process_time() + 0.5
    while time.process_time() < end:
        pass
    used = [cpu_ticks(pid) - b for pid, b in zip(pids, before)]
    assert max(used) <= TICKS // 20, f"ticks used while we used {TICKS // 2}: {used}"


def descriptors(pid):
    """What stands at each number."""
    found = {}
    for fd in sorted(os.listdir(f"/proc/{pid}/fd")):
        with contextlib.suppress(FileNotFoundError):  # closed while we look
            found[fd] = os.readlink(f"/proc/{pid}/fd/{fd}")
    return found


def maps_of(pid):
    return pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="ascii")


def status_of(pid, start):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return [line for line in lines if line.startswith(start)]


class Server:
    """The echo server, running."""

    def __init__(self, loop, static=False, user=None, prefix=(), **options):
        here = pathlib.Path(program("SCENE", "tests/scenes/scene")).parent
        self._file = tempfile.NamedTemporaryFile(prefix="doorward-counters-")
        self._file.truncate(4096)
        os.chmod(self._file.name, 0o666)
        self._map = mmap.mmap(self._file.fileno(), 4096)
        words = [*prefix, str(here / ("server-static" if static else "server")), loop, "--counters", self._file.name]
        for name, value in options.items():
            words += ["--" + name, str(value)]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, user=user, group=user,
                                        extra_groups=[] if user else None, start_new_session=True)
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            (pytest.skip if status == 77 else pytest.fail)(f"the server ended with {status}")
        said = json.loads(line)
        self.port, self.pid, self.fd = said["port"], said["pid"], said["fd"]
        self.address = "::1" if options.get("family") == 6 else "127.0.0.1"
        address = f"[{self.address}]" if ":" in self.address else self.address
        self.target = f"{'udp' if loop == 'udp' else 'tcp'}/{address}:{self.port}"

    def count(self, name):
        return struct.unpack_from("Q", self._map, 8 * COUNTERS.index(name))[0]

    def connect(self):
        return socket.create_connection((self.address, self.port), timeout=30)

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def server():
    running = []

    def start(loop, **options):
        running.append(Server(loop, **options))
        return running[-1]

    yield start
    for one in running:
        one.close()


class Traffic(threading.Thread):
    """Sends numbered lines over one connection and wants each of them back, until it is told to end."""

    def __init__(self, connection, ask=lambda n: b"%031d\n" % n, answer=lambda n: b"%031d\n" % n):
        super().__init__(daemon=True)
        self.connection, self.ask, self.answer = connection, ask, answer
        self.n, self.error, self._wanted = 0, None, True
        self.start()
        self.more()

    def run(self):
        try:
            while self._wanted:
                self.connection.sendall(self.ask(self.n))
                wanted, got = self.answer(self.n), b""
                while len(got) < len(wanted):
                    piece = self.connection.recv(len(wanted) - len(got))
                    if not piece:
                        raise EOFError("the connection ended")
                    got += piece
                assert got == wanted
                self.n += 1
        except Exception as error:  # told to who asks
            self.error = error

    def more(self, n=20):
        """At least @n more answers came."""
        end = self.n + n
        await_that(lambda: self.n >= end or self.error)
        assert not self.error, repr(self.error)

    def end(self):
        self.more()
        self._wanted = False
        self.join(30)
        assert not self.error, repr(self.error)


@pytest.fixture
def release(doorward):
    """close --by release: its JSON."""

    def run(target, *more, by=None, statuses=(0,)):
        status, out, err = (by or doorward).run("close", str(target), "--by", "release", "--yes", "--json", *more)
        assert status in statuses, f"status {status}: {err}{out}"
        return json.loads(out)

    return run


def only_step(closed):
    step, = closed["steps"]
    return step


def assert_refuses(address, port):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, port), timeout=30)


def assert_can_listen(address, port):
    """A successor that sets SO_REUSEADDR gets the port, and is reached."""
    with socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET) as own:
        with socket.create_connection((address, port), timeout=30) as client, own.accept()[0] as accepted:
            client.sendall(b"!")
            assert accepted.recv(1) == b"!"


def assert_unnoticed(made):
    assert (made.count("interrupted"), made.count("errors")) == (0, 0)


# ---- every kind of loop ----

LOOPS = "poll", "poll-timeout", "select", "epoll", "epoll-pwait", "epoll-pwait2", "accept", "accept-timeout"


@pytest.mark.parametrize("family", (4, 6))
@pytest.mark.parametrize("loop", LOOPS)
def test_program_does_not_notice(server, release, loop, family):
    made = server(loop, family=family)
    with made.connect() as connection:
        traffic = Traffic(connection)
        step = only_step(release(made.target))
        assert (step["outcome"], step["bind_reuseaddr"]) == ("free", True)
        traffic.end()
        assert_refuses(made.address, made.port)
        assert_unnoticed(made)
        assert_idle(made.pid)
        turns = made.count("turns")
        assert_can_listen(made.address, made.port)
        assert alive(made.pid) and made.count("turns") == turns
        Traffic(connection).end()


@pytest.mark.parametrize("loop", (*LOOPS, "udp"))
def test_program_that_waits_is_not_woken(server, release, loop):
    """Its whole wait is one call, before and after."""
    made = server(loop)
    await_that(lambda: stat_of(made.pid)[0] == "S")
    turns = made.count("turns")
    assert release(made.target)["free"]
    assert_idle(made.pid)
    assert made.count("turns") == turns
    assert_unnoticed(made)


@contextlib.contextmanager
def stand_in_of(made):
    """A copy of what stands at the server's descriptor now."""
    pidfd = os.pidfd_open(made.pid)
    copy = ctypes.CDLL(None, use_errno=True).syscall(438, pidfd, made.fd, 0)  # pidfd_getfd
    os.close(pidfd)
    assert copy >= 0
    with socket.socket(fileno=copy) as stand_in:
        yield stand_in


def test_stand_in_looks_like_the_socket(server, release):
    made = server("poll", nonblock=1)
    release(made.target)
    with stand_in_of(made) as stand_in:
        assert stand_in.getsockname() == ("127.0.0.1", made.port)
        assert (stand_in.family, stand_in.type) == (socket.AF_INET, socket.SOCK_STREAM)
        assert stand_in.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        assert stand_in.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 1
        assert stand_in.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[28:32] == struct.pack("I", 77)
        with pytest.raises(BlockingIOError):
            stand_in.accept()


def test_udp(server, release):
    made = server("udp")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(30)
        client.connect((made.address, made.port))
        client.send(b"before")
        assert client.recv(100) == b"before"
        step = only_step(release(made.target))
        assert (step["outcome"], step["bind_plain"]) == ("free", True)
        with pytest.raises(ConnectionRefusedError):
            client.send(b"after")
            client.recv(100)
    assert_unnoticed(made)
    assert_idle(made.pid)


# ---- every kind of process ----

@pytest.mark.parametrize("how", ({}, {"chroot": tempfile.gettempdir()}, {"uid": NOBODY},
                                 {"chroot": tempfile.gettempdir(), "uid": NOBODY}))
def test_static_binary(server, release, how):
    made = server("epoll", static=True, **how)
    with made.connect() as connection:
        traffic = Traffic(connection)
        assert release(made.target)["free"]
        traffic.end()
        assert_unnoticed(made)
        assert_idle(made.pid)


def test_a_thousand_threads(server, release):
    made = server("epoll", threads=1000)
    with made.connect() as connection:
        traffic = Traffic(connection)
        assert release(made.target)["free"]
        traffic.end()
        assert_unnoticed(made)
        assert_idle(made.pid)


def test_threads_with_tables_of_their_own(server, release):
    made = server("poll", apart=3)
    with made.connect() as connection:
        traffic = Traffic(connection)
        assert release(made.target)["free"]
        traffic.end()
        assert_unnoticed(made)
        assert_idle(made.pid)


def test_every_number_of_it(server, release):
    made = server("select", dups=7)
    assert release(made.target)["free"]
    assert_unnoticed(made)
    assert_idle(made.pid)


def test_children_that_are_born_meanwhile(server, release):
    made = server("epoll", fork=1)
    await_that(lambda: made.count("beats") > 5)
    with made.connect() as connection:
        traffic = Traffic(connection)
        assert release(made.target)["free"]
        traffic.end()
        assert_unnoticed(made)


def test_stopped_process_stays_stopped(server, release):
    made = server("poll")
    with made.connect() as connection:
        Traffic(connection).end()
        os.kill(made.pid, signal.SIGSTOP)
        await_that(lambda: stat_of(made.pid)[0] == "T")
        assert release(made.target)["free"]
        assert stat_of(made.pid)[0] == "T"
        os.kill(made.pid, signal.SIGCONT)
        Traffic(connection).end()


def test_signals_meanwhile(server, release):
    """Each runs its handler once, before or after."""
    made = server("epoll", handle=1, threads=20)
    sent, wanted = 0, True

    def send():
        nonlocal sent
        while wanted:
            os.kill(made.pid, signal.SIGUSR1)
            sent += 1
            await_that(lambda: made.count("beats") >= sent)

    with made.connect() as connection:
        traffic, sender = Traffic(connection), threading.Thread(target=send)
        sender.start()
        await_that(lambda: sent > 10)
        assert release(made.target)["free"]
        before = sent
        await_that(lambda: sent > before + 10)
        wanted = False
        sender.join()
        traffic.end()
    assert made.count("beats") == sent
    assert made.count("errors") == 0


def test_stop_signals_meanwhile(server, release):
    """They stop it and let it go on, as if nobody else did."""
    made = server("poll", threads=10)
    wanted = True

    def send():
        while wanted:
            os.kill(made.pid, signal.SIGSTOP)
            await_that(lambda: stat_of(made.pid)[0] in "Tt")
            os.kill(made.pid, signal.SIGCONT)

    with made.connect() as connection:
        sender = threading.Thread(target=send)
        sender.start()
        try:
            assert release(made.target)["free"]
        finally:
            wanted = False
            sender.join()
        Traffic(connection).end()
    os.kill(made.pid, signal.SIGSTOP)
    await_that(lambda: stat_of(made.pid)[0] == "T")


@pytest.mark.parametrize("loop", ("epoll", "select", "accept", "udp"))
def test_stand_in_where_no_namespace_may_be_made(server, release, doorward, loop):
    """It is of AF_UNIX, and as quiet."""
    limit = "echo 0 >/proc/sys/user/max_net_namespaces; exec \"$@\""
    made = server(loop, nonblock=1 if loop == "epoll" else 0, prefix=("unshare", "-Ur", "sh", "-c", limit, "sh"))
    assert release(made.target, by=doorward.inside(made.pid, "user"))["free"]
    with stand_in_of(made) as stand_in:
        assert stand_in.family == socket.AF_UNIX
    assert_unnoticed(made)
    assert_idle(made.pid)


def test_low_port(server, release):
    """The stand-in has it, too, without the right to bind it."""
    port = next(port for port in range(1023, 600, -1) if not _listens(port))
    made = server("poll", port=port)
    assert release(made.target)["free"]
    with stand_in_of(made) as stand_in:
        assert stand_in.getsockname() == ("127.0.0.1", port)


def test_thread_that_cannot_be_stopped(server, release):
    """Refused soon, and all others go on."""
    made = server("epoll", vfork=1, threads=10)
    before = descriptors(made.pid)
    step = only_step(release(made.target, statuses=(3,)))
    assert step["refused"] and "timed out" in step["because"] and "vfork" in step["hint"]
    assert descriptors(made.pid) == before
    with made.connect() as connection:
        Traffic(connection).end()
    assert_unnoticed(made)


def test_other_pid_namespace(scene, release):
    made = scene("pid-namespace")
    assert release(f"tcp/127.0.0.1:{made.port}")["free"]
    assert alive(made.pid)


@pytest.mark.parametrize("kind", ("link-local", "mapped", "reuseport-group", "dual-stack", "interface-bound",
                                  "leader-gone"))
def test_kinds_of_listeners(scene, release, doorward, kind):
    made = scene(kind, own_netns=1)
    assert release(made.port, "--keep-connections", by=doorward.inside(made.scene_pid, "net"))["free"]


def test_five_holders(scene, release):
    made = scene("tcp-listener", workers=5)
    target = f"tcp/127.0.0.1:{made.port}"
    assert release(target)["free"]
    assert all(alive(pid) for pid in made.pids)


def test_at_the_limit_of_descriptors(server, release):
    made = server("poll")
    limit = len(os.listdir(f"/proc/{made.pid}/fd"))
    resource.prlimit(made.pid, resource.RLIMIT_NOFILE, (limit, limit + 10))
    assert release(made.target)["free"]
    assert resource.prlimit(made.pid, resource.RLIMIT_NOFILE) == (limit, limit + 10)
    assert len(os.listdir(f"/proc/{made.pid}/fd")) == limit
    assert_idle(made.pid)


def test_nothing_is_left_behind(server, release):
    made = server("poll", dups=2)
    fds, maps, signals = descriptors(made.pid), maps_of(made.pid), status_of(made.pid, ("SigBlk", "SigPnd", "ShdPnd"))
    release(made.target)
    after = descriptors(made.pid)
    assert after.keys() == fds.keys()
    assert [fd for fd in fds if fds[fd] != after[fd]] == [fd for fd in fds if fds[fd] == fds[str(made.fd)]]
    assert maps_of(made.pid) == maps
    assert status_of(made.pid, ("SigBlk", "SigPnd", "ShdPnd")) == signals
    assert status_of(made.pid, "TracerPid") == ["TracerPid:\t0"]


# ---- seccomp ----

def test_filter_is_suspended(server, release):
    made = server("poll", seccomp=1)
    with made.connect() as connection:
        traffic = Traffic(connection)
        assert release(made.target)["free"]
        traffic.end()
    assert_unnoticed(made)
    assert_idle(made.pid)


def test_filter_that_may_not_be_suspended(server, release, doorward):
    made = server("poll", seccomp=1, user=NOBODY)
    before = descriptors(made.pid)
    step = only_step(release(made.target, by=doorward.as_user(), statuses=(3,)))
    assert step["refused"] and "seccomp" in step["because"]
    assert descriptors(made.pid) == before
    with made.connect() as connection:
        Traffic(connection).end()
    assert_unnoticed(made)


# ---- refused, and then as before ----

def start_tracer(pid):
    tracer = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-p", str(pid)], stderr=subprocess.DEVNULL)
    await_that(lambda: f"TracerPid:\t{tracer.pid}\n" in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return tracer


@pytest.mark.needs("program:strace")
def test_another_tracer(server, release):
    made = server("poll")
    tracer = start_tracer(made.pid)
    try:
        step = only_step(release(made.target, statuses=(3,)))
        assert step["refused"] and "strace" in step["because"] and str(tracer.pid) in step["because"]
        with made.connect() as connection:
            Traffic(connection).end()
    finally:
        tracer.terminate()
        tracer.wait()


@pytest.mark.needs("program:strace")
def test_all_holders_or_none(scene, release):
    made = scene("tcp-listener", workers=3)
    target = f"tcp/127.0.0.1:{made.port}"
    tracer = start_tracer(made.pids[-1])
    try:
        before = [descriptors(pid) for pid in made.pids]
        assert only_step(release(target, statuses=(3,)))["refused"]
        assert [descriptors(pid) for pid in made.pids] == before
    finally:
        tracer.terminate()
        tracer.wait()
    assert release(target)["free"]


def test_no_room_for_a_stand_in(server, release):
    """It fails after calls were made already."""
    made = server("select", uid=NOBODY, room=2)
    with made.connect() as connection:
        traffic = Traffic(connection)
        fds, maps = descriptors(made.pid), maps_of(made.pid)
        step = only_step(release(made.target, statuses=(3,)))
        assert step["refused"] and "too many open files" in step["because"]
        assert (descriptors(made.pid), maps_of(made.pid)) == (fds, maps)
        traffic.end()
    await_that(lambda: descriptors(made.pid) != fds)
    with made.connect() as connection:
        Traffic(connection).end()
    assert_unnoticed(made)


def test_connection_is_no_port(server, doorward):
    made = server("poll")
    with made.connect() as connection:
        own = connection.getsockname()[1]
        status, out, _ = doorward.run("close", "--filter", f"port = {own} and state = established", "--by", "release",
                                      "--dry-run", "--json")
        assert status == 0 and all(step["refused"] for step in json.loads(out)["steps"])


@pytest.mark.parametrize("number", (signal.SIGKILL, signal.SIGINT))
def test_doorward_broken_off(server, doorward, number):
    """Wherever it is hit: the server lives, and either has its port or not."""
    for i in range(12):
        made = server("epoll", threads=100)
        with made.connect() as connection:
            traffic = Traffic(connection)
            closing = subprocess.Popen([doorward.path, "close", made.target, "--by", "release", "--yes"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                closing.wait(0.02 * (i + 1))
            closing.send_signal(number)
            closing.wait()
            status = pathlib.Path(f"/proc/{made.pid}/status")
            await_that(lambda: "TracerPid:\t0" in status.read_text(encoding="ascii"))
            traffic.end()
            assert_unnoticed(made)
            assert alive(made.pid)
        made.close()


# ---- as an ordinary user ----

def test_own_process_of_a_user(server, release, doorward):
    made = server("epoll", user=NOBODY)
    with made.connect() as connection:
        traffic = Traffic(connection)
        assert release(made.target, by=doorward.as_user())["free"]
        traffic.end()
    assert_unnoticed(made)
    assert_idle(made.pid)


def test_process_of_another_user(server, release, doorward):
    made = server("poll")
    step = only_step(release(made.target, by=doorward.as_user(), statuses=(3,)))
    assert step["refused"] and "may not be inspected" in step["because"]
    assert alive(made.pid)


# ---- where the socket lives on ----

def test_accept_of_io_uring(server, release):
    """The request keeps the socket until it is done; then the port is free, and nothing was lost."""
    made = server("io-uring")
    with made.connect() as connection:
        traffic = Traffic(connection)
        step = only_step(release(made.target, statuses=(1,)))
        assert step["outcome"] == "still bound"
        assert "accept of io_uring" in step["remark"] and str(made.pid) in step["remark"]
        traffic.end()
        assert_idle(made.pid)
        with made.connect() as last:
            Traffic(last).end()
        await_that(lambda: not _listens(made.port))
        Traffic(connection).end()
        assert_unnoticed(made)


def _listens(port):
    ran = subprocess.run(["ss", "-tlnH", f"sport = :{port}"], capture_output=True, text=True, check=True)
    return bool(ran.stdout.strip())


IN_TRANSIT = """
import socket, time
listener = socket.create_server(("127.0.0.1", 0))
ends = socket.socketpair()
socket.send_fds(ends[0], [b"!"], [listener.fileno()])
print(listener.getsockname()[1], flush=True)
while True: listener.accept()
"""


def test_descriptor_in_transit(release):
    with subprocess.Popen([sys.executable, "-c", IN_TRANSIT], stdout=subprocess.PIPE) as holder:
        try:
            port = int(holder.stdout.readline())
            step = only_step(release(f"tcp/127.0.0.1:{port}", statuses=(1,)))
            assert step["outcome"] == "still bound"
            assert "is in a message" in step["remark"] and str(holder.pid) in step["remark"]
        finally:
            holder.kill()


def test_call_on_a_closed_descriptor(server, release):
    made = server("poll", closed=1)
    step = only_step(release(made.target, statuses=(1,)))
    assert step["outcome"] == "still bound"
    assert "waits in accept()" in step["remark"]


def test_registered_with_io_uring(scene, release):
    made = scene("io-uring-registered")
    target = f"tcp/127.0.0.1:{made.port}"
    step = only_step(release(target, statuses=(3,)))
    assert step["refused"] and "io_uring" in step["because"]


# ---- --keep-connections ----

def test_successor_beside_connections(server, release):
    made = server("epoll", plain=1)
    with made.connect() as connection:
        traffic = Traffic(connection)
        step = only_step(release(made.target, "--keep-connections"))
        assert (step["outcome"], step["bind_plain"], step["bind_reuseaddr"]) == ("free", False, True)
        assert_can_listen(made.address, made.port)
        traffic.end()


def test_without_it_connections_keep_the_port(server, release):
    made = server("epoll", plain=1)
    with made.connect():
        await_that(lambda: made.count("accepted"))
        step = only_step(release(made.target, statuses=(1,)))
        assert (step["state_after"], step["bind_plain"], step["bind_reuseaddr"]) == ("ESTABLISHED", False, False)
        assert not _listens(made.port)
