# SPDX-License-Identifier: GPL-2.0-or-later
"""A program of the kind sk_lookup, in its instructions: packets to one port go to another socket."""

import contextlib
import ctypes
import os
import struct

SYS_BPF, SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 321, 434, 438
if os.uname().machine == "aarch64":
    SYS_BPF = 280
MAP_CREATE, MAP_UPDATE, PROG_LOAD, LINK_CREATE = 0, 2, 5, 28
SOCKMAP, SK_LOOKUP, ATTACH_SK_LOOKUP = 15, 30, 36
LOOKUP_ELEM, SK_RELEASE, SK_ASSIGN = 1, 86, 124

_libc = ctypes.CDLL(None, use_errno=True)


def _call(number, *args):
    got = _libc.syscall(number, *args)
    if got < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return got


def _bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes.ljust(128, b"\0"), 128)
    return _call(SYS_BPF, command, buffer, 128)


def pidfd_getfd(pid, fd):
    """A copy of descriptor @fd of process @pid."""
    pidfd = _call(SYS_PIDFD_OPEN, pid, 0)
    try:
        return _call(SYS_PIDFD_GETFD, pidfd, fd, 0)
    finally:
        os.close(pidfd)


def _program(port, sockets):
    """if (ctx->local_port == port) { sk = lookup(sockets, 0); if (sk) { assign(ctx, sk, 0); release(sk); } } pass"""
    def op(code, target=0, source=0, offset=0, value=0):
        return struct.pack("=BBhi", code, source << 4 | target, offset, value)
    return b"".join([
        op(0xbf, 6, 1), op(0x61, 2, 6, 60), op(0x55, 2, 0, 13, port),
        op(0x62, 10, 0, -4, 0), op(0xbf, 2, 10), op(0x07, 2, 0, 0, -4),
        op(0x18, 1, 1, 0, sockets), op(0), op(0x85, value=LOOKUP_ELEM), op(0x15, 0, 0, 6),
        op(0xbf, 7, 0), op(0xbf, 1, 6), op(0xbf, 2, 7), op(0xb7, 3), op(0x85, value=SK_ASSIGN),
        op(0x05, offset=2), op(0xb7, 0, 0, 0, 1), op(0x95), op(0xbf, 1, 7), op(0x85, value=SK_RELEASE),
        op(0x05, offset=-5)])


@contextlib.contextmanager
def steering(port, socket_fd):
    """While it lasts, what comes to @port in our network namespace goes to the socket."""
    held = []
    try:
        held.append(_bpf(MAP_CREATE, struct.pack("=IIII", SOCKMAP, 4, 8, 1)))
        sockets = held[0]
        key, value = ctypes.create_string_buffer(4), ctypes.create_string_buffer(struct.pack("=Q", socket_fd), 8)
        _bpf(MAP_UPDATE, struct.pack("=IIQQQ", sockets, 0, ctypes.addressof(key), ctypes.addressof(value), 0))
        os.close(socket_fd)  # so that its holders are who they were
        code = ctypes.create_string_buffer(_program(port, sockets))
        licence = ctypes.create_string_buffer(b"GPL")
        attributes = struct.pack("=IIQQ", SK_LOOKUP, (len(code) - 1) // 8, ctypes.addressof(code),
                                 ctypes.addressof(licence))
        held.append(_bpf(PROG_LOAD, attributes.ljust(68, b"\0") + struct.pack("=I", ATTACH_SK_LOOKUP)))
        held.append(os.open("/proc/self/ns/net", os.O_RDONLY))
        held.append(_bpf(LINK_CREATE, struct.pack("=III", held[1], held[2], ATTACH_SK_LOOKUP)))
        yield
    finally:
        for fd in reversed(held):
            os.close(fd)
