"""Knocks as nobody should, message by message, and prints the answer to each attempt: `ATTEMPT<TAB>ANSWER`.

Answers before a login: `refused` with the methods that go on, `asked to sign`, `LET IN`, `closed`. An attempt that is not
answered within ten seconds HANGS."""

import base64
import concurrent.futures
import queue
import socket
import subprocess
import sys
import time

import paramiko
from paramiko import Message

host, port, party, key_file, other_party = sys.argv[1:]
PATIENCE = 10
FAILURE, SUCCESS, PK_OK = 51, 52, 60
known = paramiko.Ed25519Key.from_private_key_file(key_file)
subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "stranger"], check=True)
stranger = paramiko.Ed25519Key.from_private_key_file("stranger")


def text(value):
    return value if isinstance(value, bytes) else value.encode()


class Door:
    """A connection that has exchanged keys and asked for the login service, and no more."""

    def __init__(self):
        self.answers = queue.Queue()
        self.transport = paramiko.Transport((host, int(port)))
        self.transport.start_client(timeout=PATIENCE)
        table = self.transport._handler_table
        for kind in (FAILURE, SUCCESS, PK_OK):
            table[kind] = lambda m, kind=kind: self.answers.put((kind, m))
        for kind in (6, 53):
            table[kind] = lambda m: None
        self.send(bytes([5]), "ssh-userauth")

    def send(self, first, *fields):
        message = Message()
        message.add_bytes(first)
        for field in fields:
            if isinstance(field, bool):
                message.add_boolean(field)
            else:
                message.add_string(text(field))
        self.transport._send_message(message)

    def answer(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                kind, message = self.answers.get(timeout=0.05)
            except queue.Empty:
                if not self.transport.is_active():
                    return "closed"
                continue
            if kind == FAILURE:
                return "refused: " + message.get_text()
            return {SUCCESS: "LET IN", PK_OK: "asked to sign"}[kind]
        return "HANGS"

    def ask(self, method, *fields, user=party):
        try:
            self.send(bytes([50]), user, "ssh-connection", method, *fields)
        except (EOFError, OSError, paramiko.SSHException):
            return "closed"
        return self.answer()

    def signed(self, named, signer, user=party, session=None, algorithm="ssh-ed25519", blob=None):
        blob = blob or named.asbytes()
        data = Message()
        data.add_string(session or self.transport.session_id)
        data.add_byte(bytes([50]))
        for field in (user, "ssh-connection", "publickey"):
            data.add_string(field)
        data.add_boolean(True)
        data.add_string(algorithm)
        data.add_string(blob)
        signature = signer.sign_ssh_data(data.asbytes()).asbytes()
        return self.ask("publickey", True, algorithm, blob, signature, user=user)

    def query(self, key, user=party):
        return self.ask("publickey", False, "ssh-ed25519", key.asbytes(), user=user)


def tell(title, answer):
    print(title, answer, sep="\t", flush=True)


def queries_without_end():
    door = Door()
    tries = 0
    while tries < 100 and not door.query(stranger).startswith("closed"):
        tries += 1
    return f"closed after {tries}" if tries < 100 else "ALL ANSWERED"


def too_early(kind, *fields):
    door = Door()
    door.send(bytes([kind]), *fields)
    return door.ask("none")


BEFORE = [
    # First, so that the address is one of a peer: otherwise the rest is shut out soon, as it should be.
    ("the right signature", lambda: Door().signed(known, known)),
    ("none", lambda: Door().ask("none")),
    ("password", lambda: Door().ask("password", False, "secret")),
    ("keyboard-interactive", lambda: Door().ask("keyboard-interactive", "", "")),
    ("hostbased", lambda: Door().ask("hostbased", "ssh-ed25519", known.asbytes(), "localhost", "root", b"x" * 83)),
    ("gssapi-with-mic", lambda: Door().ask("gssapi-with-mic", b"\0\0\0\0")),
    ("a method that is none", lambda: Door().ask("weird@example.org")),
    ("an unknown key", lambda: Door().query(stranger)),
    ("a known key for another user", lambda: Door().query(known, user=other_party)),
    ("a user of 60 KB", lambda: Door().query(known, user="x" * 60_000)),
    ("a user that is not UTF-8", lambda: Door().query(known, user=b"\xff\xfe")),
    ("an RSA key", lambda: Door().ask("publickey", False, "rsa-sha2-512", paramiko.RSAKey.generate(2048).asbytes())),
    ("a signature by another key", lambda: asked().signed(known, stranger)),
    ("another key than asked, and its signature", lambda: asked().signed(stranger, stranger)),
    ("the signature under another key's name", lambda: asked().signed(stranger, known)),
    ("a signature for another user", lambda: asked().signed(known, known, user=other_party)),
    ("a signature for another session", lambda: asked().signed(known, known, session=b"\7" * 32)),
    ("a certificate", lambda: Door().signed(known, known, algorithm=CERTIFICATE, blob=certificate())),
    ("100 key queries", queries_without_end),
    ("a channel before the login", lambda: too_early(90, "session")),
    ("a global request before the login", lambda: too_early(80, "tcpip-forward")),
]
CERTIFICATE = "ssh-ed25519-cert-v01@openssh.com"


def asked():
    door = Door()
    assert door.query(known) == "asked to sign"
    return door


def certificate():
    subprocess.run(["ssh-keygen", "-q", "-s", "stranger", "-I", "x", "-n", party, f"{key_file}.pub"], check=True)
    with open(f"{key_file}-cert.pub", encoding="ascii") as file:
        return base64.b64decode(file.read().split()[1])


def before_login():
    first, rest = BEFORE[0], BEFORE[1:]
    tell(first[0], first[1]())
    # A refusal takes a second: several at a time, fewer than an address may have.
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        for (title, _), answer in zip(rest, pool.map(lambda one: one[1](), rest)):
            tell(title, answer)


def logged_in():
    transport = paramiko.Transport((host, int(port)))
    transport.connect(username=party, pkey=known)
    return transport


def opened(transport, window, packet):
    channel = transport.open_session(window_size=window, max_packet_size=packet, timeout=PATIENCE)
    channel.settimeout(1)
    channel.invoke_subsystem("sftp")
    return channel


def serves(transport):
    listed = paramiko.SFTPClient.from_transport(transport).listdir("/")
    return "serves" if sorted(listed) == ["incoming", "outgoing"] else f"lists {listed}"


def after_login():
    # paramiko asks for no less than 4 KiB; whoever means ill asks for nothing.
    paramiko.Transport._sanitize_packet_size = lambda self, size: 32768 if size is None else size
    paramiko.Transport._sanitize_window_size = lambda self, size: 1 << 20 if size is None else size
    for title, window, packet in (("packets of no bytes", 1 << 20, 0), ("packets of one byte", 1 << 20, 1), ("a window of no bytes", 0, 32768)):
        transport = logged_in()
        try:
            channel = opened(transport, window, packet)
        except (EOFError, OSError, paramiko.SSHException):
            tell(title, "closed" if not transport.is_active() else serves(transport))
            continue
        # INIT, and then more requests than anybody answers unread: REALPATH of "/".
        requests = b"\0\0\0\5\1\0\0\0\3" + b"\0\0\0\x0a\x10\0\0\0\1\0\0\0\1/" * 2000
        try:
            channel.sendall(requests)
        except (socket.timeout, OSError):
            pass
        tell(title, serves(transport))
        transport.close()
    transport = logged_in()
    for _ in range(40):
        transport.renegotiate_keys()
    tell("a storm of key exchanges", serves(transport))
    transport.close()


before_login()
after_login()
