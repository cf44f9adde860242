# SPDX-License-Identifier: GPL-2.0-or-later
"""What the terminal screen sends and leaves behind: on a bare pty, where every byte is seen."""

import base64
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import sys
import time

import pytest
from conftest import program
from screen import PATIENCE, Pty, children

LEAVES = b"\x1b[?1049l"
DARK, LIGHT = b"\x1b]11;rgb:1c1c/1c1c/1c1c\x1b\\\x1b[?62;c", b"\x1b]11;rgb:ffff/ffff/dddd\x07\x1b[?62;c"


@pytest.fixture
def top(tmp_path):
    running = []

    def start(*words, shows=b"PROTO", **how):
        running.append(Pty(tmp_path, [program("DOORWARD", "src/doorward"), "top", *words], **how))
        running[-1].wait(shows)
        return running[-1]

    yield start
    for one in running:
        one.close()


def is_sanitized():
    with open(program("DOORWARD", "src/doorward"), "rb") as file:
        return b"__asan_init" in file.read()


def child_of(screen):
    return children(screen.process.pid)[0]


def is_there(pid):
    """And no zombie. It may go while it is looked at."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(") ", 1)[1][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def gone(pid):
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if not is_there(pid):
            return True
        select.select([], [], [], 0.02)
    return False


# ---- whatever ends it ----

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("whom", ["guardian", "screen"])
def test_asked_to_end_it_leaves_the_terminal_as_it_was(top, number, whom):
    screen = top()
    assert not screen.is_as_before()
    os.kill(screen.process.pid if whom == "guardian" else child_of(screen), number)
    status, err = screen.end()
    assert (status, err) == (0, "")
    assert LEAVES in screen.got and screen.is_as_before()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_the_screen_dies_and_the_terminal_is_put_back(top, number):
    if number == signal.SIGSEGV and is_sanitized():
        pytest.skip("the sanitizer takes SIGSEGV and ends the screen with a status of its own")
    screen = top()
    os.kill(child_of(screen), number)
    status, err = screen.end()
    assert status == 3 and f"ended by signal {int(number)}" in err
    assert LEAVES in screen.got and b"\x1b[?25h" in screen.got and b"\x1b[?2004l" in screen.got
    assert screen.is_as_before()


def test_the_guardian_dies_and_the_screen_leaves(top):
    screen = top()
    child = child_of(screen)
    screen.process.kill()
    screen.wait(LEAVES)
    assert gone(child) and screen.is_as_before()


def test_the_terminal_goes_away(top):
    screen = top()
    child = child_of(screen)
    os.close(screen.theirs)
    screen.theirs = os.open("/dev/null", os.O_RDONLY)
    os.close(screen.ours)
    screen.ours = os.open("/dev/null", os.O_RDONLY)
    assert gone(child) and gone(screen.process.pid)


def test_q_ends_it_with_nothing_left_behind(top):
    screen = top()
    screen.write(b"q")
    status, err = screen.end()
    assert (status, err) == (0, "") and screen.is_as_before()
    assert screen.got.rstrip().endswith(b"\x1b[?1l\x1b>") or LEAVES in screen.got


@pytest.mark.needs("root", "program:ssh", "program:/usr/sbin/sshd")
@pytest.mark.parametrize("who", ["client", "session", "escape"])
def test_an_ssh_that_is_closed_leaves_nobody_behind(tmp_path, who):
    os.makedirs("/run/sshd", exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for key in ("host", "mine"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / key], check=True)
    (tmp_path / "config").write_text(f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host\nStrictModes no\n"
                                     f"AuthorizedKeysFile {tmp_path}/mine.pub\nUsePAM no\nPermitRootLogin yes\nPidFile none\n")
    with subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", tmp_path / "config"], stderr=subprocess.DEVNULL) as server:
        command = f"echo $$ >{tmp_path}/pid; TERM=xterm-256color LC_ALL=C.UTF-8 exec {program('DOORWARD', 'src/doorward')} top"
        screen = Pty(tmp_path, ["ssh", "-F", "none", "-tt", "-p", str(port), "-i", tmp_path / "mine", "-o", "ConnectionAttempts=9",
                                "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={tmp_path}/known", "127.0.0.1", command])
        try:
            screen.wait(b"PROTO")
            guardian = int((tmp_path / "pid").read_text())
            child = children(guardian)[0]
            if who == "client":
                screen.process.kill()
            elif who == "session":
                os.kill(children(server.pid)[0], signal.SIGKILL)
            else:
                screen.write(b"\r~.")
            assert gone(child) and gone(guardian)
        finally:
            screen.close()
            server.terminate()


JOB_CONTROL = """import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, setpgroup=0, setsigdef=[signal.SIGTTOU], setsigmask=[])
os.tcsetpgrp(0, pid)
while (status := os.waitpid(pid, os.WUNTRACED)[1]) and os.WIFSTOPPED(status) and os.WSTOPSIG(status) == signal.SIGTTOU:
    os.kill(-pid, signal.SIGCONT)  # it was faster, and had no terminal yet
