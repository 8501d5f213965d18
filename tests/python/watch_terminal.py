"""Drives `amanah status --watch` on a terminal: two pictures, then each way to end it.

Usage: watch_terminal.py PROGRAM ARGUMENT… ; exits 0 when the terminal was given back each time.
"""
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios

PATIENCE_SECS = 60
PICTURE = b"\x1b[?2026h"


def watched(end):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    before = termios.tcgetattr(slave)
    child = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    seen = b""
    while seen.count(PICTURE) < 2:
        ready, _, _ = select.select([master], [], [], PATIENCE_SECS)
        assert ready, f"no picture came: {seen!r}"
        seen += os.read(master, 65536)
    assert termios.tcgetattr(slave) != before, "keys are read one by one"
    end(master, child)
    while child.poll() is None:
        ready, _, _ = select.select([master], [], [], 0.1)
        if ready:
            seen += os.read(master, 65536)
    while select.select([master], [], [], 0)[0]:
        seen += os.read(master, 65536)
    assert child.returncode == 0, child.returncode
    assert termios.tcgetattr(slave) == before, "the terminal is as it was"
    assert seen.startswith(b"\x1b[?1049h") and seen.endswith(b"\x1b[?1049l"), seen
    assert b"\x1b[2J" not in seen, "nothing is blanked before it is drawn again"
    os.close(master)
    os.close(slave)
    return seen.decode(errors="replace")


picture = watched(lambda master, child: os.write(master, b"q"))
watched(lambda master, child: os.write(master, b"\x03"))
watched(lambda master, child: child.terminate())
print(picture)
