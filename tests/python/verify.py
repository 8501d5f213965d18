#!/usr/bin/env python3
"""A second verifier, written from FORMAT.md alone: bundles, receipts, cards, agreements, slips and destruction records, with Python's standard
library and ssh-keygen. Judges as `amanah verify` does: at the current time, or at the document's own time if that has passed.

Usage: verify.py --card FILE [--card FILE ...] FILE ...     prints {"files": [{"file", "verified", "reason"}, ...]}
"""

import argparse, base64, datetime, hashlib, json, re, struct, subprocess, sys, tempfile  # noqa: E401

INT, U32 = 2**53 - 1, 2**32 - 1
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


class Refused(Exception):
    """The rule that is broken."""


def need(holds, rule):
    if not holds:
        raise Refused(rule)


# Section 5.2: the tar. Every header byte has a rule.
def octal(field):
    need(re.fullmatch(rb"[0-7]+[\0 ]+", field), "octal")
    return int(field.rstrip(b"\0 "), 8)


def name_of(field):
    text = field.rstrip(b"\0")
    need(b"\0" not in text, "name")
    return text


def header(block):
    need(len(block) == 512, "cut short")
    need(block[257:265] == b"ustar\x0000" and not any(block[157:257]) and not any(block[500:]), "header")
    need(octal(block[148:156]) == sum(block[:148]) + 8 * 32 + sum(block[156:]), "checksum")
    need(block[156:157] in (b"0", b"x"), "kind")
    for start, end in (100, 108), (108, 116), (116, 124), (136, 148):
        octal(block[start:end])
    for device in block[329:337], block[337:345]:
        need(not any(device) or octal(device) == 0, "device")
    prefix, name = name_of(block[345:500]), name_of(block[:100])
    return block[156:157], prefix + b"/" + name if prefix else name, octal(block[124:136])


def pax(records):
    found = {}
    need(records and len(records) <= 4096, "pax length")
    while records:
        digits = re.match(rb"(0|[1-9][0-9]{0,5}) ", records)
        need(digits, "pax record")
        record, records = records[: int(digits[1])], records[int(digits[1]):]
        need(len(record) == int(digits[1]) > len(digits[0]) and record.endswith(b"\n"), "pax record")
        key, equals, value = record[len(digits[0]):-1].partition(b"=")
        need(equals and key in (b"path", b"size") and key not in found, "pax key")
        need(value and b"\0" not in value if key == b"path" else re.fullmatch(rb"0|[1-9][0-9]{0,18}", value), "pax value")
        found[key] = value
    return found


def files_of(tar):
    """(name, where it starts, content) of each file."""
    at, files = 0, []

    def content(size):
        nonlocal at
        start, at = at, at + size + -size % 512
        need(at <= len(tar) and not any(tar[start + size:at]), "content")
        return tar[start:start + size]

    while any(tar[at:at + 512]):
        kind, path, size = header(tar[at:at + 512])
        at, more = at + 512, {}
        if kind == b"x":
            need(size <= 4096, "pax length")
            more = pax(content(size))
            kind, path, size = header(tar[at:at + 512])
            at += 512
        declared = int(more.get(b"size", size))
        need(kind == b"0" and (declared == size or (size == 0 and declared > 2**33 - 1)), "size")
        path = more.get(b"path", path)
        need(path and path not in [file[0] for file in files] and len(files) < 64, "files")
        files.append((path, at, content(declared)))
    need(1024 <= len(tar) - at <= 1024 + 10240 and not any(tar[at:]), "end")
    return files


# Section 4: strict JSON.
def strict(text, limit):
    def pairs(members):
        need(len({name for name, _ in members}) == len(members), "a name twice")
        return dict(members)

    def integer(digits):
        need(digits != "-0" and abs(int(digits)) <= INT, "integer")
        return int(digits)

    def never(_):
        raise Refused("number")

    def walk(value, depth):
        if isinstance(value, str):
            need(not re.search("[\0\ud800-\udfff]", value), "text")
        elif isinstance(value, (dict, list)):
            need(depth < 16, "depth")
            for part in [*value, *value.values()] if isinstance(value, dict) else value:
                walk(part, depth + 1)

    need(len(text) <= limit, "length")
    value = json.loads(text.decode(), object_pairs_hook=pairs, parse_int=integer, parse_float=never, parse_constant=never)
    walk(value, 0)
    return value


