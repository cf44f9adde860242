# SPDX-License-Identifier: GPL-2.0-or-later
"""`close --by release`: the port is free, and its program does not notice."""

import contextlib
import ctypes
import json
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

import pytest

from conftest import NOBODY
from echo_server import (  # noqa: F401 fixtures among them
    alive, assert_can_listen, assert_idle, assert_refuses, assert_unnoticed, await_that,
    descriptors, maps_of, only_step, release, server, stat_of, status_of, Traffic)

pytestmark = pytest.mark.needs("root")

def release_under_traffic(made, release, is_idle=True):  # noqa: F811
    """The port is free, and a connection that was there loses no byte."""
    with made.connect() as connection:
        traffic = Traffic(connection)
        assert release(made.target)["free"]
        traffic.end()
        assert_unnoticed(made)
        if is_idle:
            assert_idle(made.pid)


# ---- every kind of loop ----

LOOPS = "poll", "poll-timeout", "select", "epoll", "epoll-pwait", "epoll-pwait2", "accept", "accept-timeout"


@pytest.mark.parametrize("family", (4, 6))
@pytest.mark.parametrize("loop", LOOPS)
def test_program_does_not_notice(server, release, loop, family):  # noqa: F811
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
def test_program_that_waits_is_not_woken(server, release, loop):  # noqa: F811
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


def test_stand_in_looks_like_the_socket(server, release):  # noqa: F811
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


def test_udp(server, release):  # noqa: F811
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
def test_static_binary(server, release, how):  # noqa: F811
    made = server("epoll", static=True, **how)
    release_under_traffic(made, release)


def test_a_thousand_threads(server, release):  # noqa: F811
    made = server("epoll", threads=1000)
    release_under_traffic(made, release)


def test_threads_with_tables_of_their_own(server, release):  # noqa: F811
    made = server("poll", apart=3)
    release_under_traffic(made, release)


def test_every_number_of_it(server, release):  # noqa: F811
    made = server("select", dups=7)
    assert release(made.target)["free"]
    assert_unnoticed(made)
    assert_idle(made.pid)


def test_children_that_are_born_meanwhile(server, release):  # noqa: F811
    made = server("epoll", fork=1)
    await_that(lambda: made.count("beats") > 5)
    release_under_traffic(made, release, is_idle=False)


def test_stopped_process_stays_stopped(server, release):  # noqa: F811
    made = server("poll")
    with made.connect() as connection:
        Traffic(connection).end()
        os.kill(made.pid, signal.SIGSTOP)
        await_that(lambda: stat_of(made.pid)[0] == "T")
        assert release(made.target)["free"]
        assert stat_of(made.pid)[0] == "T"
        os.kill(made.pid, signal.SIGCONT)
        Traffic(connection).end()


def test_signals_meanwhile(server, release):  # noqa: F811
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


def test_stop_signals_meanwhile(server, release):  # noqa: F811
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
def test_stand_in_where_no_namespace_may_be_made(server, release, doorward, loop):  # noqa: F811
    """It is of AF_UNIX, and as quiet."""
    limit = "echo 0 >/proc/sys/user/max_net_namespaces; exec \"$@\""
    made = server(loop, nonblock=1 if loop == "epoll" else 0, prefix=("unshare", "-Ur", "sh", "-c", limit, "sh"))
    assert release(made.target, by=doorward.inside(made.pid, "user"))["free"]
    with stand_in_of(made) as stand_in:
        assert stand_in.family == socket.AF_UNIX
    assert_unnoticed(made)
    assert_idle(made.pid)


def test_low_port(server, release):  # noqa: F811
    """The stand-in has it, too, without the right to bind it."""
    port = next(port for port in range(1023, 600, -1) if not _listens(port))
    made = server("poll", port=port)
    assert release(made.target)["free"]
    with stand_in_of(made) as stand_in:
        assert stand_in.getsockname() == ("127.0.0.1", port)


def test_thread_that_cannot_be_stopped(server, release):  # noqa: F811
    """Refused soon, and all others go on."""
    made = server("epoll", vfork=1, threads=10)
    before = descriptors(made.pid)
    step = only_step(release(made.target, statuses=(3,)))
    assert step["refused"] and "timed out" in step["because"] and "vfork" in step["hint"]
    assert before.items() <= descriptors(made.pid).items()  # a thread may have made its own epoll only since
    with made.connect() as connection:
        Traffic(connection).end()
    assert_unnoticed(made)


def test_other_pid_namespace(scene, release):  # noqa: F811
    made = scene("pid-namespace")
    assert release(f"tcp/127.0.0.1:{made.port}")["free"]
    assert alive(made.pid)


@pytest.mark.parametrize("kind", ("link-local", "mapped", "reuseport-group", "dual-stack", "interface-bound",
                                  "leader-gone"))
