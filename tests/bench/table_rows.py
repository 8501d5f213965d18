"""The rows of the table that are about tables: checked by both sides, and imported into a database together with the record of
it, against the database's own shell that reads the same file and checks nothing."""

import json
import os
import resource
import subprocess
import sys
import time

from ground import calm, run, shell, touched, wait_until
from rows import drop
from table_ground import DATASETS, TURNS_MAX, flow_of

# What `--scale 1` means.
ROWS_D1 = 1_000_000
ROWS_D4 = 3_600_000
# What ours or a shell takes of memory for each row: files, tables, logs.
TURN_BYTES = 2_000
# Between two looks for the end of ours: looking all the time would take a thirtieth of two cores from it, and nothing from the shells.
PAUSE_SECS = 0.02
# The seconds beyond the receipt until a new table has its index.
AFTER = "amanah, index after"
SCHEMA_D1 = DATASETS / "d1-manifes-umrah.schema.json"


def practised(ground, dataset, rows):
    """A table as `amanah drill data` makes it; its path."""
    place = ground.folder / dataset
    if not place.exists():
        run(ground.program("amanah"), "drill", "data", "--dataset", dataset, "--rows", rows, "--out", place)
    return next(place.glob("*.csv"))


def delivered(ground, source, flow, rows):
    """Drops it and waits until its receipt is verified; the seconds, those after it until the table has its index, and the
    daemons' processor time with it."""
    outbox = ground.sender.home / "outbox" / ground.receiver.party / flow
    staged = outbox / f".{source.name}"
    staged.write_bytes(b"")
    with open(source, "rb") as given, open(staged, "wb") as out:
        while piece := given.read(1 << 20):
            out.write(piece)
    sides = (ground.sender, ground.receiver)
    touched(TURN_BYTES * rows)
    ground.calm()
    before = sum(side.cpu_seconds() for side in sides)
    seconds = drop(ground, flow, staged, source.name, PAUSE_SECS)
    # The receipt waits for no index of a new table; what is timed next does, or it would run beside our work.
    begun = time.monotonic()
    wait_until(f"the index of {flow}", lambda: ground.has_index(flow), 0.01)
    after = time.monotonic() - begun
    spent = sum(side.cpu_seconds() for side in sides) - before
    found = ground.rows_in(flow)
    if found != rows:
        raise SystemExit(f"{flow}: {found} rows have landed of {rows}")
    for side, way in ((ground.sender, "sent"), (ground.receiver, "received")):
        for bundle in (side.home / "spool" / "archive" / way).rglob("*.amanah"):
            bundle.unlink()
    return seconds, after, spent


def children_seconds(act, rows=0):
    """The seconds of an act on so many rows, and the processor time of the programs that it ran."""
    def spent():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    touched(TURN_BYTES * rows)
    calm()
    before = spent()
    seconds = act()
    return seconds, spent() - before


def imported_by_shell(ground, source, table, turn, indexed):
    """`sqlite3 .import` into a new file: as it makes the table itself, or with our key, index and durability. Each turn's file stays,
    as our tables do: one that is removed would leave the next the memory that it had."""
    target = ground.folder / f"shell-{turn}-{'key' if indexed else 'bare'}.sqlite"
    words = ""
    if indexed:
        with open(source, encoding="utf-8") as file:
            columns = file.readline().strip().split(",")
        made = ", ".join(f"{column} TEXT" for column in columns)
        words = (
            " -cmd 'PRAGMA journal_mode=WAL' -cmd 'PRAGMA synchronous=FULL'"
            f" -cmd 'CREATE TABLE {table} ({made})' -cmd 'CREATE INDEX kunci ON {table} ({columns[0]})'"
        )
    skip = "--skip 1 " if indexed else ""
    return shell(f"sqlite3 {target}{words} -cmd '.mode csv' '.import {skip}{source} {table}' > /dev/null")


def sqlite(ground, runs, scale):
    """D1 into SQLite, beside `sqlite3 .import` of the same file."""
    return against_shell(ground, "manifes-umrah", "D1", max(200, int(ROWS_D1 * scale)), runs)