# Section 3: primitive forms. Each is a function that says whether a value has the form.
def rx(pattern):
    return lambda v: isinstance(v, str) and re.fullmatch(pattern, v, re.ASCII) is not None


def integer(low, high=INT):
    return lambda v: type(v) is int and low <= v <= high


def text(length):
    hidden = "[\0-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]"
    return lambda v: isinstance(v, str) and v.strip() != "" and len(v) <= length and not re.search(hidden, v)


def maybe(form):
    return lambda v: v is None or form(v)


def array(form, low=0, high=INT):
    return lambda v: isinstance(v, list) and low <= len(v) <= high and all(map(form, v))


def record(members):
    return lambda v: isinstance(v, dict) and v.keys() == members.keys() and all(members[name](v[name]) for name in v)


def both(*forms):
    return lambda v: all(form(v) for form in forms)


def time(v):
    if not rx(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")(v) or v < "1970":
        return False
    try:
        return bool(datetime.datetime.strptime(v, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return False


def point(raw):
    """Whether these bytes are a point of the curve, and not one of small order."""
    y = (int.from_bytes(raw, "little") & (2**255 - 1)) % P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    if pow(square, (P - 1) // 2, P) == P - 1:
        return False
    for _ in range(3):
        y = (y * y + square) * pow(1 - D * square * y * y, -1, P) % P
        square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    return y != 1


def ssh_key(v):
    if not rx("ssh-ed25519 [A-Za-z0-9+/]{68}")(v):
        return False
    blob = base64.b64decode(v[12:])
    return blob[:19] == b"\0\0\0\x0bssh-ed25519\0\0\0\x20" and point(blob[19:])


def age_key(v):
    """Bech32 (BIP 173) of 32 bytes under `age`."""
    if not rx("age1[ac-hj-np-z02-9]{58}")(v):
        return False
    digits = ["qpzry9x8gf2tvdw0s3jn54khce6mua7l".index(c) for c in v[4:]]
    check = 1
    for digit in [3, 3, 3, 0, 1, 7, 5, *digits]:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ digit
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator * (top >> bit & 1)
    return check == 1 and digits[51] & 15 == 0


def address(v):
    host, colon, port = v.rpartition(":") if text(200)(v) else ("", "", "")
    return bool(host and colon and not re.search(r"\s", host) and rx("[0-9]+")(port) and 0 < int(port) < 65536)


def name(length):
    return rx(r"(?!.*--)[a-z][a-z0-9-]{0,%d}[a-z0-9]" % (length - 2))


def unique(values):
    return len(set(values)) == len(values)


PARTY, NAME, DIGEST, CODE = name(32), name(64), rx("sha256:[0-9a-f]{64}"), rx("[A-Za-z0-9_-]{1,64}")
UUID = rx("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
REFERENCE = record({"id": NAME, "version": integer(1, U32), "digest": DIGEST})
EVERY = {"ext": lambda v: isinstance(v, dict), "critical": lambda v: v == []}
UNREAD = ["manifest-malformed", "format-unsupported"]
SIGNED = UNREAD + """signer-not-valid sender-mismatch wrong-recipient agreement-not-in-force flow-not-agreed direction-not-agreed
    purpose-not-agreed too-large expired sequence-conflict sequence-too-far previous-mismatch bundle-id-reused voided
    decryption-failed payload-malformed payload-exceeds entry-path entry-kind contents-mismatch schema-mismatch records-invalid totals-mismatch""".split()

MANIFEST = both(record({
    "format": rx("amanah-bundle/1"), "bundle": UUID, "agreement": REFERENCE, "flow": NAME, "purpose": CODE, "from": PARTY,
    "to": PARTY, "epoch": integer(1, U32), "sequence": integer(1), "previous": maybe(DIGEST),
    "recipients": both(array(DIGEST, 1, 16), unique), "regarding": maybe(DIGEST), "created": time, "expires": time,
    "payload": record({"digest": DIGEST, "bytes": integer(0)}),
    "contents": record({"digest": DIGEST, "entries": integer(1, 65536), "bytes": integer(0)}), **EVERY,
}), lambda m: m["from"] != m["to"] and m["created"] < m["expires"]
    and (m["previous"] is None) == (m["epoch"] == m["sequence"] == 1))

RECEIPT = both(record({
    "format": rx("amanah-receipt/1"), "manifest": DIGEST, "agreement": maybe(DIGEST), "flow": maybe(NAME),
    "epoch": maybe(integer(1, U32)), "sequence": maybe(integer(1)), "from": PARTY, "to": PARTY,
    "outcome": rx("imported|refused"), "refusal": lambda v: v is None or v in SIGNED, "received": time, "verified": time,
    "finished": time, "contents": maybe(DIGEST),
    "store": maybe(record({"kind": rx("files|sqlite|postgres"), "entries": integer(0), "records": integer(0)})),
    "ledger": record({"origin": text(200), "index": integer(0)}), **EVERY,
}), lambda r: r["from"] != r["to"] and (r["outcome"] == "refused") == (r["refusal"] is not None)
    and (r["outcome"] == "imported") == (r["store"] is not None) == (r["contents"] is not None)
    and rx("amanah/%s/[1-9][0-9]{0,9}" % r["from"])(r["ledger"]["origin"]) and int(r["ledger"]["origin"].split("/")[2]) <= U32
    and [r[field] is None for field in ("agreement", "flow", "epoch", "sequence")]
    in ([[False] * 4, [True] * 4] if r["refusal"] in UNREAD else [[False] * 4]))

def base64_of(text):
    try:
        return base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except ValueError:
        return False


NOTE = lambda v: isinstance(v, str) and 1 <= len(v) <= 8192
STREAM = {"agreement": NAME, "flow": NAME, "epoch": integer(1, U32)}
BODIES = {
    "held": record({"manifest": DIGEST, "reason": rx("clock|agreement-unknown|card-unknown|store-missing|space-missing|gap")}),
    "revocation": record({
        "agreement": REFERENCE, "reason": text(1000), "ledger_own": integer(0), "ledger_peer": maybe(integer(0))}),
    "resend": both(record({"manifest": maybe(DIGEST), "first": integer(1), "last": integer(1), **STREAM}),
                   lambda b: 0 <= b["last"] - b["first"] < (1024 if b["manifest"] is None else 1)),
    "void": record({"sequence": integer(1), "manifest": maybe(DIGEST), "reason": rx("payload-lost|expired|key-lost"), **STREAM}),
    "position": both(record({"streams": array(record({
        "from": PARTY, "to": PARTY, "sequence": integer(1), "manifest": DIGEST, **STREAM}), 0, 128)}),
        lambda b: unique([(p["from"], p["agreement"], p["flow"]) for p in b["streams"]])),
    "checkpoint": record({"note": NOTE, "consistency": array(DIGEST, 0, 128), "previous_size": integer(0),
        "inclusions": array(record({"index": integer(0), "leaf": DIGEST, "proof": array(DIGEST, 0, 64)}), 0, 16)}),
    "cosignature": record({"note": NOTE}),
    "card": record({"card": lambda v: isinstance(v, str) and 1 <= len(v) <= 57344 and base64_of(v)}),
}
SLIP = both(record({
    "format": rx("amanah-slip/1"), "kind": rx("|".join(BODIES)), "body": lambda v: True, "from": PARTY, "to": PARTY,
    "number": integer(1), "created": time, "expires": time, **EVERY,
}), lambda s: BODIES[s["kind"]](s["body"]) and s["from"] != s["to"] and s["created"] < s["expires"]
    and all({p["from"], p["to"]} == {s["from"], s["to"]} for p in s["body"].get("streams", [])))

DAYS = lambda later, earlier: (datetime.datetime.fromisoformat(later) - datetime.datetime.fromisoformat(earlier)) / datetime.timedelta(days=1)
SUMS = lambda d, name: sum(bundle[name] for bundle in d["bundles"])
DESTRUCTION = both(record({
    "format": rx("amanah-destruction/1"), "number": integer(1), "from": PARTY, "peer": PARTY, "side": rx("sent|received"),
    "agreement": REFERENCE, "flow": NAME, "rule": record({"days": integer(0, 36500), "from": rx("settled"), "action": rx("destroy")}),
    "begun": time, "finished": time, "program": text(64), "ledger": text(200),
    "bundles": array(record({
        "manifest": DIGEST, "epoch": integer(1, U32), "sequence": integer(1), "since": time, "at": time,
        "sealed": lambda v: isinstance(v, bool), "files": integer(0), "rows": integer(0), "record": integer(0)}), 1, 128),
    "totals": record({"bundles": integer(0), "sealed": integer(0), "files": integer(0), "rows": integer(0)}), **EVERY,
}), lambda d: d["from"] != d["peer"] and d["begun"] <= d["finished"]
    and rx("amanah/%s/[1-9][0-9]{0,9}" % d["from"])(d["ledger"]) and int(d["ledger"].split("/")[2]) <= U32
    and unique([b["manifest"] for b in d["bundles"]])
    and all(one["record"] < other["record"] for one, other in zip(d["bundles"], d["bundles"][1:]))
    and all(d["begun"] <= b["at"] <= d["finished"] and DAYS(b["at"], b["since"]) >= d["rule"]["days"] for b in d["bundles"])
    and (d["side"] == "received" or SUMS(d, "rows") == 0)
    and d["totals"] == {"bundles": len(d["bundles"]), **{name: SUMS(d, name) for name in ("sealed", "files", "rows")}})


def keys(form):
    return both(array(both(record({"key": form, "from": time, "until": time}), lambda k: k["from"] < k["until"]), 1, 16))


CARD = both(record({
    "format": rx("amanah-card/1"), "party": PARTY, "name": text(200), "number": integer(1, U32), "previous": maybe(DIGEST),
    "created": time, "addresses": array(address, 0, 64), "contact": text(200), "formats": array(text(200), 0, 64),
    "keys": record({"signing": keys(ssh_key), "transport": keys(ssh_key), "decryption": keys(age_key), "ledger": keys(ssh_key)}),
    "successor_of": lambda v: v is None, **EVERY,
}), lambda c: (c["previous"] is None) == (c["number"] == 1) and unique([k["key"] for kind in c["keys"].values() for k in kind]))

COLUMN = rx("[A-Za-z_][A-Za-z0-9_]{0,62}")
LONG, WORD = text(4000), both(text(64), lambda v: not re.search(r"\s", v))
ZONE = both(rx(r"[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}"), lambda v: len(v) <= 64)
IMPORT = both(record({"mode": rx("append|upsert|replace"), "key": array(COLUMN, 0, 16), "partition": maybe(COLUMN)}),
              lambda i: (i["partition"] is None or i["mode"] == "replace") and (i["key"] or i["mode"] != "upsert"))
FLOW = both(record({
    "name": NAME, "from": PARTY, "to": PARTY, "purpose": array(CODE, 1), "kind": rx("files|table"), "schema": maybe(DIGEST),
    "import": maybe(IMPORT), "totals": array(COLUMN, 0, 256), "bytes_max": integer(1, 2**40), "records_max": maybe(integer(1, 2**36)),
    "rhythm": maybe(record({"every": WORD, "by": WORD})), "lane": rx("urgent|normal|bulk"), "classification": LONG,
    "retention": record({"days": integer(0, 36500), "from": rx("settled"), "action": rx("destroy"),
                         "legal_hold": lambda v: isinstance(v, bool)}),
}), lambda f: f["schema"] is not None and f["import"] is not None and unique(f["totals"]) if f["kind"] == "table"
    else f["schema"] is None and f["import"] is None and f["totals"] == [] and f["records_max"] is None)
AGREEMENT = both(record({
    "format": rx("amanah-agreement/1"), "id": NAME, "version": integer(1, U32), "title": LONG, "supersedes": maybe(DIGEST),
    "parties": array(record({"id": PARTY, "name": LONG, "card": DIGEST, "document_number": LONG, "signatory": LONG,
                             "contact": LONG, "data_protection_officer": LONG}), 2, 2),
    "effective": time, "ends": time, "zone": ZONE, "legal_basis": array(LONG, 1),
    "purposes": array(record({"code": CODE, "text": LONG})), "flows": array(FLOW), "drain_days": integer(0, 365), "dpia": LONG,
    **EVERY,
}), lambda a: unique([p["id"] for p in a["parties"]]) and unique([p["card"] for p in a["parties"]])
    and (a["supersedes"] is None) == (a["version"] == 1) and a["effective"] < a["ends"]
    and unique([p["code"] for p in a["purposes"]]) and unique([f["name"] for f in a["flows"]])
    and all(f["from"] != f["to"] and {f["from"], f["to"]} == {p["id"] for p in a["parties"]}
            and set(f["purpose"]) <= {p["code"] for p in a["purposes"]} for f in a["flows"]))


# Section 5.1: signatures. What ssh-keygen takes and we do not is refused here; the mathematics is left to it.
def signer_of(armour, namespace):
    def ssh(content):
        return struct.pack(">I", len(content)) + content

    need(len(armour) <= 4096, "signature length")
    body = armour.replace(b"-----BEGIN SSH SIGNATURE-----\n", b"").replace(b"-----END SSH SIGNATURE-----\n", b"")
    blob = base64.b64decode(body)
    lines = base64.b64encode(blob)
    lines = b"".join(lines[i:i + 70] + b"\n" for i in range(0, len(lines), 70))
    need(armour == b"-----BEGIN SSH SIGNATURE-----\n" + lines + b"-----END SSH SIGNATURE-----\n", "armour")
    key, raw = blob[33:65], blob[-64:]
    parts = ssh(namespace.encode()), ssh(b""), ssh(b"sha512"), ssh(ssh(b"ssh-ed25519") + ssh(raw))
    need(blob == b"SSHSIG\0\0\0\1" + ssh(ssh(b"ssh-ed25519") + ssh(key)) + b"".join(parts), "signature blob")
    need(int.from_bytes(raw[32:], "little") < L and point(raw[:32]) and point(key), "strict signature")
    return "ssh-ed25519 " + base64.b64encode(ssh(b"ssh-ed25519") + ssh(key)).decode()


class Keyring:
    """Keys of trusted cards: as allowed_signers (section 11.1) for ssh-keygen, and whose they are."""

    def __init__(self, cards, now):
        self.now, self.cards, self.owners, self.folder = now, set(), {}, tempfile.TemporaryDirectory()
        # The newest card that lists a key says until when it is valid; a key of two parties is nobody's (section 11.2).
        for card, digest in sorted(cards, key=lambda one: one[0]["number"]):
            self.cards.add((card["party"], digest))
            for key in card["keys"]["signing"]:
                owner = self.owners.get(key["key"], (card["party"],))
                is_its = owner is not None and owner[0] == card["party"]
                self.owners[key["key"]] = (card["party"], key["from"], key["until"]) if is_its else None

    def verify(self, message, armour, namespace, times):
        """The party whose key made the signature; its key is valid at each of `times`."""
        key = signer_of(armour, namespace)
        need(self.owners.get(key), "signer unknown")
        party, since, until = self.owners[key]
        self.mathematics(message, armour, namespace, key)
        need(all(since <= at < until for at in times), "key not valid then")
        return party

    def mathematics(self, message, armour, namespace, key):
        signers, signature = f"{self.folder.name}/allowed_signers", f"{self.folder.name}/signature"
        with open(signers, "w") as lines, open(signature, "wb") as file:
            lines.write(f'signer namespaces="{namespace}" {key}\n')
            file.write(armour)
        command = ["ssh-keygen", "-Y", "verify", "-f", signers, "-I", "signer", "-n", namespace, "-s", signature]
        need(subprocess.run(command, input=message, capture_output=True).returncode == 0, "signature")

    def at_or_now(self, moment):
        """Its own time, and now unless that is later: a key that has ended since proves less, and not nothing."""
        return [moment] if moment <= self.now else [moment, self.now]


def judge(tar, ring):
    files = files_of(tar)
    names = [file[0].decode() for file in files]
    body = files[0][2]
    stem = names[0].removesuffix(".json")
    purpose = {"manifest": "bundle"}.get(stem, stem) + "@amanah"
    limit = 2**20 if stem == "agreement" else 65536
    need(all(len(file[2]) <= limit for file in files[:2]), "file length")
    document = strict(body, limit)
    need({"manifest": MANIFEST, "receipt": RECEIPT, "slip": SLIP, "card": CARD, "agreement": AGREEMENT, "destruction": DESTRUCTION}[stem](document), "form")
    if stem == "agreement":
        parties = {party["id"]: party["card"] for party in document["parties"]}
        # What a schema says is for who reads tables; here it must be the one that is pinned.
        pinned = sorted({flow["schema"] for flow in document["flows"] if flow["schema"]})
        schemas, signatures = files[1:1 + len(pinned)], files[1 + len(pinned):]
        need(names[1:] == [f"schema-{digest[7:]}.json" for digest in pinned]
             + [f"agreement.json.{party}.sig" for party in sorted(parties)], "files")
        need(all(digest == "sha256:" + hashlib.sha256(file[2]).hexdigest() for digest, file in zip(pinned, schemas)), "schema")
        for party, file in zip(sorted(parties), signatures):
            need((party, parties[party]) in ring.cards, "first card")
            try:
                signed = ring.verify(body, file[2], purpose, [ring.now])
            except Refused:
                signed = ring.verify(body, file[2], purpose, [document["effective"]])
            need(signed == party, "signer")
        return document
    if stem == "card" and names[2:] == ["card.json.previous.sig"] and document["previous"] is not None:
        armour = files.pop()[2]
        names.pop()
        ring.mathematics(body, armour, purpose, signer_of(armour, purpose))
    need(names[1:] == [names[0] + ".sig"] + ["payload.tar.zst.age"] * (stem == "manifest"), "files")
    if stem == "card":
        key = signer_of(files[1][2], purpose)
        need(key in [own["key"] for own in document["keys"]["signing"]], "not signed by a key of its own")
        ring.mathematics(body, files[1][2], purpose, key)
        return document
    is_final = stem in ("receipt", "destruction")
    moment = document["finished" if is_final else "created"]
    times = [moment] if is_final else ring.at_or_now(moment)
    need(ring.verify(body, files[1][2], purpose, times) == document["from"], "signer")
    if is_final:
        clock = datetime.datetime.strptime(ring.now, "%Y-%m-%dT%H:%M:%SZ") + datetime.timedelta(seconds=300)
        need(moment <= clock.strftime("%Y-%m-%dT%H:%M:%SZ"), "finished in the future")
    if stem == "manifest":
        _, start, payload = files[2]
        need(start == 16384 and len(payload) == document["payload"]["bytes"], "payload")
        need("sha256:" + hashlib.sha256(payload).hexdigest() == document["payload"]["digest"], "payload differs")
    return document


def attempt(path, ring):
    with open(path, "rb") as file:
        content = file.read()
    try:
        return judge(content, ring), ""
    except (Refused, ValueError, KeyError, IndexError, RecursionError) as error:
        return None, f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--card", action="append", required=True)
    arguments.add_argument("file", nargs="+")
    wanted = arguments.parse_args()
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    cards = []
    for path in wanted.card:
        card, reason = attempt(path, Keyring([], now))
        if card is None:
            sys.exit(f"{path}: {reason}")
        with open(path, "rb") as file:
            cards.append((card, "sha256:" + hashlib.sha256(files_of(file.read())[0][2]).hexdigest()))
    ring, judged = Keyring(cards, now), []
    for path in wanted.file:
        document, reason = attempt(path, ring)
        judged.append({"file": path, "verified": document is not None, "reason": reason})
    json.dump({"files": judged}, sys.stdout)
