"""The rows of the table. Each does the same work with our daemons and with the stock tools, in turn within one run, and
returns the seconds of every turn. What is timed of ours: from the rename into the outbox until the original lies in
`sent/`, which it does only after a verified, durable receipt."""

import os
import shutil
import time

import content
import nncp
from ground import calm, digest, run, shell, wait_until

MEBIBYTE = 1 << 20


def drop(ground, lane, path, name, pause=0.0005):
    """Moves a file into the outbox and waits until it is settled, looking once a `pause`; returns the seconds."""
    sent = ground.sent(lane) / name
    begun = time.monotonic()
    os.rename(path, ground.outbox(lane) / name)
    wait_until(name, sent.exists, pause)
    return time.monotonic() - begun


def staged(ground, lane, source):
    """A copy of `source` on the outbox's own file system, under a name that the daemon leaves alone."""
    place = ground.outbox(lane) / f".{source.name}"
    shutil.copyfile(source, place)
    return place


def sweep(ground, lane):
    """Makes room for the next turn; what is kept beside it is the daemons' own."""
    for folder in (ground.sent(lane), ground.inbox(lane)):
        for entry in folder.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for side, way in ((ground.sender, "sent"), (ground.receiver, "received")):
        for bundle in (side.home / "spool" / "archive" / way).rglob("*.amanah"):
            bundle.unlink()


class Pipeline:
    """`tar | zstd | age | ssh "age -d | zstd -d | tar x"`: no signature, nothing synced, no receipt, no second try."""

    def __init__(self, ground):
        self.ground = ground
        self.place = ground.folder / "pipeline"
        self.place.mkdir(exist_ok=True)
        key = self.place / "key"
        if not key.exists():
            run("age-keygen", "-o", key)
        self.key, self.recipient = key, run("age-keygen", "-y", key).strip()

    def carry(self, source, level):
        """Carries one file; returns the seconds."""
        target = self.place / "in"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        seconds = shell(
            f"tar -C {source.parent} -cf - {source.name} | zstd -q {level} -T2 | age -r {self.recipient}"
            f" | {self.ground.ssh()} 'age -d -i {self.key} | zstd -q -d | tar -C {target} -xf -'"
        )
        if digest(target / source.name) != digest(source):
            raise SystemExit("the pipeline carried something else")
        return seconds


def large(ground, runs, source, levels):
    """One large file in the bulk lane against the pipeline at each level."""
    pipeline = Pipeline(ground)
    turns = {"amanah": []} | {f"pipeline {level}": [] for level in levels}
    expected = digest(source)
    for turn in range(runs):
        for level in levels:
            calm()
            turns[f"pipeline {level}"].append(pipeline.carry(source, level))
        name = f"{turn}-{source.name}"
        waiting = staged(ground, "bulk", source)
        calm()
        turns["amanah"].append(drop(ground, "bulk", waiting, name))
        arrived = next(ground.inbox("bulk").rglob(name))
        if digest(arrived) != expected:
            raise SystemExit("something else arrived")
        sweep(ground, "bulk")
    return turns


def csv(ground, runs, scale):
    source = ground.folder / "manifes.csv"
    content.write_csv(source, int(1.1e9 * scale))
    turns = large(ground, runs, source, ("-1", "-3"))
    if nncp.is_there():
        node = nncp.Nncp(ground)
        try:
            turns["nncp"] = [calm() or node.carry(source) for _ in range(runs)]
        finally:
            node.stop()
    return turns


def noise(ground, runs, scale):
    source = ground.folder / "acak.bin"
    content.write_random(source, int(1024 * MEBIBYTE * scale))
    return large(ground, runs, source, ("-1",))


