# SPDX-License-Identifier: GPL-2.0-or-later
"""What `list` shows, in which form, and what it says where something is wrong."""

import csv
import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from terminal import on_terminal

HOST = str(pathlib.Path(__file__).resolve().parents[1] / "golden" / "host.json")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def ports(out):
    """The ports of a table with --fields port."""
    return [int(line.split()[-1]) for line in out.splitlines()[1:] if line.split()[-1].isdigit()]


def told(doorward, *args, **how):
    status, out, err = doorward.run(*args, **how)
    assert not out
    return status, err.splitlines()


# ---- what is shown ----

def test_no_command_is_list(doorward, scene):
    made = scene("tcp-listener")
    status, out, _ = doorward.run("--no-group", "--fields", "port")
    assert status == 0
    assert made.port in ports(out)


def test_a_port_alone_is_shown(doorward):
    status, out, _ = doorward.run("1")
    assert "1" in out and status in (0, 1)


def test_what_is_open_is_shown_and_connections_only_when_asked(doorward):
    def seen(*args):
        return json.loads(doorward.run("list", "--read", HOST, "--json", *args)[1])["sockets"]
    assert {s["state"] for s in seen()} == {"LISTEN", "UNCONN"}
    assert all(s["peer_address"] for s in seen("--connections"))
    assert "TIME_WAIT" in {s["state"] for s in seen("--connections")}
    assert {"BOUND", "LISTEN", "ESTABLISHED", "UNCONN", "TIME_WAIT"} == {s["state"] for s in seen("--all")}


@pytest.mark.parametrize("words, states", [
    (["state", "=", "established"], {"ESTABLISHED"}),
    (["state = time_wait"], {"TIME_WAIT"}),
    (["peer in 198.51.100.0/24"], {"ESTABLISHED", "TIME_WAIT"}),
    (["role", "=", "dialled"], {"ESTABLISHED"}),
    (["held_by", "=", "nobody"], {"TIME_WAIT"}),
    (["port = 80"], {"LISTEN"}),
], ids=lambda w: " ".join(w) if isinstance(w, list) else "-".join(sorted(w)))
def test_a_filter_that_names_the_state_chooses_from_all(doorward, words, states):
    out = doorward.run("list", "--read", HOST, "--json", *words)[1]
    assert {s["state"] for s in json.loads(out)["sockets"]} == states


def test_halves_and_workers_are_one_row(doorward):
    _, out, _ = doorward.run("list", "--read", HOST, "--fields", "local,process,pid", environment={"LC_ALL": "C.UTF-8"})
    row, = [line for line in out.splitlines() if "nginx" in line]
    assert row.split() == ["0.0.0.0:80", "[::]:80", "nginx", "×5", "812", "813", "814", "815", "816"]


def test_without_utf8_the_sign_of_times_is_a_letter(doorward):
    _, out, _ = doorward.run("list", "--read", HOST, environment={"LC_ALL": "C"})
    assert "nginx x5" in out and out.isascii()


def test_two_owners_are_marked_and_the_mark_is_explained(doorward):
    _, out, _ = doorward.run("list", "--read", HOST, "--fields", "port")
    lines = out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("! ") and len(line.split()) == 2] == ["8080", "8080"]
    assert lines[-1].startswith("! its number has another owner")
    assert "!" not in doorward.run("list", "--read", HOST, "port = 22")[1]


def test_unseen_and_kernel_are_told_from_nobody(doorward):
    _, out, _ = doorward.run("list", "--read", HOST, "--all", "--fields", "port,process")
    rows = {tuple(line.lstrip("! ").split()) for line in out.splitlines()}
    assert {("36379", "(unseen)"), ("4789", "(kernel)"), ("80",)} <= rows


# ---- order and columns ----

