"""The ground of the figures of tables: two ministries as in `ground`, whose flows carry the ministries' own datasets D1 and D4
into a database at the recipient. Each turn has a flow of its own, so that each begins with an empty table."""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tarfile
import time

from ground import ROOT, Ground, calm, free_port, run, wait_until

DATASETS = ROOT / "docs" / "datasets"
# Flows of each dataset, and so turns that are possible.
TURNS_MAX = 20
DAY_SECS = 86_400


class TableGround(Ground):
    """With a database of this kind at the recipient."""

    kind = "sqlite"

    def _configure(self):
        config = self.receiver.home / "amanah.toml"
        with open(config, "a", encoding="utf-8") as out:
            out.write("\n[store.tables]\n" + "".join(f'{name} = "{value}"\n' for name, value in self.store().items()))

    def store(self):
        """The lines of `[store.tables]`."""
        return {"kind": self.kind}

    def _draft(self):
        """The example agreement, with flows for every turn, all from the sender to the recipient."""
        text = json.loads((DATASETS / "perjanjian.json").read_text(encoding="utf-8"))
        now = time.time()
        text["effective"], text["ends"] = (
            time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(now + days * DAY_SECS)) for days in (-1, 300)
        )
        for party in text["parties"]:
            party["card"] = _digest_of_card(self.folder / f"{party['id']}.card.amanah")
        by_name = {flow["name"]: flow for flow in text["flows"]}
        text["flows"] = [
            by_name[name] | {
                "name": flow_of(name, turn), "from": self.sender.party, "to": self.receiver.party, "rhythm": None,
                "bytes_max": 10**12, "records_max": 10**9,
            }
            for name in ("manifes-umrah", "perlintasan") for turn in range(TURNS_MAX)
        ]
        for schema in DATASETS.glob("*.schema.json"):
            shutil.copy(schema, self.folder)
        draft = self.folder / "perjanjian.json"
        draft.write_text(json.dumps(text), encoding="utf-8")
        self.sender.amanah("agreement", "draft", "--file", draft)
        return text["id"]

    def calm(self):
        """Before what is timed."""
        calm()

    def database(self):
        """The recipient's."""
        return self.receiver.home / "store" / "tables.sqlite"

    def rows_in(self, flow):
        """How many rows of a flow have landed, as the database counts them."""
        count = f'SELECT count(*) FROM "{flow.replace("-", "_")}"'
        return int(run("sqlite3", "-readonly", self.database(), count))

    def has_index(self, flow):
        """Whether the table of a flow has its indexes."""
        count = f"SELECT count(*) FROM pragma_index_list('{flow.replace('-', '_')}')"
        return run("sqlite3", "-readonly", self.database(), count).strip() != "0"


class PostgresGround(TableGround):
    """With a server of its own, or the one at `AMANAH_BENCH_POSTGRES` (a URL of a database with an empty schema `amanah`)."""

    kind = "postgres"
    url = os.environ.get("AMANAH_BENCH_POSTGRES")
    server = None

    def store(self):
        if self.url is None:
            self._start_server()
        return {"kind": self.kind, "url": self.url}

    def _start_server(self):
        """A server on a socket and a port of loopback, as another user where we are root, as the server demands."""
        place = pathlib.Path(self.folder, "postgres")
        place.mkdir(mode=0o700)
        words = []
        if os.geteuid() == 0:
            shutil.chown(place, "postgres", "postgres")
            # The server's user passes through to its folder.
            self.folder.chmod(0o711)
            words = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        port = free_port()
        run(*words, programs / "initdb", "-D", place / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        # Tables of earlier turns are still there, and their vacuum would run beside what is timed.
        options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": place, "autovacuum": "off"}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self.server = subprocess.Popen(
            [*words, programs / "postgres", "-D", place / "data", *settings],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        self.url = f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable"
        ready = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        wait_until("PostgreSQL", lambda: subprocess.run(ready, check=False).returncode == 0, 0.05)
        run("psql", self.url, "-qc", "CREATE SCHEMA amanah")

    def __exit__(self, *rest):
        for ministry in (self.sender, self.receiver):
            ministry.stop()
        if self.server is not None:
            # A fast end: the one that SIGTERM asks for waits for whoever is connected, and writes into the folder meanwhile.
            self.server.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.server.wait(20)
        super().__exit__(*rest)

    def calm(self):
        """The server has written what it holds: no checkpoint of one turn falls into the next."""
        run("psql", self.url, "-qc", "CHECKPOINT")
        super().calm()

    def rows_in(self, flow):
        count = f'SELECT count(*) FROM amanah."{flow.replace("-", "_")}"'
        return int(run("psql", self.url, "-qAtc", count))

    def has_index(self, flow):
        count = f"SELECT count(*) FROM pg_indexes WHERE schemaname = 'amanah' AND tablename = '{flow.replace('-', '_')}'"
        return run("psql", self.url, "-qAtc", count).strip() != "0"


def flow_of(name, turn):
    """The flow of a turn."""
    return f"{name}-{turn}"


def _digest_of_card(path):
    with tarfile.open(path) as card:
        text = card.extractfile("card.json").read()
    return f"sha256:{hashlib.sha256(text).hexdigest()}"