def many(ground, runs, scale):
    """Ten thousand small files in one flow, against `rsync -a` over ssh (no encryption at rest, no sync, no receipt)."""
    count = max(10, int(10_000 * scale))
    source = ground.folder / "banyak"
    source.mkdir()
    content.write_many(source, count, 4096)
    turns = {"amanah": [], "rsync": []}
    ssh = " ".join(["ssh", *ground.options])
    for turn in range(runs):
        target = ground.folder / "rsync-in"
        shutil.rmtree(target, ignore_errors=True)
        calm()
        turns["rsync"].append(shell(f"rsync -a -e '{ssh}' {source}/ {ground.host}:{target}/"))
        waiting = ground.folder / f"banyak-{turn}"
        shutil.copytree(source, waiting)
        names = sorted(os.listdir(waiting))
        sent, outbox = ground.sent("normal"), ground.outbox("normal")
        calm()
        begun = time.monotonic()
        for name in names:
            os.rename(waiting / name, outbox / name)
        wait_until("all files", lambda: sent.is_dir() and len(os.listdir(sent)) >= count, 0.01)
        turns["amanah"].append(time.monotonic() - begun)
        if sum(len(files) for _, _, files in os.walk(ground.inbox("normal"))) != count:
            raise SystemExit("not every file arrived once")
        sweep(ground, "normal")
    return turns


def single(ground, runs, scale):
    """One file of 4 KiB on an open connection, again and again, against a script of zstd, age, ssh-keygen, scp, ssh."""
    turns = {"amanah": [], "script": []}
    pipeline = Pipeline(ground)
    place = ground.folder / "satu"
    place.mkdir()
    content.write_many(place, 1, 4096)
    source = place / "00000.csv"
    for turn in range(max(20, int(200 * scale)) * runs // 5):
        turns["amanah"].append(drop(ground, "urgent", staged(ground, "urgent", source), f"{turn}.csv"))
        if turn % 10 == 0:
            turns["script"].append(shell(script(ground, pipeline, source)))
    sweep(ground, "urgent")
    return turns


def script(ground, pipeline, source):
    """What a careful administrator would write: compress, encrypt, sign, copy, verify and open there."""
    work, there, key = pipeline.place / "out", pipeline.place / "there", ground.folder / "ssh" / "user"
    signers = pipeline.place / "signers"
    signers.write_text("bench " + key.with_suffix(".pub").read_text())
    for folder in (work, there):
        folder.mkdir(exist_ok=True)
    scp = " ".join(["scp", "-q", *ground.options])
    remote = (
        f"ssh-keygen -q -Y verify -f {signers} -I bench -n file -s {there}/f.age.sig < {there}/f.age"
        f" && age -d -i {pipeline.key} {there}/f.age | zstd -q -d -f -o {there}/f.csv && sha256sum {there}/f.csv"
    )
    return (
        f"rm -f {work}/* && zstd -q -1 < {source} | age -r {pipeline.recipient} > {work}/f.age"
        f" && ssh-keygen -q -Y sign -f {key} -n file {work}/f.age"
        f" && {scp} {work}/f.age {work}/f.age.sig {ground.host}:{there}/ && {ground.ssh()} '{remote}'"
    )


def urgent(ground, runs, scale):
    """Urgent files dropped while a bulk bundle of 1 GB is in flight; nothing stock to compare with."""
    bulk = ground.folder / "besar.bin"
    content.write_random(bulk, int(1024 * MEBIBYTE * scale))
    place = ground.folder / "darurat"
    place.mkdir()
    content.write_many(place, 1, 4096)
    turns = {"amanah": []}
    for turn in range(runs):
        waiting = staged(ground, "bulk", bulk)
        name = f"{turn}-besar.bin"
        os.rename(waiting, ground.outbox("bulk") / name)
        number = 0
        while not (ground.sent("bulk") / name).exists():
            ready = staged(ground, "urgent", place / "00000.csv")
            turns["amanah"].append(drop(ground, "urgent", ready, f"{turn}-{number}.csv"))
            number += 1
        sweep(ground, "bulk")
        sweep(ground, "urgent")
    return turns


def memory(ground, runs, scale):
    """The peak resident memory of each daemon, in MiB, over a bundle of 4 GB of rows."""
    source = ground.outbox("bulk") / ".besar.csv"
    content.write_csv(source, int(4e9 * scale))
    ground.restart()
    drop(ground, "bulk", source, "besar.csv")
    peaks = {"sender": [ground.sender.peak_mebibytes()], "receiver": [ground.receiver.peak_mebibytes()]}
    sweep(ground, "bulk")
    return peaks