def test_sort_by_several_fields_and_downwards(doorward):
    def sorted_by(order):
        out = doorward.run("list", "--read", HOST, "--json", "--sort", order)[1]
        return [(s["proto"], s["local_port"]) for s in json.loads(out)["sockets"]]
    ascending = sorted_by("port")
    assert [p for _, p in ascending] == sorted(p for _, p in ascending)
    descending = sorted_by("-port")
    assert [p for _, p in descending] == sorted((p for _, p in ascending), reverse=True)
    both = sorted_by("-proto,port")
    assert both == sorted(both, key=lambda s: (-ord(s[0][0]), s[1]))


def test_fields_limit_columns_and_keys(doorward):
    _, out, _ = doorward.run("list", "--read", HOST, "--fields", "port,user,pid", "port = 5432")
    assert [line.split() for line in out.splitlines()] == [["PORT", "USER", "PID"], ["5432", "postgres", "900"]]
    _, out, _ = doorward.run("list", "--read", HOST, "--json", "--fields", "port,user,pid", "port = 5432")
    assert json.loads(out)["sockets"] == [{"local_port": 5432, "user": "postgres", "holders": [{"pid": 900}]}]


def test_a_field_named_twice_is_one_key(doorward):
    _, out, _ = doorward.run("list", "--read", HOST, "--json", "--fields", "local,port,address,port", "port = 22")
    assert out.count('"local_port"') == 2 and out.count('"local_address"') == 2  # two sockets


def test_csv_has_names_and_quotes_as_rfc_4180(doorward, tmp_path):
    saved = tmp_path / "saved.json"
    saved.write_text(pathlib.Path(HOST).read_text().replace('"cmdline":"python3 app.py"', '"cmdline":"a, \\"b\\" c"'))
    _, out, _ = doorward.run("list", "--read", saved, "--output", "csv", "--fields", "port,pid,cmdline")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert rows[0].keys() == {"port", "pid", "cmdline"}
    assert {r["pid"] for r in rows if "nginx" in r["cmdline"]} == {"812 813 814 815 816"}
    assert {r["cmdline"] for r in rows if r["pid"] == "3001"} == {'a, "b" c'}


def test_raw_is_tabs_without_titles(doorward):
    _, out, _ = doorward.run("list", "--read", HOST, "--output", "raw", "--fields", "proto,port", "port = 22")
    assert out == "tcp\t22\ntcp\t22\n"


# ---- what is wrong ----

def test_nothing_matched_is_one_and_still_json(doorward):
    status, out, _ = doorward.run("list", "--read", HOST, "--json", "port = 1")
    assert status == 1 and json.loads(out)["sockets"] == []


def test_an_unknown_command_names_the_nearest(doorward):
    assert told(doorward, "lsit") == (2, ["doorward: lsit is no command, no port and no name of a service",
                                          "  did you mean list?"])


@pytest.mark.parametrize("word, filter", [("port", "port = VALUE"), ("port=80", "port=80"),
                                          ("state = listen", "state = listen")])
def test_a_filter_without_its_command_is_told_where_it_stands(doorward, word, filter):
    status, lines = told(doorward, word)
    assert status == 2 and lines[1] == f"  a filter stands behind a command: doorward list '{filter}'"


def test_an_unknown_option_names_the_nearest(doorward):
    assert told(doorward, "list", "--filds", "port") == (2, ["doorward: list: there is no option --filds",
                                                             "  did you mean --fields?"])


@pytest.mark.parametrize("option", ["--fields", "--sort"])
def test_an_unknown_field_names_the_nearest(doorward, option):
    status, lines = told(doorward, "list", option, "port,proces")
    assert status == 2 and "proces" in lines[0] and "did you mean process?" in lines[1]


def test_an_unknown_word_of_an_option_names_the_nearest(doorward):
    status, lines = told(doorward, "list", "--output", "jsn")
    assert status == 2 and "did you mean json?" in lines[1]


