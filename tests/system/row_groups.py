# SPDX-License-Identifier: GPL-2.0-or-later
"""The intervals of a history's file, read as docs/history.md draws them: nothing of the program's own is used."""

COLUMNS = ["closed", "length", "flags", "port", "peer_port", "peer_high", "peer_low", "place", "process", "exe", "crew", "closer",
           "fd", "cookie", "inode", "sent", "received", "error"]
OF_THE_ONE_BEFORE = {"closed", "cookie", "inode"}
VARIABLE = 9


def varint(data, at):
    number, shift = 0, 0
    while True:
        number |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return number, at
        shift += 7


def signed(number):
    return number >> 1 if number % 2 == 0 else -(number + 1 >> 1)


def column(data, at, n):
    """Its values, and where the next one begins."""
    width = data[at]
    least, at = varint(data, at + 1)
    values = []
    if width == VARIABLE:
        size, at = varint(data, at)
        end = at + size
        for _ in range(n):
            above, at = varint(data, at)
            values.append(least + above)
        assert at == end
        return values, at
    for i in range(n):
        values.append(least + int.from_bytes(data[at + i * width:at + (i + 1) * width], "little"))
    return values, at + n * width


def group(data, base):
    """The rows of one, as dictionaries; times are uptimes."""
    n, at = varint(data, 0)
    columns = {}
    for name in COLUMNS:
        values, at = column(data, at, n)
        if name in OF_THE_ONE_BEFORE:
            before = base if name == "closed" else 0
            for i, step in enumerate(values):
                before += signed(step)
                values[i] = before
        columns[name] = values
    assert at == len(data)
    return [dict(zip(columns, row)) for row in zip(*columns.values())]


def intervals(database, segment=None):
    """Those that have ended, of one segment or of all, in the order of the file."""
    found = []
    for number, base in database.execute("SELECT id, base FROM segment ORDER BY id").fetchall():
        if segment not in (None, number):
            continue
        rows = 1
        for first, closed, opened, data in database.execute(f"SELECT id, closed, opened, rows FROM interval_{number} ORDER BY id"):
            of_group = group(data, base)
            assert first == rows
            assert base + closed == max(row["closed"] for row in of_group)
            assert base + opened == min(row["closed"] - row["length"] for row in of_group)
            rows += len(of_group)
            found += of_group
        assert rows - 1 == database.execute("SELECT n FROM segment WHERE id = ?", (number,)).fetchone()[0]
    return found
