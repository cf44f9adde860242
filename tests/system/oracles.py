# SPDX-License-Identifier: GPL-2.0-or-later
"""Others who know the answer: psutil, ss, /proc/net, /proc. They share no code with the program."""

import os
import pathlib
import re
import socket
import struct
import subprocess

import psutil

STATES = {1: "ESTABLISHED", 2: "SYN_SENT", 3: "SYN_RECV", 4: "FIN_WAIT1", 5: "FIN_WAIT2", 6: "TIME_WAIT",
          7: "CLOSE", 8: "CLOSE_WAIT", 9: "LAST_ACK", 10: "LISTEN", 11: "CLOSING", 12: "SYN_RECV"}

SS_STATES = {"ESTAB": "ESTABLISHED", "SYN-SENT": "SYN_SENT", "SYN-RECV": "SYN_RECV", "FIN-WAIT-1": "FIN_WAIT1",
             "FIN-WAIT-2": "FIN_WAIT2", "TIME-WAIT": "TIME_WAIT", "CLOSE-WAIT": "CLOSE_WAIT", "LAST-ACK": "LAST_ACK",
             "CLOSING": "CLOSING", "LISTEN": "LISTEN", "UNCONN": "UNCONN"}


def apart(ours, theirs):
    """What only one of two sets has, so that a failure shows that and not all of both."""
    return ours - theirs, theirs - ours


# ---- psutil ----

def pids_by_psutil(port):
    """Every process with a socket on that local port, in any namespace that psutil looks into."""
    found = set()
    for process in psutil.process_iter():
        try:
            if any(c.laddr and c.laddr.port == port for c in process.connections("inet")):
                found.add(process.pid)
        except psutil.Error:
            continue
    return found


# ---- /proc ----

def holders_by_proc(inode):
    """{(pid, fd)} of a socket, threads with a table of their own included."""
    found = set()
    for link in pathlib.Path("/proc").glob("[0-9]*/task/*/fd/*"):
        try:
            if os.readlink(link) == f"socket:[{inode}]":
                found.add((int(link.parts[2]), int(link.name)))
        except OSError:
            continue
    return found


def pids_by_proc(inode):
    return {pid for pid, _ in holders_by_proc(inode)}


def start_time(pid):
    """When it was started, in Unix seconds: field 22 of stat and the boot time."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    boot = int(re.search(r"^btime (\d+)", pathlib.Path("/proc/stat").read_text(), re.M)[1])
    return boot + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def netns_of(pid):
    return os.stat(f"/proc/{pid}/ns/net").st_ino


# ---- /proc/net ----

def _address(text):
    words = bytes.fromhex(text)
    native = b"".join(struct.pack(">I", *struct.unpack("=I", words[i:i + 4])) for i in range(0, len(words), 4))
    return socket.inet_ntop(socket.AF_INET if len(native) == 4 else socket.AF_INET6, native)


def proc_net(proto, pid="self"):
    """The rows of /proc/PID/net/PROTO and PROTO6: [{family, local, peer, state, inode, uid}]."""
    rows = []
    for family, name in (("ipv4", proto), ("ipv6", proto + "6")):
        try:
            lines = pathlib.Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]
        except FileNotFoundError:
            continue
        for line in lines:
            fields = line.split()
            ends = []
            for field in fields[1:3]:
                address, port = field.split(":")
                ends.append((_address(address), int(port, 16)))
            rows.append({"family": family, "local": ends[0], "peer": ends[1], "state": STATES[int(fields[3], 16)],
                         "uid": int(fields[7]), "inode": int(fields[9])})
    return rows


def proc_net_inodes(proto, pid="self"):
    return {row["inode"] for row in proc_net(proto, pid) if row["inode"]}


# ---- ss ----

_SS_USER = re.compile(r'pid=(\d+),fd=(\d+)')


def ss(*options, pid=None):
    """The sockets that ss shows, of our namespace or of that of @pid:
    [{state, local, peer, holders {(pid, fd)}, inode, cookie, uid, v6only}]."""
    enter = ["nsenter", "-t", str(pid), "-n", "--"] if pid else []
    out = subprocess.run([*enter, "ss", "-H", "-n", "-a", "-e", "-p", "-O", *options], capture_output=True,
                         check=True, timeout=120).stdout.decode(errors="surrogateescape")
    return [_ss_row(line) for line in out.splitlines() if line.split()]


def _ss_end(text):
    address, _, port = text.rpartition(":")
    address = address.strip("[]").partition("%")[0]
    return address, (0 if port == "*" else int(port))


def _ss_row(line):
    words = line.split()
    # The first column is missing when only one kind is asked for.
    start = next(i for i, word in enumerate(words) if word in SS_STATES)
    facts = " ".join(words[start + 5:])
    number = lambda pattern, base=10: (int(m[1], base) if (m := re.search(pattern, facts)) else 0)
    return {"state": SS_STATES[words[start]], "queues": (int(words[start + 1]), int(words[start + 2])),
            "local": _ss_end(words[start + 3]), "peer": _ss_end(words[start + 4]),
            "holders": {(int(p), int(f)) for p, f in _SS_USER.findall(facts)},
            "inode": number(r"\bino:(\d+)"), "cookie": number(r"\bsk:([0-9a-f]+)", 16),
            "uid": number(r"\buid:(\d+)"), "v6only": {"0": False, "1": True}.get(
                (re.search(r"\bv6only:(\d)", facts) or [None, None])[1])}
