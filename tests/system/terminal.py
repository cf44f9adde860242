# SPDX-License-Identifier: GPL-2.0-or-later
"""The program as a person has it: on a terminal of a given size."""

import fcntl
import os
import pty
import struct
import subprocess
import termios


def on_terminal(doorward, *args, columns=80, rows=24, **environment):
    """(status, what the terminal got, standard error)."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    env = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", "PAGER": "cat", "XDG_CONFIG_HOME": "/nonexistent"}
    env.pop("NO_COLOR", None)
    env.update(environment)
    env = {name: value for name, value in env.items() if value is not None}
    with subprocess.Popen([doorward.path, *args], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=env) as ran:
        os.close(theirs)
        got = b""
        try:
            while part := os.read(ours, 65536):
                got += part
        except OSError:  # the last writer has closed it
            pass
        err = ran.stderr.read().decode()
    os.close(ours)
    return ran.returncode, got.replace(b"\r\n", b"\n"), err
