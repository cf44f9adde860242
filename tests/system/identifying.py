# SPDX-License-Identifier: GPL-2.0-or-later
"""Identification asked through the program of the tests (tests/identify)."""

import json
import subprocess
import types

from conftest import program


def identify(*targets, options=(), limit=60, prefix=()):
    """Each of @targets (address, port, proto, hint, own) identified, in one call: by port."""
    words = [*prefix, program("IDENTIFY", "tests/identify/identify-targets"), *map(str, options)]
    for target in targets:
        address, port, proto, hint, own = (*target, *("tcp", "-", "own")[len(target) - 2:])
        words += [address, str(port), proto, hint, own]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=limit, check=True)
    assert not ran.stderr
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert lines[-1]["done"] == 0
    ports = [line["port"] for line in lines[:-1]]
    assert len(ports) == len(set(ports)) == len(targets), "each is told exactly once"
    return types.SimpleNamespace(by={line["port"]: types.SimpleNamespace(**line) for line in lines[:-1]},
                                 seconds=lines[-1]["seconds"])


def identify_one(*target, **how):
    return identify(target, **how).by[target[1]]