def backfill(ground, runs, scale):
    """A year of crossings (D4) in one file; the peak memory of each daemon beside the seconds."""
    ground.restart()
    turns = against_shell(ground, "perlintasan", "D4", max(200, int(ROWS_D4 * scale)), max(1, runs // 5))
    turns["sender MiB"] = [ground.sender.peak_mebibytes()]
    turns["receiver MiB"] = [ground.receiver.peak_mebibytes()]
    return turns


def against_shell(ground, name, dataset, rows, runs):
    source = practised(ground, dataset, rows)
    turns = {way: [] for way in ("amanah", "sqlite3", "sqlite3 WAL, index", AFTER, "amanah CPU", "sqlite3 CPU")}
    for turn in range(min(runs, TURNS_MAX)):
        bare = children_seconds(lambda: imported_by_shell(ground, source, name.replace("-", "_"), turn, False), rows)
        alike = children_seconds(lambda: imported_by_shell(ground, source, name.replace("-", "_"), turn, True), rows)
        ours = delivered(ground, source, flow_of(name, turn), rows)
        turns["sqlite3"].append(bare[0])
        turns["sqlite3 CPU"].append(bare[1])
        turns["sqlite3 WAL, index"].append(alike[0])
        turns["amanah"].append(ours[0])
        turns[AFTER].append(ours[1])
        turns["amanah CPU"].append(ours[2])
    return turns


def postgres(ground, runs, scale):
    """D1 into PostgreSQL, beside `psql \\copy` of the same file, into a bare table and into one that has our key."""
    rows = max(200, int(ROWS_D1 * scale))
    source = practised(ground, "D1", rows)
    with open(source, encoding="utf-8") as file:
        columns = file.readline().strip().split(",")
    made = ", ".join(f"{column} text" for column in columns)
    turns = {way: [] for way in ("amanah", "psql", "psql, key", AFTER, "amanah CPU")}
    for turn in range(min(runs, TURNS_MAX)):
        for way, key in (("psql", ""), ("psql, key", f", PRIMARY KEY ({columns[0]})")):
            # Each turn has its own, as ours has: one that is dropped would leave the next the memory and the blocks that it had.
            table = f"oleh_psql_{turn}_{'key' if key else 'bare'}"
            run("psql", ground.url, "-qc", f"CREATE TABLE {table} ({made}{key})")
            copy = f"\\copy {table} FROM '{source}' WITH (FORMAT csv, HEADER)"
            touched(TURN_BYTES * rows)
            ground.calm()
            turns[way].append(shell(f"psql {ground.url} -qc \"{copy}\""))
        ours = delivered(ground, source, flow_of("manifes-umrah", turn), rows)
        turns["amanah"].append(ours[0])
        turns[AFTER].append(ours[1])
        turns["amanah CPU"].append(ours[2])
    return turns


def check(ground, runs, scale):
    """`amanah check-table` on D1, on one core, in megabytes a second: by the clock, and by the processor time that it took."""
    rows = max(200, int(ROWS_D1 * scale))
    source = practised(ground, "D1", rows)
    megabytes = source.stat().st_size / 1e6
    core = min(os.sched_getaffinity(0))
    command = [ground.program("amanah"), "check-table", SCHEMA_D1, source, "--json"]

    def checked():
        begun = time.monotonic()
        done = subprocess.run(
            command, capture_output=True, check=False, preexec_fn=lambda: os.sched_setaffinity(0, {core})
        )
        seconds = time.monotonic() - begun
        if done.returncode or json.loads(done.stdout)["rows"] != rows:
            sys.exit(f"the check went wrong: {done.stdout.decode()} {done.stderr.decode()}")
        return seconds

    turns = {"by clock": [], "by CPU": []}
    for _ in range(runs):
        seconds, spent = children_seconds(checked)
        turns["by clock"].append(megabytes / seconds)
        turns["by CPU"].append(megabytes / max(spent, 1e-6))
    return turns
