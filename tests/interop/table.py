"""The table of calls in README.md: written by a run, and held against every run."""

import pathlib

README = pathlib.Path(__file__).with_name("README.md")
BEGIN, END = "<!-- calls -->\n", "<!-- end of calls -->"


def differences(report, clients):
    """What the table says otherwise than this run, for the clients that took part."""
    told = read()
    names = {name for column in told.values() for name in column} | set(report.table)
    found = []
    for client in clients:
        for operation in sorted(names):
            then = told.get(client, {}).get(operation, 0)
            now = report.table.get(operation, {}).get(client, 0)
            if then != now:
                found.append(f"README.md says {then} calls of {operation} by {client}, there were {now}")
    return found


def read():
    """The counts by client and operation."""
    lines = [line for line in middle().splitlines() if line.startswith("|")]
    if len(lines) < 3:
        return {}
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    head, rows = cells[0][1:], cells[2:]
    return {
        client: {row[0]: int(row[at + 1]) for row in rows if row[0] != "all" and row[at + 1]}
        for at, client in enumerate(head)
    }


def write(report, clients):
    """Puts the counts of this run into the page, if they are not there."""
    rows = [
        [operation, *(str(report.table[operation].get(client, "")) for client in clients)]
        for operation in sorted(report.table)
    ]
    sums = [str(sum(row.get(client, 0) for row in report.table.values())) for client in clients]
    lines = [["operation", *clients], ["---", *("---:" for _ in clients)], *rows, ["all", *sums]]
    table = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
    text = README.read_text(encoding="utf-8")
    before, after = text.index(BEGIN) + len(BEGIN), text.index(END)
    README.write_text(text[:before] + table + text[after:], encoding="utf-8")


def middle():
    text = README.read_text(encoding="utf-8")
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)]
