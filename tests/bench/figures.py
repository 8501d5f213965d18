#!/usr/bin/env python3
"""Figures, side by side: the same work by two real daemons on loopback and by stock tools, in turn, in one run.

  python3 tests/bench/figures.py                 every row, five turns each (about half an hour)
  python3 tests/bench/figures.py csv single      some rows
  python3 tests/bench/figures.py --runs 3 --scale 0.1 --json csv

Machines differ and are noisy: the ratio of the medians is the figure, the seconds only say on what ground. Needed:
age, zstd, rsync, sqlite3, openssh-client, openssh-server, python3 (3.11), for `table-postgres` also postgresql; the
release programs are built first."""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import rows
import table_rows
from ground import ROOT, Ground
from table_ground import PostgresGround, TableGround

# Row: what does it, what it is, the unit. What is short comes first: for a minute after thousands of files were removed, some file
# systems (ext4 without a journal) look at each of them whenever a file is made.
ROWS = {
    "single": (rows.single, "one file of 4 KiB on an open connection", "s"),
    "urgent": (rows.urgent, "an urgent file of 4 KiB while 1 GB is in flight", "s"),
    "csv": (rows.csv, "1.1 GB of rows in one file, dropped until its receipt is verified", "s"),
    "random": (rows.noise, "1 GiB of noise in one file", "s"),
    "many": (rows.many, "10,000 files of 4 KiB in one flow", "s"),
    "memory": (rows.memory, "peak memory of each daemon, a bundle of 4 GB", "MiB"),
    "table-check": (table_rows.check, "1,000,000 rows of D1, checked on one core", "MB/s"),
    "table-sqlite": (table_rows.sqlite, "1,000,000 rows of D1 in one file, dropped, checked twice, imported, its receipt verified", "s"),
    "backfill": (table_rows.backfill, "a year of crossings, 3,600,000 rows of D4, in one file", "s"),
    "table-postgres": (table_rows.postgres, "1,000,000 rows of D1 into PostgreSQL", "s"),
}
GROUNDS = {
    "table-check": TableGround, "table-sqlite": TableGround, "backfill": TableGround, "table-postgres": PostgresGround,
}
# Ways that are no seconds of the same work: no ratio.
ASIDE = (" CPU", " MiB", ", index after")
TOOLS = ("age", "age-keygen", "zstd", "tar", "ssh", "scp", "ssh-keygen", "rsync", "bash", "sqlite3")


def build():
    """The release programs, from this tree."""
    command = ["cargo", "build", "--release", "--locked", "--quiet", "-p", "amanah", "-p", "amanahd"]
    subprocess.run(command, cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release"


def summary(turns):
    """Minimum, median, 99th percentile and maximum of each way, and the ratio of ours to every other."""
    facts = {}
    for way, values in turns.items():
        ordered = sorted(values)
        facts[way] = {
            "turns": len(ordered), "min": ordered[0], "median": statistics.median(ordered),
            "p99": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], "max": ordered[-1],
        }
    ours = facts.get("amanah")
    for way, fact in facts.items():
        if ours and way != "amanah" and not way.endswith(ASIDE):
            fact["ratio"] = ours["median"] / fact["median"]
    return facts


def show(name, facts):
    _, text, unit = ROWS[name]
    print(f"\n{name}: {text}")
    for way, fact in facts.items():
        ratio = f"   ours is {fact['ratio']:.2f} of it" if "ratio" in fact else ""
        print(
            f"  {way:19} median {fact['median']:9.3f} {unit}   min {fact['min']:9.3f}   p99 {fact['p99']:9.3f}"
            f"   max {fact['max']:9.3f}   turns {fact['turns']}{ratio}"
        )
    sys.stdout.flush()


def why_not(name, binaries):
    """What a row needs and this machine or program has not; nothing where it can be measured."""
    if GROUNDS.get(name) is not PostgresGround:
        return None
    if PostgresGround.url is None and not list(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return "there is no PostgreSQL (Debian: postgresql)"
    with tempfile.TemporaryDirectory() as folder:
        founded = ["init", "--party", "kemenhaj", "--name", "Contoh", "--contact", "contoh.test", "--home", folder]
        subprocess.run([pathlib.Path(binaries, "amanah"), *founded], capture_output=True, check=True)
        config = pathlib.Path(folder, "amanah.toml")
        with open(config, "a", encoding="utf-8") as out:
            out.write("\n[store.tables]\nkind = \"postgres\"\n")
        check = [pathlib.Path(binaries, "amanahd"), "check", "--config", config]
        said = subprocess.run(check, capture_output=True, text=True, check=False)
    if "expected" in said.stderr and "postgres" not in said.stderr:
        return 'these programs do not know kind = "postgres"'
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)} (default: all)")
    parser.add_argument("--runs", type=int, default=5, help="turns of each way (default 5)")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the work, 1.0 is what the table says")
    parser.add_argument("--json", action="store_true", help="print the facts as one JSON object")
    parser.add_argument("--binaries", help="folder with amanah and amanahd (default: built now)")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.rows if name not in ROWS]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise SystemExit(f"please install: {', '.join(missing)}")
    binaries = arguments.binaries or build()
    facts = {}
    for name in arguments.rows or ROWS:
        missing = why_not(name, binaries)
        if missing:
            print(f"{name}: left out, {missing}", file=sys.stderr)
            continue
        with GROUNDS.get(name, Ground)(binaries) as ground:
            facts[name] = summary(ROWS[name][0](ground, arguments.runs, arguments.scale))
        if not arguments.json:
            show(name, facts[name])
    if arguments.json:
        print(json.dumps({"format": "amanah-figures/1", "scale": arguments.scale, "rows": facts}, indent=2))


if __name__ == "__main__":
    main()
