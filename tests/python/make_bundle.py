#!/usr/bin/env python3
"""Makes a bundle by FORMAT.md alone, with tools that are none of ours: tarfile, zstandard, pyrage, ssh-keygen -Y sign.

Usage: make_bundle.py FOLDER, where FOLDER holds what docs/by-hand.md puts there: settings, signing_key, recipients, items/.
Writes FOLDER/HEX.amanah and prints its name.
"""

import datetime
import hashlib
import io
import json
import os
import pathlib
import secrets
import shlex
import subprocess
import sys
import tarfile
import time

import pyrage
import zstandard

MANIFEST_BYTES = 14_336  # FORMAT.md section 9.2: so that the payload starts at byte 16,384


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def settings(folder):
    """The words NAME=VALUE of a file that the shell reads too."""
    words = shlex.split((folder / "settings").read_text())
    return dict(word.split("=", 1) for word in words)


def uuid7():
    number = int(time.time() * 1000) << 80 | secrets.randbits(80)
    number = number & ~(0xF << 76) | 7 << 76
    number = number & ~(0x3 << 62) | 2 << 62
    text = f"{number:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def tar(files):
    """The files' archive in this order; every field that carries nothing stays at its zero."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in files:
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def moment(days):
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def make(folder):
    known = settings(folder)
    recipients = (folder / "recipients").read_text().split()
    items = folder / "items"
    paths = sorted(path.relative_to(items).as_posix() for path in items.rglob("*") if path.is_file())
    files = [(path, (items / path).read_bytes()) for path in paths]
    bundle = uuid7()

    contents = json.dumps({
        "format": "amanah-contents/1", "salt": secrets.token_hex(32), "bundle": bundle,
        "agreement": known["agreement"], "from": known["from"], "to": known["to"], "flow": known["flow"],
        "entries": [{"path": path, "bytes": len(content), "digest": digest(content)} for path, content in files],
        "ext": {}, "critical": [],
    }, ensure_ascii=False).encode()
    archive = tar([*files, ("contents.json", contents)])
    frame = zstandard.ZstdCompressor(level=3, write_checksum=True).compress(archive)
    payload = pyrage.encrypt(frame, [pyrage.x25519.Recipient.from_str(key) for key in recipients])

    manifest = json.dumps({
        "format": "amanah-bundle/1", "bundle": bundle,
        "agreement": {"id": known["agreement_id"], "version": int(known["agreement_version"]), "digest": known["agreement"]},
        "flow": known["flow"], "purpose": known["purpose"], "from": known["from"], "to": known["to"],
        "epoch": 1, "sequence": int(known["sequence"]), "previous": json.loads(known["previous"]),
        "recipients": [digest(key.encode()) for key in recipients], "regarding": None,
        "created": moment(0), "expires": moment(30),
        "payload": {"digest": digest(payload), "bytes": len(payload)},
        "contents": {"digest": digest(contents), "entries": len(files), "bytes": sum(len(content) for _, content in files)},
        "ext": {}, "critical": [],
    }).encode().ljust(MANIFEST_BYTES)
    sign = ["ssh-keygen", "-q", "-Y", "sign", "-f", os.fspath(folder / "signing_key"), "-n", "bundle@amanah"]
    signature = subprocess.run(sign, input=manifest, stdout=subprocess.PIPE, check=True).stdout

    name = hashlib.sha256(manifest).hexdigest() + ".amanah"
    parts = [("manifest.json", manifest), ("manifest.json.sig", signature), ("payload.tar.zst.age", payload)]
    (folder / name).write_bytes(tar(parts))
    return name


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(make(pathlib.Path(sys.argv[1])))
