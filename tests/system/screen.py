# SPDX-License-Identifier: GPL-2.0-or-later
"""`doorward top` as a person has it: in tmux, a real terminal whose cells can be asked for; and on a bare pty, where
the bytes themselves are looked at."""

import contextlib
import fcntl
import itertools
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import time
import unicodedata

from conftest import program

PATIENCE = 30  # seconds: for what never comes


def environment(tmp, **changes):
    env = {**os.environ, "LC_ALL": "C.UTF-8", "XDG_CONFIG_HOME": str(tmp), "HOME": str(tmp), "TMUX_TMPDIR": str(tmp)}
    for name in ("NO_COLOR", "COLORTERM", "COLORFGBG", "TMUX", "TERM"):
        env.pop(name, None)
    env.update({name: value for name, value in changes.items() if value is not None})
    return env


def width(line):
    """How many columns a terminal gives it."""
    return sum(0 if unicodedata.combining(point) else 2 if unicodedata.east_asian_width(point) in "WF" else 1 for point in line)


class Tmux:
    """One window of a tmux server of its own."""

    count = itertools.count()

    def __init__(self, tmp, words, columns=100, rows=24, **changes):
        self.tmp, self.env = tmp, environment(tmp, **changes)
        self.at = ["tmux", "-S", str(tmp / f"tmux{next(self.count)}"), "-f", "/dev/null"]
        line = " ".join(f"'{word}'" for word in words)
        self("new-session", "-d", "-x", str(columns), "-y", str(rows),
             f"sh -c \"{line} 2>'{tmp}/stderr'; echo ended with \\$? >'{tmp}/status'; exec cat\"")

    def __call__(self, *words):
        return subprocess.run([*self.at, *words], env=self.env, capture_output=True, text=True, check=True,
                              timeout=PATIENCE).stdout

    def shown(self, colours=False):
        return self("capture-pane", "-p", *(["-e"] if colours else []))

    def lines(self):
        return self.shown().split("\n")

    def keys(self, *keys):
        self("send-keys", *keys)

    def type(self, text):
        self("send-keys", "-l", text)

    def wait(self, wanted, colours=False):
        """The screen once it shows @wanted, a regular expression or what says so of it, and has come whole."""
        says = wanted if callable(wanted) else re.compile(wanted, re.M).search
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            shown = self.shown(colours)
            if says(shown):
                return self._whole(shown, says, colours)
            select.select([], [], [], 0.02)  # tmux tells nobody when a cell changes
        raise AssertionError(f"{wanted} is not shown:\n{self.shown(colours)}\n{(self.tmp / 'stderr').read_text()}")

    def _whole(self, shown, says, colours):
        """A screen comes in pieces: @shown, or a later one that is the same twice while @says says so."""
        for _ in range(10):
            earlier, shown = shown, self.shown(colours)
            if shown == earlier or not says(shown):
                return earlier
        return shown

    def resize(self, columns, rows):
        self("resize-window", "-x", str(columns), "-y", str(rows))

    def status(self):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if (self.tmp / "status").exists() and (self.tmp / "status").read_text().endswith("\n"):
                return int((self.tmp / "status").read_text().split()[-1])
            select.select([], [], [], 0.02)
        raise AssertionError("it has not ended:\n" + self.shown())

    def pids(self):
        """(the guardian, the screen itself)."""
        shell = int(self("display-message", "-p", "#{pane_pid}"))
        guardian = children(shell)[0]
        return guardian, children(guardian)[0]

    def end(self):
        subprocess.run([*self.at, "kill-server"], env=self.env, capture_output=True, check=False)


def children(pid):
    return [int(child) for child in
            open(f"/proc/{pid}/task/{pid}/children", encoding="ascii").read().split()]  # pylint: disable=consider-using-with


@contextlib.contextmanager
def screens(tmp_path, *first):
    """start(*words): a screen in tmux with the words @first before those, up when this returns; all end with the block."""
    running = []

    def start(*words, columns=100, rows=24, prefix=(), **changes):
        running.append(Tmux(tmp_path, [*prefix, program("DOORWARD", "src/doorward"), "top", *first, *words], columns, rows, **changes))
        running[-1].wait("Doors")
        return running[-1]

    yield start
    for screen in running:
        screen.end()


def listener(port=0, address="127.0.0.1"):
    made = socket.socket()
    made.bind((address, port))
    made.listen()
    return made, made.getsockname()[1]


class Pty:
    """The program on a pty, of which this is the terminal."""

    def __init__(self, tmp, words, columns=80, rows=24, answers=None, **changes):
        self.ours, theirs = pty.openpty()
        self.answers = answers or {}  # what this terminal says to a question
        self.size(columns, rows)
        self.before = termios.tcgetattr(theirs)
        self.theirs = theirs
        self.got = b""
        self.process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE,
                                        env=environment(tmp, TERM=changes.pop("TERM", "xterm-256color"), **changes),
                                        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def size(self, columns, rows):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        """What comes within @seconds; ends early where the other side is gone."""
        until, part = time.monotonic() + seconds, b""
        while (left := until - time.monotonic()) > 0 and select.select([self.ours], [], [], left)[0]:
            try:
                new = os.read(self.ours, 65536)
            except OSError:
                break
            part += new
            for question, answer in self.answers.items():
                if question in new:
                    os.write(self.ours, answer)
        self.got += part
        return part

    def wait(self, wanted):
        until = time.monotonic() + PATIENCE
        while wanted not in self.got and time.monotonic() < until:
            self.read(0.05)
        assert wanted in self.got, self.got[-2000:]

    def write(self, text):
        os.write(self.ours, text)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < until:
            self.read(0.05)
        self.read(0.05)
        err = self.process.stderr.read().decode()
        self.process.stderr.close()
        return self.process.wait(), err

    def is_as_before(self):
        return termios.tcgetattr(self.theirs) == self.before

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for fd in (self.ours, self.theirs):
            os.close(fd)