def test_a_wrong_filter_has_a_caret_under_the_place(doorward):
    status, lines = told(doorward, "list", "port", "=", "80", "and", "stat", "=", "listen")
    assert status == 2
    place = [i for i, line in enumerate(lines) if line.strip() == "^"]
    assert place and lines[place[0] - 1][lines[place[0]].index("^"):].startswith("stat")
    assert "did you mean state?" in lines[-1]


def test_a_file_that_is_not_there(doorward):
    status, lines = told(doorward, "list", "--read", "/nonexistent/saved.json")
    assert status == 3 and "/nonexistent/saved.json" in lines[0] and "no such file" in lines[0]


@pytest.mark.parametrize("words", [[], ["--json"], ["--output", "jsonl"], ["--output", "csv"]], ids=lambda w: "".join(w))
def test_output_that_cannot_be_written_is_three(doorward, words):
    with open("/dev/full", "wb") as full:
        ran = subprocess.run([doorward.path, "list", "--read", HOST, *words], stdout=full, stderr=subprocess.PIPE,
                             check=False)
    assert ran.returncode == 3
    assert b"doorward: write the output: no space left\n" in ran.stderr


def test_a_reader_that_goes_is_quiet(doorward):
    ran = subprocess.run(["sh", "-c", f'"{doorward.path}" list --read "{HOST}" | true'], capture_output=True, check=False)
    assert b"write" not in ran.stderr


