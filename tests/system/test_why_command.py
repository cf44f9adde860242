# SPDX-License-Identifier: GPL-2.0-or-later
"""A command is run, and each of its calls that fails is explained."""

import errno
import json
import os
import signal
import subprocess

import pytest

from hosts import until

from room import Room

PYTHON = "/usr/bin/python3"
BIND = """
import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    s.bind(("127.0.0.1", int(sys.argv[1])))
    s.listen()
except OSError as error:
    print(error.errno)
    sys.exit(7)
"""


@pytest.fixture
def room():
    if os.geteuid() != 0:
        pytest.skip("needs root")
    made = Room()
    yield made
    made.close()


def watch(room, doorward, *command, uid=None, status=None):
    code, out, err = room.doorward(doorward, uid).run("why", "--json", "--", *command)
    said = json.loads(out)
    assert said["exit_status"] == code or said["signal"] == code - 128
    if status is not None:
        assert code == status, err
    return said, err


@pytest.mark.parametrize("uid", [None, 65534])
def test_a_bind_that_fails_is_explained(room, doorward, uid):
    port = room("listen('127.0.0.1', 0)")
    said, err = watch(room, doorward, PYTHON, "-c", BIND, port, uid=uid, status=7)
    failure, = said["failures"]
    assert failure["question"]["attempt"] == "bind" and failure["question"]["reuseaddr"]
    assert (failure["question"]["address"], failure["question"]["port"]) == ("127.0.0.1", port)
    assert failure["kernel"]["errno"] == errno.EADDRINUSE == int(err.split()[0])
    cause = failure["causes"][0]
    assert cause["cause"] == "listener" and cause["certainty"] == "seen"
    holders = [h["pid"] for s in cause["sockets"] for h in s["holders"]]
    assert holders == ([room.pid] if uid is None else [])
    if uid is not None:
        assert "a process you may not inspect (uid 0)" in cause["because"]


def test_the_command_keeps_its_output_and_its_status(room, doorward):
    port = room("listen('127.0.0.1', 0)")
    status, out, err = room.doorward(doorward).run("why", "--", PYTHON, "-c", BIND, port)
    assert status == 7 and out == "98\n"
    assert f"pid {room.pid}" in err and "ended with 7; 1 call failed" in err
    status, out, err = room.doorward(doorward).run("why", "--", "sh", "-c", "kill -TERM $$")
    assert status == 128 + signal.SIGTERM and "signal 15" in err
    status, out, err = room.doorward(doorward).run("why", "--", "true")
    assert (status, out) == (0, "") and "none of its" in err
    status, out, err = room.doorward(doorward).run("why", "--", "/nonexistent/command")
    assert status == 3 and "no such file" in err


def test_children_and_threads_are_followed(room, doorward):
    port = room("listen('127.0.0.1', 0)")
    code = f"import sys, threading; t = threading.Thread(target=exec, args=({BIND!r},)); t.start(); t.join()"
    for command in (["sh", "-c", f'(exec "$0" -c "$1" {port}); :', PYTHON, BIND], [PYTHON, "-c", code, port]):
        said, _ = watch(room, doorward, *command)
        failure, = said["failures"]
        assert failure["kernel"]["errno"] == errno.EADDRINUSE


