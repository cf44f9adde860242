# SPDX-License-Identifier: GPL-2.0-or-later
"""`make install` puts everything where Debian looks for it, and what it put there works."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import TREE, program

pytestmark = pytest.mark.alone  # it may build anew what the others run
BUILD = pathlib.Path(program("DOORWARD", "src/doorward")).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    if not os.access(BUILD, os.W_OK):
        pytest.skip(f"may not write to {BUILD}")
    place = tmp_path_factory.mktemp("installed")
    ran = subprocess.run(["make", "-C", TREE, "install", f"BUILD={BUILD}", f"DESTDIR={place}", "PREFIX=/usr/local"],
                         capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return place / "usr/local"


@pytest.mark.parametrize("path", [
    "bin/doorward", "share/man/man1/doorward.1", "share/man/man1/doorward-list.1",
    "share/bash-completion/completions/doorward", "share/zsh/site-functions/_doorward",
    "share/fish/vendor_completions.d/doorward.fish",
])
def test_it_is_in_its_place(installed, path):
    assert (installed / path).stat().st_size > 0


def test_a_module_is_where_the_program_looks_for_it(installed):
    found = list(installed.glob("lib*/**/doorward/nft.so"))
    if not (BUILD / "src/nft.so").exists():
        pytest.skip("built without libnftables-dev, or with the modules linked in")
    assert len(found) == 1
    directory = "/" + str(found[0].parent.relative_to(installed.parents[1]))
    assert directory.encode() + b"\0" in (installed / "bin/doorward").read_bytes()


def test_nothing_of_the_tests_is_installed(installed):
    assert [p.name for p in (installed / "bin").iterdir()] == ["doorward"]


def test_the_installed_program_runs(installed):
    ran = subprocess.run([installed / "bin/doorward", "version"], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("name", ["netstat", "fport", "mport"])
def test_a_link_to_it_is_that_command(installed, name, tmp_path):
    (tmp_path / name).symlink_to(installed / "bin/doorward")
    linked = subprocess.run([tmp_path / name, "--help"], capture_output=True, text=True, timeout=60)
    command = subprocess.run([installed / "bin/doorward", name, "--help"], capture_output=True, text=True, timeout=60)
    assert (linked.returncode, linked.stdout) == (0, command.stdout)


def test_the_recorder_is_a_service_with_few_rights(installed):
    unit = installed / "lib/systemd/system/doorward-record.service"
    text = unit.read_text()
    rights = [line for line in text.splitlines() if line.startswith(("AmbientCapabilities", "CapabilityBoundingSet"))]
    assert "ExecStart=/usr/local/bin/doorward record " in text
    assert len(rights) == 2 and not any("CAP_SYS_ADMIN" in line for line in rights)
    assert "u doorward " in (installed / "lib/sysusers.d/doorward.conf").read_text()
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs the program systemd-analyze")
    ran = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", unit], capture_output=True,
                         text=True, timeout=60)
    exposure = re.search(r"exposure level for \S+: ([0-9.]+)", ran.stdout)
    assert float(exposure[1]) <= 2.0
