# SPDX-License-Identifier: GPL-2.0-or-later
"""A `doorward watch --json` that runs: its lines as they come, each wait with an end."""

import json
import os
import select
import signal
import subprocess
import time

LIMIT = 60  # seconds that anything is waited for: a busy machine is no failure


class Watch:
    """watch = Watch(doorward, "port = 80"); watch.until(event="opened"); its first line has come when this returns."""

    def __init__(self, doorward, *words, environment=None, is_started=True, stdout=subprocess.PIPE, first=("--json",)):
        env = {**os.environ, "NO_COLOR": "1", "XDG_CONFIG_HOME": "/nonexistent", **(environment or {})}
        self.process = subprocess.Popen([*doorward.prefix, doorward.path, "watch", *first, *map(str, words)],
                                        stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, env=env)
        self._rest = b""
        self.lines = []
        if is_started:
            line = self.line()
            assert line and line["event"] == "started", f"{line}: {self.errors()}"

    def errors(self):
        self.process.kill()
        return self.process.communicate()[1].decode(errors="replace")

    def text_line(self, limit=LIMIT):
        """The next line as text; None: it ended."""
        end = time.monotonic() + limit
        while b"\n" not in self._rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise TimeoutError(f"no line in {limit} s; so far {self.lines[-5:]}")
            more = os.read(self.process.stdout.fileno(), 1 << 16)
            if not more:
                return None
            self._rest += more
        line, self._rest = self._rest.split(b"\n", 1)
        return line.decode()

    def line(self, limit=LIMIT):
        text = self.text_line(limit)
        if text is None:
            return None
        self.lines.append(json.loads(text))
        return self.lines[-1]

    def until(self, limit=LIMIT, **facts):
        """The first line from here on that says this."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            line = self.line(limit)
            assert line is not None, f"it ended before {facts}: {self.errors()}"
            if all(line.get(key) == value for key, value in facts.items()):
                return line
        raise TimeoutError(f"nothing with {facts} in {limit} s")

    def end(self, number=signal.SIGINT):
        """Its status and standard error after this signal; what it still wrote is in lines."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self):
        out, err = self.process.communicate(timeout=LIMIT)
        for text in (self._rest + (out or b"")).split(b"\n"):
            if text.startswith(b"{"):
                self.lines.append(json.loads(text))
        self._rest = b""
        return self.process.returncode, err.decode(errors="replace")

    def close(self):
        if self.process.returncode is None:
            self.process.kill()
            self.process.communicate()
