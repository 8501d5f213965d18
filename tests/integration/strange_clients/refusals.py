"""Tries what a peer may not do, with its own key, and prints the answer to each attempt: `ATTEMPT<TAB>ANSWER`.

An attempt that is allowed prints ALLOWED, one that is not answered within ten seconds HANGS."""

import sys

import paramiko
from paramiko import sftp as wire
from paramiko.message import Message
from paramiko.sftp_attr import SFTPAttributes

chapter, host, port, party, key, name, offer = sys.argv[1:]
PATIENCE = 10
EXTENDED = 200


def connect():
    ssh = paramiko.SSHClient()
    ssh.load_host_keys("known_hosts")
    ssh.connect(host, int(port), party, key_filename=key, allow_agent=False, look_for_keys=False, timeout=PATIENCE)
    return ssh


def attempt(title, act):
    try:
        print(title, f"ALLOWED: {act()!r:.60}", sep="\t", flush=True)
    except TimeoutError:
        print(title, "HANGS", sep="\t", flush=True)
    except Exception as error:
        print(title, f"{type(error).__name__}: {error}".replace("\n", " "), sep="\t", flush=True)


def sftp_chapter(ssh):
    sftp = ssh.open_sftp()
    sftp.get_channel().settimeout(PATIENCE)
    ask = sftp._request
    other = f"{1:064x}.amanah"
    known = f"/incoming/{name}"
    waits, whole, part = f"/outgoing/{offer}", f"/incoming/{other}", f"/incoming/{other}.part"

    def opened(path, flags):
        return ask(wire.CMD_OPEN, path, flags, SFTPAttributes())

    def truncated():
        with sftp.open(part, "w") as upload:
            upload.truncate(7)

    def read_back():
        with sftp.open(part, "r+") as upload:
            upload.read(1)

    def hand_over(target, bundle):
        with sftp.open(f"{target}.part", "w") as upload:
            upload.write(bundle)
        sftp.rename(f"{target}.part", target)

    attempt("mkdir", lambda: sftp.mkdir("/incoming/x"))
    attempt("rmdir", lambda: sftp.rmdir("/incoming"))
    attempt("chmod", lambda: sftp.chmod("/outgoing", 0o777))
    attempt("times of an offer", lambda: sftp.utime(waits, (0, 0)))
    attempt("truncate", truncated)
    attempt("symlink", lambda: sftp.symlink("/etc", "/incoming/x"))
    attempt("readlink", lambda: sftp.readlink(waits))
    attempt("hard link", lambda: ask(EXTENDED, "hardlink@openssh.com", waits, part))
    attempt("stat of another path", lambda: sftp.stat("/etc/passwd"))
    attempt("lstat of another path", lambda: sftp.lstat("/home"))
    attempt("stat through ..", lambda: sftp.stat("/incoming/../outgoing"))
    attempt("realpath of ..", lambda: sftp.normalize("/.."))
    attempt("list another path", lambda: sftp.listdir("/etc"))
    attempt("list a file", lambda: sftp.listdir(waits))
    attempt("open a folder", lambda: sftp.open("/incoming", "r"))
    attempt("write in /outgoing", lambda: sftp.open(f"/outgoing/{other}", "w"))
    attempt("append in /outgoing", lambda: opened(waits, wire_flags("read", "write", "append")))
    attempt("read in /incoming", lambda: sftp.open(whole, "r"))
    attempt("read a part", lambda: sftp.open(part, "r"))
    attempt("read through a part's handle", read_back)
    attempt("a name that is not UTF-8", lambda: sftp.open(b"/incoming/\xff\xfe.part", "w"))
    attempt("a name with a zero byte", lambda: sftp.open(f"/incoming/{other}\0.part", "w"))
    attempt("a name of the other case", lambda: sftp.open(f"/incoming/{'AB' * 32}.amanah.part", "w"))
    attempt("open NAME for writing", lambda: sftp.open(whole, "r+"))
    attempt("create a part exclusively", lambda: sftp.open(part, "wx"))
    attempt("remove NAME", lambda: sftp.remove(whole))
    attempt("remove a bundle that waits", lambda: sftp.remove(waits))
    attempt("rename to /outgoing", lambda: sftp.rename(part, f"/outgoing/{other}"))
    attempt("rename to another name", lambda: sftp.rename(part, known))
    attempt("rename a part to a part", lambda: sftp.posix_rename(part, f"/incoming/{name}.part"))
    junk = b"not what its name says" * 2000
    attempt("hand over other bytes", lambda: hand_over(whole, junk))
    attempt("look at what was handed over", lambda: sftp.stat(known))
    attempt("read what was handed over", lambda: sftp.open(known, "r"))
    attempt("write into what was handed over", lambda: sftp.open(known, "r+"))
    attempt("remove what was handed over", lambda: sftp.remove(known))
    attempt("hand over other bytes in its place", lambda: hand_over(known, junk))
    attempt("hand over what is not there", lambda: sftp.rename(part, whole))
    attempt("unknown extended request", lambda: ask(EXTENDED, "x" * 5000, "/"))
    attempt("statvfs", lambda: ask(EXTENDED, "statvfs@openssh.com", "/"))
    attempt("copy-data", lambda: ask(EXTENDED, "copy-data", b"1"))
    attempt("a malformed extended request", lambda: ask(EXTENDED, "posix-rename@openssh.com", "/"))
    attempt("a request of no type", lambda: ask(99, "/"))
    attempt("a request cut short", lambda: ask(wire.CMD_OPEN, "/"))
    attempt("a second INIT", lambda: ask(wire.CMD_INIT))
    handles(sftp, part, waits)