assert os.WIFSTOPPED(status)
os.tcsetpgrp(0, os.getpgrp())
os.write(2, b"stopped")
signal.sigwait([signal.SIGUSR1])
os.tcsetpgrp(0, pid)
os.kill(-pid, signal.SIGCONT)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"""


def test_suspended_it_gives_the_terminal_back_and_comes_again(tmp_path):
    screen = Pty(tmp_path, [sys.executable, "-c", JOB_CONTROL, program("DOORWARD", "src/doorward"), "top"])
    screen.wait(b"PROTO")
    assert not screen.is_as_before()
    screen.write(b"\x1a")
    screen.wait(LEAVES)
    assert screen.process.stderr.read(7) == b"stopped" and screen.is_as_before()
    screen.got = b""
    screen.process.send_signal(signal.SIGUSR1)
    screen.wait(b"PROTO")
    assert not screen.is_as_before()
    screen.write(b"q")
    assert screen.process.wait(30) == 0 and screen.is_as_before()
    screen.end()
    screen.close()


@pytest.mark.parametrize("key,shows", [("?", b"the whole story"), ("/", b"Enter keep"), ("o", b"write to"), ("@", b"as of"),
                                       ("C", b"Space in or out"), ("w", b"Esc back")])
def test_whatever_lies_over_the_list_it_is_suspended_and_comes_again(tmp_path, key, shows):
    screen = Pty(tmp_path, [sys.executable, "-c", JOB_CONTROL, program("DOORWARD", "src/doorward"), "top", "--netns", "self"])
    with socket.create_server(("127.0.0.1", 0)):
        screen.wait(b"python")
        screen.write(key.encode())
        screen.wait(shows)
        screen.write(b"\x1a")
        screen.wait(LEAVES)
        assert screen.process.stderr.read(7) == b"stopped" and screen.is_as_before()
        screen.got = b""
        screen.process.send_signal(signal.SIGUSR1)
        screen.wait(shows)
        screen.write(b"\x1b")
        screen.read(0.2)
        screen.write(b"q")
        assert screen.process.wait(30) == 0 and screen.is_as_before()
    screen.end()
    screen.close()


def test_all_is_sent_anew_whatever_lies_over_the_list(top):
    screen = top()
    screen.write(b"?")
    screen.wait(b"the whole story")
    screen.got = b""
    screen.write(b"\x0c")
    screen.wait(b"the whole story")


def test_where_nobody_would_go_on_with_it_it_is_not_suspended(top):
    """By `ssh -t HOST doorward top` no shell is there to say `fg`: it would hang for good."""
    screen = top()
    screen.write(b"\x1a")
    screen.wait(LEAVES)
    screen.got = screen.got.split(LEAVES, 1)[1]  # it may be back already
    screen.wait(b"PROTO")
    screen.write(b"?")
    screen.wait(b"the whole story")
    screen.write(b"\x1bq")
    assert screen.end()[0] == 0


def test_a_script_that_started_it_is_suspended_with_it(tmp_path):
    """Else the shell behind the script waits for what stands still, and nobody has the terminal."""
    (tmp_path / "script").write_text(f"{program('DOORWARD', 'src/doorward')} top\necho it goes on\n")
    shell = Pty(tmp_path, ["bash", "--norc", "-i"])
    shell.write(f"bash {tmp_path}/script\n".encode())
    shell.wait(b"PROTO")
    shell.write(b"\x1a")
    shell.wait(LEAVES)
    shell.write(b"echo here: $((6*7))\n")
    shell.wait(b"here: 42")
    shell.got = b""
    shell.write(b"fg\n")
    shell.wait(b"PROTO")
    shell.write(b"q")
    shell.wait(b"it goes on")
    shell.write(b"exit\n")
    shell.process.wait(30)
    shell.close()


def test_suspended_it_ends_with_its_guardian_and_leaves_the_shell_its_terminal(tmp_path):
    """The script that started it lives on, so that the kernel takes the group for no orphan, and wakes nobody."""
    (tmp_path / "script").write_text(f"{program('DOORWARD', 'src/doorward')} top\necho it goes on\n")
    shell = Pty(tmp_path, ["bash", "--norc", "-i"])
    shell.write(f"bash {tmp_path}/script\n".encode())
    shell.wait(b"PROTO")
    guardian = children(children(shell.process.pid)[0])[0]
    child = children(guardian)[0]
    shell.write(b"\x1a")
    shell.wait(LEAVES)
    shell.write(b"echo here: $((6*7))\n")
    shell.wait(b"here: 42")
    shell.got = b""
    os.kill(guardian, signal.SIGKILL)
    assert gone(child)
    shell.write(b"echo there: $((7*6))\n")
    shell.wait(b"there: 42")
    assert LEAVES not in shell.got and b"\x1b[?2004l\x1b" not in shell.got
    shell.write(b"fg\n")
    shell.wait(b"it goes on")
    shell.write(b"exit\n")
    shell.process.wait(30)
    shell.close()


def is_writing(pid):
    """It waits in write(2) to its terminal, which proc_pid_syscall(5) shows its user too."""
    words = pathlib.Path(f"/proc/{pid}/syscall").read_text(encoding="ascii").split()
    return words[0] in ("1", "64") and words[1] == "0x1"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminal_that_takes_nothing_any_more_keeps_nobody(top, number):
    screen = top(columns=300, rows=100)
    child = child_of(screen)
    until = time.monotonic() + 30
    while not all(is_writing(child) for _ in range(100)) and time.monotonic() < until:
        screen.write(b"\x0c")  # all is sent anew, and not read here
        select.select([], [], [], 0.01)
    os.kill(screen.process.pid, number)
    assert screen.process.wait(20) == 3
    assert gone(child) and screen.is_as_before()
    screen.read(0.2)
    assert LEAVES in screen.got and b"\x1b[?2004l" in screen.got


# ---- what is sent ----

def test_only_what_has_changed_is_sent(top):
    screen = top("--interval", "200ms", "port = 1")
    screen.read(1)
    later = screen.read(2)
    assert b"\x1b[2J" not in later and b"\x1b[H\x1b[J" not in later
    assert len(later) < 2500, later  # a clock ticks, what is missing may be counted anew; the screen has 1,920 cells


def test_a_resize_draws_anew(top):
    screen = top()
    screen.got = b""
    screen.size(60, 10)
    os.kill(child_of(screen), signal.SIGWINCH)
    screen.wait(b"PROTO")


def test_a_light_terminal_gets_dark_letters(top):
    dark = top(answers={b"\x1b]11;?": DARK})
    assert b"\x1b]11;?" in dark.got
    dark.write(b"q")
    dark.end()
    light = top(answers={b"\x1b]11;?": LIGHT})
    light.write(b"q")
    light.end()
    colours = [set(re.findall(rb"[34]8;5;\d+", screen.got)) for screen in (dark, light)]
    assert colours[0] and colours[1] and colours[0] != colours[1]


def test_an_answer_that_comes_late_is_no_key(top):
    screen = top("port = 1")
    screen.write(LIGHT)  # it has a "b" of "rgb", a "q" it has not; and no dialogue may open
    screen.write(b"\x1b]11;rgb:cccc/bbbb/dddd\x1b\\")
    screen.read(1)
    assert b"blocked" not in screen.got and b"close tcp" not in screen.got and screen.process.poll() is None
    screen.write(b"?")
    screen.wait(b"whole story")


@pytest.mark.parametrize("parts", [
    [b"\x1b]11;rgb:1c1c/1c", b"1c/1c1c\x1b\\"],
    [b"\x1b]11;rgb:1c1c/1c1c/1c1c\x1b\\\x1b[?6", b"3;2c"],
    [b"\x1b[20", b"0~3", b"q\x1b[201~"],
    [b"\x1b[200~3q\x1b[20", b"1~"],
])
def test_what_comes_in_two_reads_is_no_key_either(top, parts):
    screen = top("port = 1")
    for part in parts:
        screen.write(part)
        screen.read(0.1)
    screen.read(0.4)
    assert b"doors a place" not in screen.got and b"REMOTE" not in screen.got and screen.process.poll() is None
    screen.write(b"?")  # and what is typed then is a key again
    screen.wait(b"whole story")


@pytest.mark.parametrize("rest", [b"[C", b"OC", b"[24~", b"[[C", b"[MC3C"])
def test_what_comes_late_behind_esc_is_no_key_of_its_own(top, rest):
    """By a slow link: `C` chooses columns, `3` is the map."""
    screen = top("port = 1")
    screen.write(b"\x1b")
    screen.read(0.1)
    screen.write(rest)
    screen.read(0.5)
    assert b"Space in or out" not in screen.got and b"doors a place" not in screen.got
    screen.write(b"?")
    screen.wait(b"whole story")


def test_how_long_the_rest_behind_esc_may_take_is_the_callers(top):
    screen = top(ESCDELAY="5000")
    screen.write(b"\x1b")
    screen.read(0.3)
    screen.write(b"OQ")
    screen.wait(b"Space in or out")  # F2, and no Esc


def test_a_sequence_whose_rest_never_comes_is_given_up(top):
    screen = top("port = 1")
    screen.write(b"\x1b]11;rgb:")
    screen.read(0.7)
    screen.write(b"?")
    screen.wait(b"whole story")


@pytest.mark.parametrize("typed", [b"?", DARK + b"?", b"?" + DARK])
def test_what_is_typed_while_the_terminal_is_asked_is_not_lost(top, typed):
    top(answers={b"\x1b]11;?": typed}, shows=b"whole story")


def test_what_is_pasted_chooses_no_columns(top, tmp_path):
    screen = top()
    screen.write(b"C")
    screen.wait(b"Space in or out")
    screen.write(b"\x1b[200~ s>\x1b[201~")
    screen.read(0.3)
    screen.write(b"\x1b")
    screen.write(b"q")
    assert screen.end() == (0, "")
    assert not (tmp_path / "doorward").exists()


def test_what_is_pasted_is_no_command(top):
    screen = top()
    screen.write(b"\x1b[200~qqcbq\n\x1b[201~")
    screen.write(b"?")
    screen.wait(b"whole story")
    assert screen.process.poll() is None


def test_the_mouse_chooses_a_tab(top):
    screen = top()
    screen.write(b"\x1b[<0;38;1M")
    screen.wait(b"doors a place")


def click(column, row):
    return f"\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m".encode()


def test_the_mouse_twice_on_a_row_tells_its_story(top):
    with socket.create_server(("127.0.0.1", 0)) as server:
        screen = top("--netns", "self", f"port = {server.getsockname()[1]}")
        screen.wait(b"python")  # the number stands in what is filtered before its row is there
        screen.write(click(10, 4) * 2)
        screen.wait(b"reached by")


def test_the_mouse_on_the_map_chooses_zooms_and_tells(top):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        screen = top("--tab", "map", "--netns", "self", shows=b"doors a place")
        across, down = map(int, re.search(rb"(\d+) x (\d+) doors", screen.got).groups())
        press = click(8 + (port & 255) // across, 4 + (port >> 8) // (2 * down))
        for _ in range(PATIENCE):  # once it has been looked at
            screen.write(press)
            screen.read(0.6)
            if b"reach loopback" in screen.got:
                break
        screen.read(0.6)  # no third of what came before
        for _ in range(2):
            screen.write(press)
            screen.read(0.1)
        screen.wait(b"one by one")
        screen.write(click(8 + port % 16, 4 + (port & 255) // 16) * 2)
        screen.wait(b"reached by")


def test_a_row_is_copied(top):
    with socket.create_server(("127.0.0.1", 0)) as server:  # a row that stays: what is gone is not copied
        screen = top(f"port = {server.getsockname()[1]}")
        screen.wait(b"python")
        screen.write(b"y")
        screen.wait(b"copied")
        copied = base64.b64decode(re.search(rb"\x1b\]52;c;([A-Za-z0-9+/=]+)\x1b\\", screen.got).group(1)).decode()
        assert copied.split("\t")[:3] == ["tcp", "127.0.0.1", str(server.getsockname()[1])]


@pytest.mark.parametrize("term,wanted", [("xterm", rb"\x1b\[[\d;]*3[0-7]m"), ("vt100", rb"PROTO"),
                                         ("xterm-256color", rb"38;5;")])
def test_terminals_of_few_and_many_colours(top, term, wanted):
    screen = top(TERM=term)
    screen.write(b"q")
    screen.end()
    assert re.search(wanted, screen.got)


def test_of_eight_colours_none_is_black_on_black(top):
    screen = top(TERM="xterm")
    screen.write(b"q")
    screen.end()
    assert not re.search(rb"\x1b\[(?:\d+;)*30m", screen.got)


SIXTEEN = r"""xterm-16color|xterm with 16 colours,
	colors#16, pairs#256, use=xterm-256color,
	setaf=\E[%?%p1%{8}%<%t%p1%{30}%+%e%p1%{82}%+%;%dm, setab=\E[%?%p1%{8}%<%t%p1%{40}%+%e%p1%{92}%+%;%dm,
"""


def test_a_terminal_of_16_gets_the_bright_ones(top, tmp_path):
    (tmp_path / "sixteen").write_text(SIXTEEN)
    subprocess.run(["tic", "-x", "-o", tmp_path / "terminfo", tmp_path / "sixteen"], check=True, capture_output=True)
    screen = top("--netns", "self", TERM="xterm-16color", TERMINFO_DIRS=f"{tmp_path}/terminfo:/lib/terminfo:/usr/share/terminfo")
    with socket.create_server(("127.0.0.1", 0)):
        screen.wait(b"\x1b[92m")  # what is new
    assert not re.search(rb"[34]8[:;][25][:;]", screen.got)


DIRECT = r"""xterm-direct|xterm with 24 bits of colour,
	RGB, colors#0x1000000, pairs#0x7FFF, use=xterm-256color,
	setaf=\E[%?%p1%{8}%<%t3%p1%d%e38:2::%p1%{65536}%/%d:%p1%{256}%/%{255}%&%d:%p1%{255}%&%d%;m,
	setab=\E[%?%p1%{8}%<%t4%p1%d%e48:2::%p1%{65536}%/%d:%p1%{256}%/%{255}%&%d:%p1%{255}%&%d%;m,
"""


def test_a_terminal_of_24_bits_gets_the_very_colours(top, tmp_path):
    (tmp_path / "direct").write_text(DIRECT)
    subprocess.run(["tic", "-x", "-o", tmp_path / "terminfo", tmp_path / "direct"], check=True, capture_output=True)
    screen = top(TERM="xterm-direct", TERMINFO_DIRS=f"{tmp_path}/terminfo:/lib/terminfo:/usr/share/terminfo")
    screen.write(b"q")
    screen.end()
    assert b"38:2::95:215:255m" in screen.got  # #5fd7ff of the titles
    assert not re.search(rb"38[:;]5[:;]", screen.got)


@pytest.mark.parametrize("term", ["xterm-256color", "xterm", "tmux-256color", "screen-256color"])
@pytest.mark.parametrize("says", ["truecolor", "24bit"])
def test_a_terminal_that_says_24_bits_gets_them_whatever_is_installed(top, term, says):
    screen = top(TERM=term, COLORTERM=says)
    assert b"38;2;95;215;255m" in screen.got and b"48;2;48;48;48m" in screen.got
    screen.write(b"\x1b[<0;38;1M" if term.startswith("xterm-") else b"3")  # its keys and its mouse are the same
    screen.wait(b"doors a place")
    screen.write(b"q")
    assert screen.end() == (0, "")
    assert not re.search(rb"[34]8[:;]5[:;]", screen.got) and screen.is_as_before()


@pytest.mark.parametrize("changes", [{"COLORTERM": "truecolor", "NO_COLOR": "1"}, {"COLORTERM": "truecolor", "TERM": "vt100"}])
def test_no_24_bits_where_there_are_no_colours(top, changes):
    screen = top(**changes)
    assert not re.search(rb"[34]8[:;][25][:;]", screen.got)


@pytest.mark.parametrize("term", ["no-such-terminal", "dumb", ""])
def test_a_terminal_that_nobody_knows_is_asked_nothing_and_refused(tmp_path, term):
    leaky = {"ASAN_OPTIONS": "detect_leaks=0"} if is_sanitized() else {}  # what ncurses keeps of one that it refuses
    screen = Pty(tmp_path, [program("DOORWARD", "src/doorward"), "top"], TERM=term, **leaky)
    screen.process.wait(30)
    status, err = screen.end()
    assert status == 3 and (term or "TERM is not set") in err and "set TERM" in err
    assert b"]11;" not in screen.got
    assert screen.is_as_before()
    screen.close()
