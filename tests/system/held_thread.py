# SPDX-License-Identifier: GPL-2.0-or-later
"""One thread of a program, held by ptrace in the middle of what it does, while the others run on: what must not wait for
it is seen not to, without a clock.

    with held_thread(pid, "doorward-look", in_reading=True):
        ...     # it has begun to read, and does not go on
"""

import contextlib
import ctypes
import os
import pathlib
import select
import time

import pytest

LIMIT = 30
# what is read of a host, and of a file: x86-64's numbers, then those of the others (asm-generic)
READING = {"read": (0, 63), "pread64": (17, 67), "recvfrom": (45, 207), "recvmsg": (47, 212), "openat": (257, 56)}
NUMBERS = {numbers[0 if os.uname().machine == "x86_64" else 1] for numbers in READING.values()}

SYSCALL, DETACH, SEIZE, INTERRUPT, SYSCALL_INFO = 24, 17, 0x4206, 0x4207, 0x420e
TRACE_SYSCALL_GOOD = 1
STOPPED_IN_SYSCALL = 5 | 0x80  # SIGTRAP, and that bit
ENTRY = 1  # of struct ptrace_syscall_info: the kind at 0, the number at 24
ALL_CHILDREN = 0x40000000  # __WALL

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long


def ptrace(what, thread, address=0, data=0):
    done = LIBC.ptrace(what, thread, address, data)
    if done < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {what:#x}")
    return done


def thread_named(pid, name):
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            if (task / "comm").read_text(encoding="ascii").strip() == name:
                return int(task.name)
        select.select([], [], [], 0.02)
    raise AssertionError(f"{pid} has no thread {name}")


def wait_for_stop(thread):
    """What it stopped with; a thread of another's child is waited for without end, so it is asked again and again."""
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        found, status = os.waitpid(thread, ALL_CHILDREN | os.WNOHANG)
        if found == thread:
            assert os.WIFSTOPPED(status), "it ended"
            return os.WSTOPSIG(status), status >> 16
        select.select([], [], [], 0.002)
    raise AssertionError("it does nothing")


def syscall_entered(thread):
    """Which system call it is about to make; None: it comes back from one."""
    info = ctypes.create_string_buffer(88)
    ptrace(SYSCALL_INFO, thread, ctypes.sizeof(info), ctypes.addressof(info))
    return int.from_bytes(info.raw[24:32], "little") if info.raw[0] == ENTRY else None


def run_until_it_reads(thread):
    """From a stop on, to where it is about to."""
    signal = 0
    while True:
        ptrace(SYSCALL, thread, 0, signal)
        stopped, event = wait_for_stop(thread)
        if stopped == STOPPED_IN_SYSCALL and syscall_entered(thread) in NUMBERS:
            return
        signal = 0 if stopped == STOPPED_IN_SYSCALL or event else stopped


def let_go(thread):
    try:
        ptrace(DETACH, thread)
    except ProcessLookupError:  # it runs
        ptrace(INTERRUPT, thread)
        wait_for_stop(thread)
        ptrace(DETACH, thread)


@contextlib.contextmanager
def held_thread(pid, name, in_reading=False, after=lambda: None):
    """Held where it is, which must be where it waits for work; or where it reads, to which @after may make it come."""
    thread = thread_named(pid, name)
    try:
        ptrace(SEIZE, thread, 0, TRACE_SYSCALL_GOOD)
    except PermissionError:
        pytest.skip("nobody may be traced here")
    try:
        ptrace(INTERRUPT, thread)
        wait_for_stop(thread)
        after()
        if in_reading:
            run_until_it_reads(thread)
        yield thread
    finally:
        let_go(thread)
