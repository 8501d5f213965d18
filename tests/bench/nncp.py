"""NNCP as its users run it: two nodes on this machine, `nncp-file` at the one, `nncp-call` to a running `nncp-daemon`,
`nncp-toss` at the other. It encrypts and keeps a spool; there is no receipt."""

import re
import shutil
import subprocess

from ground import digest, free_port, run, shell

# A call ends when nothing came for so long; it is the least that can be said, and not counted.
IDLE_SECS = 1


class Nncp:
    """Two nodes that know each other, and the daemon of the second."""

    def __init__(self, ground):
        self.place = ground.folder / "nncp"
        self.port = free_port()
        keys = {}
        for name in ("first", "second"):
            for folder in ("in", "spool"):
                (self.place / name / folder).mkdir(parents=True)
            keys[name] = dict(re.findall(r"^    (\w+): (\w+)$", run("nncp-cfgnew", "-nocomments"), re.MULTILINE))
        for name, other in (("first", "second"), ("second", "first")):
            self.config(name).write_text(self._config(name, keys[name], other, keys[other]))
        self.second = keys["second"]["id"]
        self.daemon = subprocess.Popen(
            ["nncp-daemon", "-cfg", self.config("second"), "-bind", f"127.0.0.1:{self.port}", "-quiet"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    def config(self, name):
        return self.place / name / "nncp.hjson"

    def _config(self, name, own, other, its):
        folder = self.place / name
        public = ("id", "exchpub", "signpub", "noisepub")
        node = "\n".join(f"      {key}: {its[key]}" for key in public)
        me = "\n".join(f"      {key}: {own[key]}" for key in public)
        return (
            "{\n" f"  spool: {folder}/spool\n  log: {folder}/log\n  self: {{\n"
            + "\n".join(f"    {key}: {value}" for key, value in own.items())
            + f"\n  }}\n  neigh: {{\n    self: {{\n{me}\n    }}\n    {other}: {{\n{node}\n      incoming: {folder}/in\n"
            f'      addrs: {{main: "127.0.0.1:{self.port}"}}\n    }}\n  }}\n}}\n'
        )

    def carry(self, source):
        """Carries one file; returns the seconds."""
        target = self.place / "second" / "in" / source.name
        target.unlink(missing_ok=True)
        first, second = self.config("first"), self.config("second")
        seconds = shell(
            f"nncp-file -quiet -cfg {first} {source} second:"
            f" && nncp-call -quiet -cfg {first} -onlinedeadline {IDLE_SECS} second"
            f" && nncp-toss -quiet -cfg {second} -node first"
        )
        if digest(target) != digest(source):
            raise SystemExit("NNCP carried something else")
        return seconds - IDLE_SECS

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait(20)


def is_there():
    """Whether NNCP is installed: its row is left out where it is not."""
    return all(shutil.which(f"nncp-{tool}") for tool in ("cfgnew", "file", "call", "daemon", "toss"))