def interrupted(doorward, *words):
    """(status, output) of a listing that gets SIGINT as soon as it would not die of it."""
    with subprocess.Popen([doorward.path, "list", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as ran:
        caught = f"/proc/{ran.pid}/status"
        while ran.poll() is None:
            mask = re.search(r"SigCgt:\s*(\w+)", pathlib.Path(caught).read_text())
            if mask and int(mask[1], 16) & 1 << signal.SIGINT - 1:
                ran.send_signal(signal.SIGINT)
                break
        return ran.stdout.read(), ran.wait()


def test_a_listing_that_is_broken_off_is_marked(doorward, scene):
    scene("tcp-listener", workers=20)
    for _ in range(50):
        out, status = interrupted(doorward, "--json", "--all")
        assert status in (0, 3)
        seen = json.loads(out)
        if any(m["why"] == "interrupted" for m in seen["missing"]):
            assert status == 3 and seen["complete"] is False
            return
    pytest.fail("never fast enough to interrupt it")


# ---- terminal ----

@pytest.mark.parametrize("columns", [120, 80])
def test_a_table_fits_the_terminal(doorward, columns):
    _, got, _ = on_terminal(doorward, "list", "--read", HOST, columns=columns)
    lines = COLOUR.sub("", got.decode()).splitlines()
    assert max(map(len, lines[:-2])) <= columns


@pytest.mark.parametrize("columns", [200, 80, 40, 20])
def test_a_port_or_an_address_is_never_cut(doorward, columns):
    _, got, _ = on_terminal(doorward, "list", "--read", HOST, columns=columns)
    text = COLOUR.sub("", got.decode())
    for words in (["2001:db8:1234:5678:9abc:def0:1234:5678", "8443"], ["0.0.0.0", "::", "80"], ["127.0.0.1", "36379"]):
        assert re.search(r"\s+".join(map(re.escape, words)), text)


def test_what_is_cut_says_so(doorward):
    _, got, _ = on_terminal(doorward, "list", "--read", HOST, "--fields", "port,cmdline", columns=40)
    assert "…" in got.decode()
    _, got, _ = on_terminal(doorward, "list", "--read", HOST, "--fields", "port,cmdline", columns=40, LC_ALL="C")
    assert "~" in got.decode()


def test_nothing_is_cut_where_it_is_no_terminal(doorward):
    _, out, _ = doorward.run("list", "--read", HOST, environment={"COLUMNS": "40"})
    assert "systemd-networkd.service" in out and "…" not in out and "\x1b" not in out


def test_a_terminal_gets_totals(doorward):
    _, got, _ = on_terminal(doorward, "list", "--read", HOST)
    assert "13 services, 15 sockets of 15 processes in 2 network namespaces" in got.decode()


def test_colour_is_for_terminals_that_want_it(doorward):
    def has_colour(*args, **environment):
        return b"\x1b[" in on_terminal(doorward, "list", "--read", HOST, *args, **environment)[1]
    assert has_colour()
    assert not has_colour(NO_COLOR="1")
    assert not has_colour(TERM="dumb")
    assert not has_colour("--color", "never")
    assert has_colour("--color", "always", NO_COLOR="1")
    assert "\x1b[" in doorward.run("list", "--read", HOST, "--color=always")[1]


@pytest.mark.parametrize("form", ["table", "wide", "json", "jsonl", "csv", "raw"])
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_no_form_sends_a_terminal_what_it_obeys(doorward, tmp_path, form, locale):
    saved = tmp_path / "evil.json"
    evil = "a\x1b[31mb\x9bc\u202ed\u200be\nf\u00e9"
    text = pathlib.Path(HOST).read_text()
    saved.write_text(text.replace('"name":"sshd"', '"name":' + json.dumps(evil)))
    _, got, _ = on_terminal(doorward, "list", "--read", str(saved), "--output", form, "port = 22", NO_COLOR="1",
                            LC_ALL=locale, columns=250)
    assert b"31m" in got
    text = got.decode().replace("\t", " ") if form == "raw" else got.decode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200b]", text)
    if locale == "C" and form in ("table", "wide"):
        assert text.isascii()


# ---- pager ----

def pager(tmp_path, words):
    return {"DOORWARD_PAGER": f"tee {tmp_path}/paged {words}"}


def test_what_is_longer_than_the_screen_is_paged(doorward, tmp_path):
    status, got, _ = on_terminal(doorward, "list", "--read", HOST, rows=10, **pager(tmp_path, ""))
    assert status == 0 and (tmp_path / "paged").read_bytes() == got


@pytest.mark.parametrize("words, rows", [([], 50), (["--no-pager"], 10), (["--json"], 10)], ids=str)
def test_there_is_no_pager_where_none_is_wanted(doorward, tmp_path, words, rows):
    status, got, _ = on_terminal(doorward, "list", "--read", HOST, *words, rows=rows, **pager(tmp_path, ""))
    assert status == 0 and got and not (tmp_path / "paged").exists()


def test_a_pager_that_is_left_early_is_no_failure(doorward):
    status, _, err = on_terminal(doorward, "list", "--read", HOST, rows=10, DOORWARD_PAGER="true")
    assert status == 0 and "write" not in err


def test_a_pager_that_cannot_be_started_is_told(doorward):
    status, _, err = on_terminal(doorward, "list", "--read", HOST, rows=10, DOORWARD_PAGER="/nonexistent/pager 2>&-")
    assert status == 3 and "doorward: the pager could not be started" in err


def test_without_less_nothing_is_lost(doorward, tmp_path, monkeypatch):
    monkeypatch.delenv("DOORWARD_PAGER", raising=False)
    status, got, _ = on_terminal(doorward, "list", "--read", HOST, rows=10, PATH=str(tmp_path), PAGER=None)
    assert status == 0 and b"nginx" in got


# ---- default options ----

@pytest.fixture
def options(doorward, tmp_path):
    """options(text): the program's listing with this file of default options."""
    def run(text, *args):
        (tmp_path / "doorward").mkdir(exist_ok=True)
        (tmp_path / "doorward" / "options").write_text(text)
        return doorward.run("list", "--read", HOST, *args, environment={"XDG_CONFIG_HOME": str(tmp_path)})
    return run


def test_default_options_come_from_a_file(options):
    text = "# mine\n\nlist --fields port   # columns\n--sort '-port'\nshow --nonsense\n"
    status, out, _ = options(text, "proto = tcp")
    assert status == 0 and ports(out) == sorted(ports(out), reverse=True) != []


def test_the_command_line_wins_over_the_file(options):
    assert options("list --fields pid\n", "--fields", "port")[1].split()[0] == "PORT"


@pytest.mark.parametrize("line, why", [("list --feilds port", "there is no option --feilds"),
                                       ("list --sort 'port", "a quote is not closed"),
                                       ("lsit --json", "lsit is no command"),
                                       ("list port = 80", "port is no option")])
def test_a_mistake_in_the_file_is_told_with_its_line(options, line, why):
    status, out, err = options(f"# first\n{line}\n")
    assert status == 2 and not out
    assert f"/doorward/options:2: {why}" in err


@pytest.mark.needs("root", "program:setcap", "program:setpriv")
def test_the_programs_rights_do_not_read_files_for_its_caller(doorward, tmp_path):
    program = tmp_path / "doorward-with-rights"
    shutil.copy(doorward.path, program)
    if subprocess.run(["setcap", "cap_dac_read_search,cap_sys_ptrace+ep", program], check=False).returncode:
        pytest.skip("no file capabilities here")
    secret = tmp_path / "secret"
    secret.write_text("--s3cret\n")
    secret.chmod(0o600)
    (tmp_path / "doorward").mkdir()
    (tmp_path / "doorward" / "options").symlink_to(secret)
    for parent in [tmp_path, *tmp_path.parents][:3]:
        parent.chmod(parent.stat().st_mode | 0o011)
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

    def run(*args):
        return subprocess.run([*as_nobody, program, *args], capture_output=True, text=True, check=False,
                              env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path)})
    ran = run("list", "port = 1")
    assert ran.returncode == 1 and "s3cret" not in ran.stderr
    ran = run("list", "--read", str(secret))
    assert ran.returncode == 3 and "permission denied" in ran.stderr and "s3cret" not in ran.stderr


