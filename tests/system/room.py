# SPDX-License-Identifier: GPL-2.0-or-later
"""A network namespace of its own with a Python inside, which does what a test says and says what the kernel said."""

import json
import os
import subprocess

INSIDE = r"""
import ctypes, errno, fcntl, json, os, select, signal, socket, struct, subprocess, sys, time
kept = []
def keep(thing):
    kept.append(thing)
    return thing
def ip(words):
    subprocess.run(["ip", *words.split()], check=True)
def bind(address, port, kind=socket.SOCK_STREAM, reuseaddr=0, reuseport=0, v6only=None, scope=0):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, kind)
    if reuseaddr: made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if reuseport: made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if v6only is not None: made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    try:
        made.bind((address, port, 0, scope) if family == socket.AF_INET6 else (address, port))
    except OSError:
        made.close()
        raise
    return made
def listen(address, port, backlog=16, **options):
    made = keep(bind(address, port, **options))
    made.listen(backlog)
    return made.getsockname()[1]
def error_of(call, *arguments, **options):
    # what the kernel says to it: 0 or an errno
    try:
        made = call(*arguments, **options)
    except OSError as error:
        return error.errno
    if hasattr(made, "close"): made.close()
    return 0
def bind_error(address, port, uid=None, **options):
    if uid is None:
        return error_of(bind, address, port, **options)
    return in_child(lambda: error_of(bind, address, port, **options), uid)
def in_child(call, uid=None):
    end, other = os.pipe()
    child = os.fork()
    if child == 0:
        if uid is not None:
            os.setgroups([]); os.setresgid(uid, uid, uid); os.setresuid(uid, uid, uid)
        os.write(other, str(call()).encode())
        os._exit(0)
    os.close(other)
    said = os.read(end, 64)
    os.close(end)
    os.waitpid(child, 0)
    return int(said)
def ports_of_the_lane():
    if "LANE_PORTS" in os.environ:
        with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file: file.write(os.environ["LANE_PORTS"])
print("[]", flush=True)
for line in sys.stdin:
    try:
        code = json.loads(line)
        result = {}
        try:
            result["value"] = eval(code, globals())
        except SyntaxError:
            exec(code, globals())
            result["value"] = None
    except BaseException as error:
        result = {"error": repr(error)}
    try:
        text = json.dumps(result)
    except TypeError:
        text = json.dumps({"value": None})
    print(text, flush=True)
"""


class Room:
    """room("listen('127.0.0.1', 0)") runs inside and returns the value; its namespace ends with it."""

    def __init__(self, prefix=("unshare", "--net", "--"), is_up=True):
        self._process = subprocess.Popen([*prefix, "/usr/bin/python3", "-c", INSIDE], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline().strip() == "[]"
        self.pid = self._process.pid
        if is_up:
            self("ip('link set lo up')")
            self("ports_of_the_lane()")

    def __call__(self, code):
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the room ended"
        result = json.loads(line)
        assert "error" not in result, f"{code}: {result['error']}"
        return result["value"]

    def doorward(self, doorward, uid=None):
        """The program run from within, as us or as a user."""
        words = ["nsenter", "-t", str(self.pid), "--net", "--"]
        if uid is not None:
            words += ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--inh-caps=-all",
                      "--bounding-set=-all", "--"]
        return type(doorward)([*doorward.prefix, *words])

    def close(self):
        if self._process.returncode is None:
            self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                os.kill(self.pid, 9)
                self._process.wait()
        self._process.stdout.close()
