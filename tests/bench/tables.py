"""How fast a table is checked, on one core, and in how much memory: `amanah check-table` on made-up rows of manifes-umrah.

python3 tests/bench/tables.py --binaries target/release [--megabytes 400] [--runs 3] [--json]
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

FIELDS = [
    ("nomor_registrasi", "string", {"required": True, "pattern": "^[A-Z0-9-]{6,24}$"}),
    ("izin_penyelenggara", "string", {"required": True, "maxLength": 64}),
    ("nama_penyelenggara", "string", {"required": True, "maxLength": 120}),
    ("kode_rombongan", "string", {"required": True, "maxLength": 32}),
    ("nama_paspor", "string", {"required": True, "pattern": "^[A-Z' .-]{1,64}$"}),
    ("nomor_paspor", "string", {"required": True, "pattern": "^[A-Z]\\d{7}$"}),
    ("kewarganegaraan", "string", {"required": True, "pattern": "^[A-Z]{3}$"}),
    ("tanggal_lahir", "date", {"required": True, "minimum": "1900-01-01"}),
    ("jenis_kelamin", "string", {"required": True, "enum": ["L", "P"]}),
    ("nik", "string", {"pattern": "^\\d{16}$"}),
    ("jenis_visa", "string", {"required": True, "enum": ["UMRAH", "TURIS", "ZIARAH", "KERJA", "LAIN"]}),
    ("nomor_penerbangan", "string", {"required": True, "pattern": "^[A-Z0-9]{2}\\d{1,4}[A-Z]?$"}),
    ("bandara_berangkat", "string", {"required": True, "pattern": "^[A-Z]{3}$"}),
    ("tanggal_berangkat", "date", {"required": True}),
    ("rencana_tanggal_pulang", "date", {"required": True}),
    ("status_rekam", "string", {"required": True, "enum": ["TERDAFTAR", "BATAL", "BERANGKAT", "PULANG"]}),
]
RULE = {"left": "rencana_tanggal_pulang", "is": ">=", "right": "tanggal_berangkat"}
SCHEMA = {
    "fields": [{"name": name, "type": kind, "constraints": bounds} for name, kind, bounds in FIELDS],
    "primaryKey": ["nomor_registrasi"],
    "uniqueKeys": [["nomor_paspor", "tanggal_berangkat"]],
    "amanah": {"rules": [{"name": "pulang-sesudah-berangkat", "compare": RULE}]},
}


def write(path, megabytes):
    """Rows until the file is so long."""
    with open(path, "w", encoding="ascii", buffering=1 << 20) as file:
        file.write(",".join(name for name, _, _ in FIELDS) + "\n")
        number = 0
        while file.tell() < megabytes * 1_000_000:
            file.writelines(
                f"REG-{n:012},OSS:00201051{n % 100_000:05}:0004,PT CONTOH PERJALANAN {n % 2_600},ROM-{n // 40:07},"
                f"CONTOH NAMA JEMAAH {'ABCDEFGHIJ'[n % 10]},Z{n % 10_000_000:07},IDN,19{n % 90 + 10}-{n % 12 + 1:02}-{n % 28 + 1:02},"
                f"{'LP'[n % 2]},99{n % 100_000_000_000_000:014},UMRAH,GA{n % 9_000 + 1},CGK,"
                f"2030-{n % 12 + 1:02}-{n // 10_000_000 % 28 + 1:02},2031-01-05,TERDAFTAR\n"
                for n in range(number, number + 10_000)
            )
            number += 10_000
    return number


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binaries", type=pathlib.Path, required=True)
    parser.add_argument("--megabytes", type=int, default=400)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    core = min(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        schema, table = pathlib.Path(folder, "schema.json"), pathlib.Path(folder, "table.csv")
        schema.write_text(json.dumps(SCHEMA))
        rows = write(table, wanted.megabytes)
        command = [wanted.binaries.resolve() / "amanah", "check-table", schema, table, "--json"]
        seconds = []
        for _ in range(wanted.runs):
            begun = time.monotonic()
            done = subprocess.run(
                command, capture_output=True, check=False, preexec_fn=lambda: os.sched_setaffinity(0, {core})
            )
            seconds.append(time.monotonic() - begun)
            said = json.loads(done.stdout)
            if done.returncode or said["rows"] != rows:
                sys.exit(f"the check went wrong: {done.stdout.decode()} {done.stderr.decode()}")
        size = table.stat().st_size
    median = statistics.median(seconds)
    facts = {
        "megabytes": size / 1e6,
        "rows": rows,
        "seconds": median,
        "megabytes_per_second": size / 1e6 / median,
        "peak_mebibytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }
    if wanted.json:
        print(json.dumps(facts))
    else:
        print("\n".join(f"{name:22} {value:,.1f}" for name, value in facts.items()))


if __name__ == "__main__":
    main()