# ---- other names, other commands ----

@pytest.mark.parametrize("name", ["netstat", "fport", "mport"])
def test_a_link_of_that_name_is_that_command(doorward, tmp_path, name):
    (tmp_path / name).symlink_to(doorward.path)
    def first_lines(*words):
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()[:3]
    assert first_lines(tmp_path / name, "--help") == first_lines(doorward.path, name, "--help")


def test_fields_lists_what_list_shows(doorward):
    status, out, _ = doorward.run("fields", "--json")
    fields = {f["name"]: f for f in json.loads(out)["fields"]}
    assert status == 0 and fields["process_user"]["json"] == "user" and fields["process_user"]["of"] == "holder"
    _, out, _ = doorward.run("fields")
    assert {line.split()[0] for line in out.splitlines()[1:]} == set(fields)
    assert {"LISTEN", "TIME_WAIT", "BOUND"} <= set(fields["state"]["words"]) and fields["port"]["words"] is None
    _, got, _ = on_terminal(doorward, "fields", columns=80)
    assert max(map(len, got.decode().splitlines())) <= 80
    _, out, _ = doorward.run("list", "--read", HOST, "--json", "--all")
    keys = {k for s in json.loads(out)["sockets"] for k in s} - {"holders"}
    assert keys <= {f["json"] for f in fields.values() if f["of"] == "socket"}


def test_version_says_what_works_and_why_not(doorward):
    status, out, _ = doorward.run("version", "--json")
    said = json.loads(out)
    assert status == 0 and said["facilities"]
    assert all(f["works"] or f["reason"] for f in said["facilities"])
    assert doorward.run("--version")[1] == f"doorward {said['version']}\n"


def test_help_is_made_for_every_command(doorward):
    _, out, _ = doorward.run("help")
    commands = re.findall(r"^  (\w+) ", out, re.M)
    assert {"list", "show", "deliver", "explain", "netstat", "fields", "version"} <= set(commands)
    for command in commands:
        assert doorward.run("help", command)[1] == doorward.run(command, "--help")[1] != ""
    assert told(doorward, "help", "lsit")[0] == 2
