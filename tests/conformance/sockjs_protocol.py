#!/usr/bin/env python3
"""Runs sockjs-protocol's own tests (0.3.3) on the server's conformance profile.

    tests/conformance/sockjs_protocol.py CHECKOUT [unittest argument...]

CHECKOUT is a clone of github.com/sockjs/sockjs-protocol. Its files are for Python 2: this makes
copies that Python 3 runs, in build/conformance/, and a virtual environment with the two WebSocket
clients that they use. What is changed is listed below: syntax, names of modules, and that Python 2's
strings are bytes. No test is left out or changed in what it asks for.
"""

import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "build" / "conformance" / "sockjs"
PROGRAM = pathlib.Path(os.environ.get("RTC_BINARY", ROOT / "build" / "release" / "realtimechat"))
CLIENTS = ["websocket-client==1.9.0", "ws4py==0.6.0"]

TEST_FILE = "sockjs-protocol.py"
TEST_CHANGES = [
    (r"import unittest2 as unittest", "import unittest"),
    (r"lambda\(ws\):", "lambda ws:"),
    (r"\bunichr\(", "chr("),
    (r"\[int, long\]", "[int]"),
    # A body is bytes to Python 2, which reads JSON from them as UTF-8.
    (r"a = json\.loads\(recv\)", "a = json.loads(recv.encode('latin-1'))"),
]

UTILS_FILE = "utils.py"
UTILS_CHANGES = [
    (r"^import urlparse$", "import urllib.parse as urlparse"),
    (r"^import httplib_fork as httplib$", "import http.client as httplib"),
    (r"^import Queue$", "import queue as Queue"),
    (r"\basync\b", "is_async"),
    (r"method is 'POST'", "method == 'POST'"),
    (r"isinstance\(body, unicode\)", "isinstance(body, str)"),
    (r"unicode\(str\(m\), 'utf-8'\)", "m.data.decode('utf-8')"),
    (r"queue\.put\(\(code, reason\)\)", "queue.put((code, as_text(reason)))"),
    (r"\(body or ''\)\.encode\('utf-8'\)", "(body or '').encode('utf-8').decode('latin-1')"),
    (r"socket\.create_connection\(([^\n]*), timeout=1\)$", r"ByteSocket(\1)"),
]
# One character a byte, as Python 2's strings have it.
UTILS_ADDED = '''
def as_text(data):
    return data.decode('utf-8') if isinstance(data, bytes) else data

class ByteSocket:
    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=1)
    def recv(self, size):
        return self.socket.recv(size).decode('latin-1')
    def sendall(self, text):
        self.socket.sendall(text.encode('latin-1'))
    def settimeout(self, seconds):
        self.socket.settimeout(seconds)
    def close(self):
        self.socket.close()
'''


def convert(source, changes, added=""):
    text = source.read_text(encoding="utf-8")
    for pattern, replacement in changes:
        text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        if count == 0:
            sys.exit(f"{source}: nothing there for {pattern!r}: is it another version?")
    (WORK / source.name).write_text(text + added, encoding="utf-8")


def prepare(checkout):
    for name in (TEST_FILE, UTILS_FILE):
        if not (checkout / name).is_file():
            sys.exit(f"{checkout} is not a clone of github.com/sockjs/sockjs-protocol: no {name}")
    WORK.mkdir(parents=True, exist_ok=True)
    convert(checkout / TEST_FILE, TEST_CHANGES)
    convert(checkout / UTILS_FILE, UTILS_CHANGES, UTILS_ADDED)
    python = WORK / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(WORK / "venv", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *CLIENTS], check=True)
    return python


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, server):
    for _ in range(500):
        if server.poll() is not None:
            sys.exit("the server ended at its start")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    sys.exit("the server does not listen")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    python = prepare(pathlib.Path(sys.argv[1]))
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        server = subprocess.Popen([
            PROGRAM, "--listen", f"127.0.0.1:{port}", "--data-dir", data, "--conformance", "true"
        ])
        try:
            wait_for(port, server)
            environment = dict(os.environ, SOCKJS_URL=f"http://localhost:{port}")
            tests = subprocess.run([python, "-W", "ignore::ResourceWarning", WORK / TEST_FILE, *sys.argv[2:]], env=environment,
                                   cwd=WORK, check=False)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
    sys.exit(tests.returncode)


if __name__ == "__main__":
    main()