def test_kinds_of_listeners(scene, release, doorward, kind):  # noqa: F811
    made = scene(kind, own_netns=1)
    assert release(made.port, "--keep-connections", by=doorward.inside(made.scene_pid, "net"))["free"]


def test_five_holders(scene, release):  # noqa: F811
    made = scene("tcp-listener", workers=5)
    target = f"tcp/127.0.0.1:{made.port}"
    assert release(target)["free"]
    assert all(alive(pid) for pid in made.pids)


def test_at_the_limit_of_descriptors(server, release):  # noqa: F811
    made = server("poll")
    limit = len(os.listdir(f"/proc/{made.pid}/fd"))
    resource.prlimit(made.pid, resource.RLIMIT_NOFILE, (limit, limit + 10))
    assert release(made.target)["free"]
    assert resource.prlimit(made.pid, resource.RLIMIT_NOFILE) == (limit, limit + 10)
    assert len(os.listdir(f"/proc/{made.pid}/fd")) == limit
    assert_idle(made.pid)


def test_nothing_is_left_behind(server, release):  # noqa: F811
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

def test_filter_is_suspended(server, release):  # noqa: F811
    made = server("poll", seccomp=1)
    with made.connect() as connection:
        traffic = Traffic(connection)
        assert release(made.target)["free"]
        traffic.end()
    assert_unnoticed(made)
    assert_idle(made.pid)


def test_filter_that_may_not_be_suspended(server, release, doorward):  # noqa: F811
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
def test_another_tracer(server, release):  # noqa: F811
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
def test_all_holders_or_none(scene, release):  # noqa: F811
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


def test_no_room_for_a_stand_in(server, release):  # noqa: F811
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


def test_connection_is_no_port(server, doorward):  # noqa: F811
    made = server("poll")
    with made.connect() as connection:
        own = connection.getsockname()[1]
        status, out, _ = doorward.run("close", "--filter", f"port = {own} and state = established", "--by", "release",
                                      "--dry-run", "--json")
        assert status == 0 and all(step["refused"] for step in json.loads(out)["steps"])


@pytest.mark.parametrize("number", (signal.SIGKILL, signal.SIGINT))
def test_doorward_broken_off(server, doorward, number):  # noqa: F811
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

def test_own_process_of_a_user(server, release, doorward):  # noqa: F811
    made = server("epoll", user=NOBODY)
    with made.connect() as connection:
        traffic = Traffic(connection)
        assert release(made.target, by=doorward.as_user())["free"]
        traffic.end()
    assert_unnoticed(made)
    assert_idle(made.pid)


def test_process_of_another_user(server, release, doorward):  # noqa: F811
    made = server("poll")
    step = only_step(release(made.target, by=doorward.as_user(), statuses=(3,)))
    assert step["refused"] and "may not be inspected" in step["because"]
    assert alive(made.pid)


# ---- where the socket lives on ----

def test_accept_of_io_uring(server, release):  # noqa: F811
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


def test_descriptor_in_transit(release):  # noqa: F811
    with subprocess.Popen([sys.executable, "-c", IN_TRANSIT], stdout=subprocess.PIPE) as holder:
        try:
            port = int(holder.stdout.readline())
            step = only_step(release(f"tcp/127.0.0.1:{port}", statuses=(1,)))
            assert step["outcome"] == "still bound"
            assert "is in a message" in step["remark"] and str(holder.pid) in step["remark"]
        finally:
            holder.kill()


def test_call_on_a_closed_descriptor(server, release):  # noqa: F811
    made = server("poll", closed=1)
    step = only_step(release(made.target, statuses=(1,)))
    assert step["outcome"] == "still bound"
    assert "waits in accept()" in step["remark"]


def test_registered_with_io_uring(scene, release):  # noqa: F811
    made = scene("io-uring-registered")
    target = f"tcp/127.0.0.1:{made.port}"
    step = only_step(release(target, statuses=(3,)))
    assert step["refused"] and "io_uring" in step["because"]


# ---- --keep-connections ----

def test_successor_beside_connections(server, release):  # noqa: F811
    made = server("epoll", plain=1)
    with made.connect() as connection:
        traffic = Traffic(connection)
        step = only_step(release(made.target, "--keep-connections"))
        assert (step["outcome"], step["bind_plain"], step["bind_reuseaddr"]) == ("free", False, True)
        assert_can_listen(made.address, made.port)
        traffic.end()


def test_without_it_connections_keep_the_port(server, release):  # noqa: F811
    made = server("epoll", plain=1)
    with made.connect():
        await_that(lambda: made.count("accepted"))
        step = only_step(release(made.target, statuses=(1,)))
        assert (step["state_after"], step["bind_plain"], step["bind_reuseaddr"]) == ("ESTABLISHED", False, False)
        assert not _listens(made.port)