def test_the_second_listen_of_two_binds(room, doorward):
    port = room("keep(bind('127.0.0.1', 0, reuseaddr=1)).getsockname()[1]")
    code = BIND.replace("    s.listen()", "    print(0, flush=True); sys.stdin.readline(); s.listen()")
    process = subprocess.Popen([*room.doorward(doorward).prefix, doorward.path, "why", "--json", "--", PYTHON, "-c", code,
                                str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline() == "0\n"
    room("kept[-1].listen()")
    out, _ = process.communicate("\n", 60)
    failure, = json.loads(out)["failures"]
    assert failure["question"]["attempt"] == "listen" and failure["kernel"]["errno"] == errno.EADDRINUSE
    cause = failure["causes"][0]
    assert cause["cause"] == "second-listen" and cause["certainty"] == "seen"
    assert cause["sockets"][0]["holders"][0]["pid"] == room.pid


def test_a_socket_that_is_bound_twice(room, doorward):
    code = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.bind(('127.0.0.1', 0))"
    said, _ = watch(room, doorward, PYTHON, "-c", code, status=1)
    failure, = said["failures"]
    assert failure["kernel"]["errno"] == errno.EINVAL and failure["causes"][0]["cause"] == "bound-twice"


def test_no_descriptor_is_left(room, doorward):
    code = ("import os, resource, socket\nresource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))\n"
            "try:\n while 1: os.dup(0)\nexcept OSError: socket.socket()")
    said, _ = watch(room, doorward, PYTHON, "-c", code, status=1)
    failure = said["failures"][0]
    assert failure["kernel"]["errno"] == errno.EMFILE and failure["causes"][0]["cause"] == "descriptor-limit"


def test_a_connect_that_does_not_wait_is_told_by_so_error(room, doorward):
    code = ("import asyncio\nasync def dial():\n await asyncio.open_connection('127.0.0.1', 9)\nasyncio.run(dial())")
    said, _ = watch(room, doorward, PYTHON, "-c", code, status=1)
    failure, = said["failures"]
    assert failure["question"]["attempt"] == "connect" and failure["question"]["port"] == 9
    assert failure["kernel"]["errno"] == errno.ECONNREFUSED and failure["is_late"]


def test_who_tries_again_is_told_of_once(room, doorward):
    code = ("import socket\nfor i in range(20):\n try: socket.create_connection(('127.0.0.1', 9))\n except OSError: pass")
    said, _ = watch(room, doorward, PYTHON, "-c", code, status=0)
    assert len(said["failures"]) == 1 and said["n_failures"] == 20


def test_an_interrupt_is_passed_on(room, doorward):
    code = "import signal, sys; print('up', flush=True); signal.sigwait([signal.SIGTERM]); sys.exit(5)"
    code = code.replace("print", "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]); print")
    process = subprocess.Popen([doorward.path, "why", "--", PYTHON, "-c", code], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60)[1].count("ended with 5") == 1
    assert process.returncode == 5


def test_what_lives_on_is_let_go_unharmed(room, doorward):
    code = ("import os, socket, sys, time\nfirst = os.getpid()\nif os.fork(): os._exit(0)\n"
            "print(first, os.getpid(), flush=True)\nwhile 1: socket.socket().close(); time.sleep(0.01)")
    process = subprocess.Popen([doorward.path, "why", "--", PYTHON, "-c", code], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    first, left = map(int, process.stdout.readline().split())
    try:
        until(lambda: not os.path.exists(f"/proc/{first}"), "the end of the command")  # to whom a signal would go
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        assert "go on unwatched" in process.stderr.readline()
        assert process.wait(60) == 0
        with open(f"/proc/{left}/status", encoding="ascii") as status:
            fields = dict(line.split(":\t", 1) for line in status.read().splitlines() if ":\t" in line)
        assert fields["TracerPid"] == "0" and fields["State"][0] in "SR"
    finally:
        os.kill(left, signal.SIGKILL)
        process.communicate(timeout=60)


def test_the_rights_of_the_command_are_those_of_the_caller(room, doorward):
    """No right is lost, and none forbidden for good, by being watched."""
    words = ["grep", "-E", "^(CapEff|CapBnd|NoNewPrivs|SigIgn|SigBlk):", "/proc/self/status"]
    # a suite in the background ignores them, and what stops the program is not inherited
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGHUP)}
    try:
        plain = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        assert doorward.run("why", "--", *words)[1] == plain
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


FILTERED = """
import ctypes, errno, platform, socket, struct, sys
# seccomp(2): bind answers EPERM, all else is allowed
bind = {"x86_64": 49, "aarch64": 200}[platform.machine()]
code = b"".join(struct.pack("HBBI", *i) for i in [
    (0x20, 0, 0, 0), (0x15, 0, 1, bind), (0x06, 0, 0, 0x00050000 | errno.EPERM), (0x06, 0, 0, 0x7fff0000)])
held = ctypes.create_string_buffer(code)
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(held)))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
try:
    socket.socket().bind(("127.0.0.1", 8080))
except OSError as error:
    sys.exit(error.errno)
"""


def test_a_seccomp_filter(room, doorward):
    _, out, err = room.doorward(doorward).run("why", "--json", "--", "/usr/bin/python3", "-c", FILTERED)
    said = json.loads(out)
    assert said["exit_status"] == errno.EPERM, err
    failure, = said["failures"]
    assert (failure["kernel"]["errno"], failure["causes"][0]["cause"]) == (errno.EPERM, "seccomp")
    assert "SystemCallFilter=" in failure["causes"][0]["remedy"]
