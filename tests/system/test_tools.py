# SPDX-License-Identifier: GPL-2.0-or-later
"""What tools/ does to a host that it builds on: what is missing is named, and no service is started by being installed."""

import os
import subprocess

import pytest

from conftest import TREE

DEPS = TREE / "tools/deps"
APT = "#!/bin/sh\necho \"apt-get $*\" >>{log}; cat /usr/sbin/policy-rc.d >>{log} 2>/dev/null; exit {status}\n"


@pytest.fixture
def words(tmp_path):
    """A PATH of commands that say what they were asked: nothing is installed but libmnl-dev."""
    def make(**programs):
        place = tmp_path / "bin"
        place.mkdir()
        programs = {"dpkg-query": 'for p; do :; done; [ "$p" = libmnl-dev ] && echo installed', **programs}
        for name, text in programs.items():
            path = place / name
            path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
            path.chmod(0o755)
        return place
    return make


def test_without_sudo_it_says_what_to_install(words):
    place = words(id="echo 1000")
    ran = subprocess.run(["/bin/sh", DEPS, "build"], env={"PATH": str(place)}, capture_output=True, text=True, timeout=60)
    line, = ran.stderr.splitlines()
    assert ran.returncode == 1 and ran.stdout == ""
    assert "as root: apt-get install --no-install-recommends gcc " in line
    assert "libjansson-dev" in line and "libmnl-dev" not in line and "pytest" not in line


def deps_with_policy(words, tmp_path, had, status=0):
    """What apt-get saw of /usr/sbin/policy-rc.d, and what is there afterwards; /usr/sbin is one of this test's own."""
    sbin, log = tmp_path / "sbin", tmp_path / "log"
    sbin.mkdir()
    if had is not None:
        (sbin / "policy-rc.d").write_text(had)
    place = words(**{"apt-get": APT.format(log=log, status=status)})
    subprocess.run(["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /usr/sbin && exec /bin/sh "$1" build', sbin, DEPS],
                   env={**os.environ, "PATH": f"{place}:/usr/bin:/bin"}, capture_output=True, timeout=60)
    left = sbin / "policy-rc.d"
    return log.read_text(), left.read_text() if left.exists() else None


@pytest.mark.needs("root", "program:unshare")
@pytest.mark.parametrize("status", [0, 100])
def test_while_it_installs_no_service_is_started(words, tmp_path, status):
    seen, left = deps_with_policy(words, tmp_path, None, status)
    assert "exit 101" in seen
    assert left is None


@pytest.mark.needs("root", "program:unshare")
def test_a_policy_that_was_there_is_kept(words, tmp_path):
    own = "#!/bin/sh\nexit 104\n"
    seen, left = deps_with_policy(words, tmp_path, own)
    assert "exit 104" in seen and "exit 101" not in seen
    assert left == own


@pytest.mark.needs("root", "program:unshare")
def test_one_of_ours_that_was_left_is_taken_away(words, tmp_path):
    _, left = deps_with_policy(words, tmp_path, "#!/bin/sh\n# of doorward, while tools/deps installs\nexit 101\n")
    assert left is None