def handles(sftp, part, waits):
    ask, last = sftp._request, wire.int64(2**64 - 1)
    reading, writing = sftp.open(waits, "r"), sftp.open(part, "w")
    attempt("read of no bytes", lambda: ask(wire.CMD_READ, reading.handle, wire.int64(0), 0))
    attempt("read at the end of the numbers", lambda: ask(wire.CMD_READ, reading.handle, last, 100))
    attempt("write at the end of the numbers", lambda: ask(wire.CMD_WRITE, writing.handle, last, b"x"))
    attempt("write behind a hole", lambda: ask(wire.CMD_WRITE, writing.handle, wire.int64(64 << 20), b"x"))
    attempt("a handle that is none", lambda: ask(wire.CMD_READ, b"\0\xff", wire.int64(0), 100))
    for file in (reading, writing):
        file.close()
    attempt("the handle of something closed", lambda: ask(wire.CMD_FSTAT, reading.handle))
    kept = []

    def many():
        while len(kept) < 100:
            kept.append(sftp.open(waits, "r"))

    attempt("too many handles", many)
    for file in kept:
        file.close()
    sftp.remove(part)
    assert sftp.listdir("/incoming") == [] and sftp.stat(waits).st_size > 0


def wire_flags(*words):
    return sum({"read": 1, "write": 2, "append": 4}[word] for word in words)


def ssh_chapter(ssh):
    transport = ssh.get_transport()

    def on_channel(act):
        def run():
            channel = transport.open_session(timeout=PATIENCE)
            channel.settimeout(PATIENCE)
            try:
                return act(channel)
            finally:
                channel.close()

        return run

    def request(kind, *fields):
        def run(channel):
            message = Message()
            message.add_byte(bytes([98]))  # SSH_MSG_CHANNEL_REQUEST, with an answer wanted
            message.add_int(channel.remote_chanid)
            message.add_string(kind)
            message.add_boolean(True)
            for field in fields:
                message.add_string(field)
            channel._event_pending()
            transport._send_user_message(message)
            channel._wait_for_event()

        return on_channel(run)

    def twice(channel):
        channel.invoke_subsystem("sftp")
        channel.invoke_subsystem("sftp")

    def channel(kind):
        return lambda: transport.open_channel(kind, ("127.0.0.1", 22), ("127.0.0.1", 1), timeout=PATIENCE)

    def unknown():
        transport.global_request("weird@example.org", (), wait=False)
        answer = transport.global_request("weird@example.org", ())
        if answer is None and transport.is_active():
            raise paramiko.SSHException("request denied")

    kept = []

    def many():
        while len(kept) < 100:
            kept.append(transport.open_session(timeout=PATIENCE))

    attempt("exec", on_channel(lambda channel: channel.exec_command("id")))
    attempt("shell", on_channel(lambda channel: channel.invoke_shell()))
    attempt("pty", on_channel(lambda channel: channel.get_pty()))
    attempt("x11-req", on_channel(lambda channel: channel.request_x11()))
    attempt("auth-agent-req", request("auth-agent-req@openssh.com"))
    attempt("env", request("env", "LANG", "C"))
    attempt("a request that is none", request("weird@example.org"))
    attempt("another subsystem", on_channel(lambda channel: channel.invoke_subsystem("netconf")))
    attempt("a second subsystem", on_channel(twice))
    attempt("direct-tcpip", channel("direct-tcpip"))
    attempt("forwarded-tcpip", channel("forwarded-tcpip"))
    attempt("x11", channel("x11"))
    attempt("agent", channel("auth-agent@openssh.com"))
    attempt("tunnel", channel("tun@openssh.com"))
    attempt("a channel that is none", channel("weird@example.org"))
    attempt("remote forwarding", lambda: transport.request_port_forward("127.0.0.1", 0))
    attempt("a global request that is none", unknown)
    attempt("too many channels", many)
    for open_channel in kept:
        open_channel.close()
    assert ssh.open_sftp().listdir("/") == ["incoming", "outgoing"]
    plain = paramiko.Transport((host, int(port)))
    plain.start_client(timeout=PATIENCE)
    attempt("a password", lambda: plain.auth_password(party, "password"))
    plain.close()


with connect() as connection:
    (sftp_chapter if chapter == "sftp" else ssh_chapter)(connection)
