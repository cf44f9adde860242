# SPDX-License-Identifier: GPL-2.0-or-later
"""What README, manual, help and completion say is so: their examples run, the files that they name are there."""

import fcntl
import os
import pathlib
import pty
import re
import shlex
import shutil
import signal
import struct
import subprocess
import termios

import pytest

from conftest import TREE, Doorward, program

PROGRAM = pathlib.Path(program("DOORWARD", "src/doorward")).resolve()
BUILD = PROGRAM.parents[1]
PAGES = sorted((BUILD / "man").glob("*.1"))
COMMANDS = [p.stem.removeprefix("doorward-") for p in PAGES if p.stem != "doorward"]
TEXTS = [TREE / "README.md", TREE / "HACKING.md", *sorted((TREE / "docs").glob("*.md"))]


def of_readme():
    blocks = re.findall(r"^```(?:sh|console)?\n(.*?)^```", (TREE / "README.md").read_text(), re.M | re.S)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line for line in lines if re.match(r"doorward( |$)", line)]


def of_page(page):
    found = re.search(r"^\.SH EXAMPLES\n\.nf\n(.*?)^\.fi", page.read_text(), re.M | re.S)
    return [re.sub(r"\\(.)", r"\1", line) for line in found[1].splitlines()] if found else []


EXAMPLES = sorted({*of_readme(), *(line for page in PAGES for line in of_page(page))})


def sh(line, **how):
    return subprocess.Popen(["sh", "-c", f"exec {line}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            stdin=subprocess.DEVNULL, errors="replace",
                            env={**os.environ, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}, **how)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A record of some moment of this host, for who asks what was."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    db = tmp_path_factory.mktemp("recorded") / "history.db"
    record_for_a_moment(f"doorward record --db {db}")
    return db


def record_for_a_moment(line):
    with sh(line) as run:
        said = []
        for said_line in run.stderr:
            said.append(said_line)
            if "recording into" in said_line:
                break
        run.send_signal(signal.SIGTERM)
        said.append(run.communicate(timeout=60)[1])
    assert run.returncode == 0, "".join(said)


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_runs_as_a_shell_takes_it(line, request, tmp_path):
    if re.match(r"doorward record(?!.*--status)", line):
        request.getfixturevalue("recorded")  # or skipped
        record_for_a_moment(re.sub(r" --db \S+", "", line) + f" --db {tmp_path}/history.db")
        return
    if re.match(r"doorward (record|history)( |$)|.* --at ", line):
        line = re.sub(r"^doorward \w+", rf"\g<0> --db {request.getfixturevalue('recorded')}", line)
    if re.match(r"doorward ((un)?blocks?|close|scan) ", line + " "):  # nobody else is touched or sent to
        if os.geteuid() != 0:
            pytest.skip("needs root")
        line = f"unshare --net {line}"
    if re.match("doorward watch.*--knocks", line) and os.geteuid() != 0:
        pytest.skip("needs root")
    if re.match("doorward top", line):  # a screen wants a terminal: it is looked at in test_top.py
        with sh(line) as run:
            assert "no terminal" in run.communicate(timeout=60)[1] and run.returncode == 3
        return
    with sh(line) as run:
        if re.search(r"netstat .* [0-9]+$|^doorward serve |^doorward watch(?!.*--for)", line):  # goes on until it is stopped
            assert run.stdout.readline() is not None
            run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=60)
    assert run.returncode in (0, 1), err


def test_there_are_examples_of_what_matters():
    text = "\n".join(EXAMPLES)
    for command in ("list", "show", "deliver", "explain", "netstat"):
        assert f"doorward {command}" in text
    assert "doorward" in EXAMPLES


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_one_text_however_asked(doorward, command):
    status, out, err = doorward.run("help", command)
    assert (status, err) == (0, "")
    assert out.startswith(f"usage: doorward {command} ")
    assert doorward.run(command, "--help") == (0, out, "")
    page, = [p for p in PAGES if p.stem == f"doorward-{command}"]
    for example in of_page(page):
        assert f"  {example}\n" in out


def test_the_overview_has_every_command(doorward):
    status, out, _ = doorward.run("help")
    assert status == 0
    assert re.findall(r"^  (\w+) ", out, re.M) == re.findall(r"^\.BR doorward\\-(\w+) \(1\)$",
                                                             (BUILD / "man/doorward.1").read_text(), re.M)
    assert sorted(COMMANDS) == sorted(re.findall(r"^  (\w+) ", out, re.M))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
