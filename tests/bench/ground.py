"""The ground of the figures: two ministries founded by the commands of the README, their daemons, and an OpenSSH
server for the stock tools, all on loopback in one temporary folder. Nothing is left running or lying about."""

import contextlib
import getpass
import hashlib
import json
import mmap
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLOWS = {"urgent": "kabar-darurat", "normal": "manifes-umrah", "bulk": "arsip-manifes"}
BYTES_MAX = "1TB"
WAIT_SECS = 1800


def run(*words, **options):
    """Runs a command to its end; its output is the answer, a failure ends the whole run."""
    done = subprocess.run([str(word) for word in words], text=True, capture_output=True, check=False, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, words))}\nended with {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout


def wait_until(what, condition, pause=0.0005):
    """Waits for what another process does, never beyond half an hour."""
    until = time.monotonic() + WAIT_SECS
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > until:
            raise SystemExit(f"{what}: did not come within {WAIT_SECS} s")
        time.sleep(pause)


def calm():
    """Has everything written: what a turn leaves to the disk, the next one would pay, and only ours waits for the disk."""
    os.sync()


def touched(wanted):
    """Takes so many bytes of memory, at most half of what is free, and gives them back. A virtual machine is given memory by its host
    when it first uses it, at a price, and loses it again after a while: who runs after memory was set free would not pay it, and who
    runs after others would. So it is taken before each act that is timed, of either side."""
    with open("/proc/meminfo", encoding="ascii") as lines:
        free = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    wanted = min(wanted, free * 1024 // 2)
    if wanted > 0:
        with mmap.mmap(-1, wanted) as memory:
            for place in range(0, wanted, mmap.PAGESIZE):
                memory[place] = 1


def shell(command):
    """Runs a pipeline; returns the seconds."""
    begun = time.monotonic()
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command}\nended with {done.returncode}: {done.stderr}")
    return time.monotonic() - begun


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Ministry:
    """One party: its folder is configuration and home in one."""

    def __init__(self, ground, party):
        self.ground, self.party = ground, party
        self.home = ground.folder / party
        self.daemon = None

    def amanah(self, *words):
        return run(self.ground.program("amanah"), *words, "--home", self.home)

    def start(self):
        log = open(self.home.with_suffix(".log"), "ab")
        command = [self.ground.program("amanahd"), "run", "--config", self.home / "amanah.toml"]
        self.daemon = subprocess.Popen(command, stdout=log, stderr=log)
        log.close()

    def stop(self):
        if self.daemon is not None:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait(20)
            self.daemon = None

    def status(self):
        try:
            return json.loads((self.home / "status.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def peak_mebibytes(self):
        """The daemon's peak resident memory since it started or since `forget_peak`."""
        for line in pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise SystemExit("no VmHWM in /proc")

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.daemon.pid}/clear_refs").write_text("5")

    def cpu_seconds(self):
        """User and system time of the daemon so far."""
        fields = pathlib.Path(f"/proc/{self.daemon.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Ground:
    """Two ministries that are connected, and an SSH server beside them."""

    def __init__(self, binaries):
        self.binaries = pathlib.Path(binaries)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="amanah-bench-", dir=os.environ.get("TMPDIR")))
        self.port = free_port()
        self.sender, self.receiver = Ministry(self, "kemenhaj"), Ministry(self, "imigrasi")
        self.sshd = None

    def program(self, name):
        return self.binaries / name

    def __enter__(self):
        try:
            self._found()
            self._start_sshd()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for ministry in (self.sender, self.receiver):
            ministry.stop()
        if self.sshd is not None:
            self.sshd.terminate()
            self.sshd.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _found(self):
        sender, receiver, address = self.sender, self.receiver, f"127.0.0.1:{self.port}"
        names = ("--name", "Kementerian Contoh", "--contact", "Piket, contoh.test")
        sender.amanah("init", "--party", sender.party, *names)
        receiver.amanah("init", "--party", receiver.party, *names, "--address", address, "--network", "127.0.0.0/8")
        for owner, other, dial in ((receiver, sender, ("--dial", address)), (sender, receiver, ())):
            card = self.folder / f"{owner.party}.card.amanah"
            told = json.loads(owner.amanah("card", "export", card, "--json"))
            other.amanah("peer", "add", card, "--fingerprint", told["fingerprint"], *dial)
        name = self._draft()
        half, whole = self.folder / "half.amanah", self.folder / "whole.amanah"
        sender.amanah("agreement", "sign", name)
        sender.amanah("agreement", "export", name, half)
        receiver.amanah("agreement", "import", half)
        receiver.amanah("agreement", "sign", name)
        receiver.amanah("agreement", "export", name, whole)
        sender.amanah("agreement", "import", whole)
        self._configure()
        self.start()

    def _configure(self):
        """Nothing beyond what `init` wrote."""

    def _draft(self):
        """An agreement of one flow for each lane; its id."""
        sender, receiver = self.sender, self.receiver
        flows = [word for lane, flow in FLOWS.items() for word in ("--flow", f"{flow}:out:{BYTES_MAX}:{lane}")]
        sender.amanah(
            "agreement", "draft", "--id", "pks-contoh", "--peer", receiver.party, "--title", "Ukuran", *flows,
            "--from", time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400)),
            "--until", time.strftime("%Y-%m-%d", time.gmtime(time.time() + 300 * 86400)),
            "--purpose", "ukuran:Mengukur", "--legal-basis", "contoh", "--dpia", "contoh",
            "--officer", "a@contoh.test", "--peer-officer", "b@contoh.test",
        )
        return "pks-contoh"

    def start(self):
        """Starts both daemons and waits for their connection."""
        self.receiver.start()
        self.sender.start()

        def connected():
            for side in (self.sender, self.receiver):
                if side.daemon.poll() is not None:
                    raise SystemExit(side.home.with_suffix(".log").read_text())
            return any(peer.get("connected") for peer in self.sender.status().get("peers", []))

        wait_until("the connection", connected)

    def restart(self):
        """Fresh processes: what they hold in memory begins anew."""
        self.sender.stop()
        self.receiver.stop()
        self.start()

    def outbox(self, lane):
        """Of a lane's flow, or of a flow by its name."""
        return self.sender.home / "outbox" / self.receiver.party / FLOWS.get(lane, lane)

    def sent(self, lane):
        return self.sender.home / "sent" / self.receiver.party / FLOWS.get(lane, lane)

    def inbox(self, lane):
        return self.receiver.home / "inbox" / self.sender.party / FLOWS.get(lane, lane)

    def _start_sshd(self):
        """A stock server: key login, no other limits than its defaults."""
        place = self.folder / "ssh"
        place.mkdir(mode=0o700)
        for name in ("host", "user"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / name)
        shutil.copy(place / "user.pub", place / "authorized_keys")
        port = free_port()
        (place / "sshd_config").write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {place}/host\nPidFile none\nStrictModes no\n"
            f"AuthorizedKeysFile {place}/authorized_keys\nPasswordAuthentication no\nUsePAM no\n"
            "Subsystem sftp internal-sftp\nMaxStartups 100\n"
        )
        os.makedirs("/run/sshd", exist_ok=True)
        server = shutil.which("sshd") or "/usr/sbin/sshd"
        self.sshd = subprocess.Popen([server, "-D", "-e", "-f", place / "sshd_config"], stderr=subprocess.DEVNULL)
        self.host = f"{getpass.getuser()}@127.0.0.1"
        self.options = [
            "-F", "none", "-i", str(place / "user"), "-o", f"Port={port}", "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes",
        ]
        wait_until("sshd", lambda: _answers(port), 0.05)

    def ssh(self):
        """The `ssh` command line as text, for pipelines of the shell."""
        return " ".join(["ssh", *self.options, self.host])


def _answers(port):
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