@pytest.mark.needs("program:groff")
def test_a_page_is_set_without_a_warning(page):
    ran = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", page], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("command, one", [
    ("why", "it cannot be bound"), ("close", "not free"), ("free", "fewer are free"), ("list", "nothing matched"),
])
def test_the_page_says_what_its_exit_status_means(command, one):
    end = (BUILD / f"man/doorward-{command}.1").read_text().split(".SH EXIT STATUS\n")[1]
    assert one in end.splitlines()[0] and "; 1 " in end.splitlines()[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_pages_that_are_near_are_there(command):
    near = re.findall(r"^\.BR doorward\\-(\w+) \(1\)", (BUILD / f"man/doorward-{command}.1").read_text()
                      .split(".SH SEE ALSO\n")[1], re.M)
    assert set(near) <= set(COMMANDS) - {command} and (near or command == "version")


def test_the_page_of_fields_has_every_field(doorward):
    page = (BUILD / "man/doorward-fields.1").read_text()
    for field in doorward.json("fields")["fields"]:
        assert f".B {field['name']}\n" in page


@pytest.mark.parametrize("text", TEXTS, ids=lambda p: p.name)
def test_every_file_that_is_named_is_there(text):
    for name in re.findall(r"\b(?:src|docs|tests|tools|man|data|bench|completion)/[\w./*-]*\w", text.read_text()):
        if not re.search(r"[A-Z]{2}|\bX\b|/X\.", name):  # NAME, X.bpf.c: of a thing to come
            assert list(TREE.glob(name)) or (BUILD / name).exists(), f"{text.name} names {name}"
    for target in re.findall(r"(?:^ +|`)make ([a-z]+)", text.read_text(), re.M):
        assert re.search(rf"^{target}:", (TREE / "Makefile").read_text(), re.M), f"make {target}"


def test_the_table_of_folders_is_that_of_the_lint():
    layers = dict(re.findall(r"^(\w+): ?(.*)$", (TREE / "src/layers").read_text(), re.M))
    to_come = {"audit"}
    rows = re.findall(r"^\| `(\w+)/` \|.*\| ?([\w ]*?) ?\|$", (TREE / "docs/architecture.md").read_text(), re.M)
    assert {folder for folder, _ in rows} == set(layers) - to_come
    for folder, allowed in rows:
        if allowed != "all":
            assert set(allowed.split()) == set(layers[folder].split()) - to_come, folder


# ---- the session ----

def on_a_terminal(words, answer=b"", **environment):
    """What a person sees of @words, 110 columns wide; @answer is typed when one is asked for."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("4H", 24, 110, 0, 0))
    env = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm", "NO_COLOR": "1", "DOORWARD_PAGER": "cat", **environment}
    with subprocess.Popen(words, stdout=inner, stderr=subprocess.DEVNULL, stdin=inner, env=env):
        os.close(inner)
        seen = b""
        try:
            while piece := os.read(outer, 65536):
                seen += piece
                if answer and seen.endswith(b"] "):  # it asks
                    os.write(outer, answer)
        except OSError:  # EIO: nobody has the other end any more
            pass
    os.close(outer)
    return seen.decode().replace("\r\n", "\n")


def test_the_session_is_that_of_a_recording():
    """README's first block, as `make golden` writes it."""
    readme = TREE / "README.md"
    before, session, after = re.split(r"^```console\n(.*?)^```$", readme.read_text(), maxsplit=1, flags=re.M | re.S)
    recording = TREE / "tests/golden/host.json"
    lines = re.findall(r"^\$ doorward .*$", session, re.M)
    assert lines
    shown = "\n".join(f"{line}\n{on_a_terminal([PROGRAM, *shlex.split(line)[2:], '--read', recording])}" for line in lines)
    if os.environ.get("DOORWARD_GOLDEN") == "write":
        readme.write_text(f"{before}```console\n{shown}```{after}")
    else:
        assert session == shown


@pytest.mark.needs("root")
def test_the_delivery_is_that_of_a_scene(scene):
    """README's second block, as `make golden` writes it."""
    readme = TREE / "README.md"
    start, shown, rest = re.split(r"^```console\n(\$ doorward deliver .*?)^```$", readme.read_text(), maxsplit=1,
                                  flags=re.M | re.S)
    line = shown.splitlines()[0]
    made = scene("v6only-pair", own_netns=1, port=80, name="nginx")
    _, out, _ = Doorward().inside(made.pids[0], "net").run(*shlex.split(line)[2:], environment={"LC_ALL": "C.UTF-8"})
    out = f"{line}\n{re.sub(rf'{made.pids[0]}', '812', out)}"
    if os.environ.get("DOORWARD_GOLDEN") == "write":
        readme.write_text(f"{start}```console\n{out}```{rest}")
    else:
        assert shown == out

A_SERVER = """
ip link set lo up
echo 3309 > /proc/sys/kernel/ns_last_pid
cd /usr/share/empty 2>/dev/null || cd /
/usr/bin/python3 -m http.server 8080 >/dev/null 2>&1 &
until doorward list --netns self tcp listen >/dev/null; do :; done
disown -a
"""


def typed_at_a_shell(lines, answer):
    """The shell's own terminal, 110 columns wide, in a network and with process numbers of its own."""
    script = A_SERVER + "echo\n".join(f"echo {shlex.quote('$ ' + line)}\n{line}\n" for line in lines)
    path = f"{PROGRAM.parent}:{os.environ['PATH']}"
    seen = on_a_terminal(["unshare", "--net", "--pid", "--fork", "--mount-proc", "--kill-child", "bash", "-c", script],
                         answer=answer, PATH=path)
    return re.sub(r"python3\.[0-9]+", "python3.11", re.sub(r"since [0-9]+ s", "since 5 s", seen))


@pytest.mark.needs("root", "program:unshare")
def test_why_and_close_are_a_session_at_a_shell():
    """README's third block, as `make golden` writes it: a server, and a person who answers yes."""
    readme = TREE / "README.md"
    start, shown, rest = re.split(r"^```console\n(\$ doorward why .*?)^```$", readme.read_text(), maxsplit=1,
                                  flags=re.M | re.S)
    seen = typed_at_a_shell(re.findall(r"^\$ (doorward .*)$", shown, re.M), b"y\n")
    if os.environ.get("DOORWARD_GOLDEN") == "write":
        readme.write_text(f"{start}```console\n{seen}```{rest}")
    else:
        assert shown == seen


# ---- completion ----

def completed(line):
    """What bash offers for the last word of @line."""
    script = f"""
        source {BUILD}/completion/doorward
        compopt() {{ :; }}
        IFS=' ' read -ra COMP_WORDS <<< "$1"
        [[ $1 == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
        _doorward
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    ran = subprocess.run(["bash", "-c", script, "bash", line], capture_output=True, text=True, timeout=60,
                         env={**os.environ, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"})
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.split()


@pytest.mark.parametrize("line, offered", [
    ("doorward sh", ["show"]),
    ("doorward help expl", ["explain"]),
    ("doorward list --out", ["--output"]),
    ("doorward --conn", ["--connections"]),
    ("doorward list --output js", ["json", "jsonl"]),
    ("doorward list -o ta", ["table"]),
    ("doorward list --output = cs", ["csv"]),  # as readline splits --output=cs
    ("doorward list --source ", ["auto", "bpf", "proc"]),
    ("doorward list --fields port,held", ["port,held_by"]),
    ("doorward list --sort port,-recv", ["port,-recv_queue"]),
    ("doorward list --netns se", ["self"]),
    ("doorward list peer_po", ["peer_port"]),
    ("doorward scan --from str", ["stranger"]),
    ("doorward scan --from al", []),
    ("doorward free --netns se", ["self"]),
    ("doorward free --netns al", []),
    ("doorward list --netns al", ["all"]),
    ("doorward list state = LIS", ["LISTEN"]),
    ("doorward list held_by = ", ["process", "kernel", "nobody", "unseen"]),
    ("doorward list v6only = ", ["yes", "no"]),
    ("doorward watch event = refu", ["refused"]),
    ("doorward why --user roo", ["root"]),
    ("doorward watch errno_", ["errno_name", "errno_sure"]),
    ("doorward list errno_", []),
    ("doorward fport -", ["-p", "-i", "-a", "-ap", "--at", "--db", "--help"]),
])
def test_bash_offers(line, offered):
    assert completed(line) == offered


def test_bash_offers_the_ports_that_are_open_each_once(scene):
    made = scene("tcp-listener", workers=3)
    assert completed("doorward show ").count(str(made.port)) == 1


def test_bash_offers_the_processes():
    assert completed(f"doorward why --for-pid {os.getpid()}")[0] == str(os.getpid())


@pytest.mark.needs("root", "program:unshare")
def test_bash_offers_what_is_blocked_to_unblock():
    script = f"""
        doorward block --yes tcp/20001 >/dev/null 2>&1 || doorward block tcp/20001 >/dev/null
        source {BUILD}/completion/doorward
        COMP_WORDS=(doorward unblock ''); COMP_CWORD=2
        _doorward
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    ran = subprocess.run(["unshare", "--net", "bash", "-c", script], capture_output=True, text=True, timeout=60,
                         env={**os.environ, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"})
    assert ran.stdout.split() == ["tcp/20001"], ran.stderr


@pytest.mark.parametrize("shell, name", [("bash", "doorward"), ("zsh", "_doorward"), ("fish", "doorward.fish")])
def test_a_shell_can_read_its_completion(shell, name):
    if not shutil.which(shell):
        pytest.skip(f"needs the program {shell}")
    ran = subprocess.run([shell, "-n", BUILD / "completion" / name], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
