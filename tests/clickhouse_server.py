"""ClickHouse's engine behind ClickHouse's HTTP protocol, as far as clickhouse-connect and shippers use it.

No server of a current version is in a package registry, but its engine is, in chdb: this serves it in a
process of its own, on a port that it prints, until its standard input ends. Two users: `default` without
a password, and `kim` with one. Its cluster `two` is itself, twice: each shard has a half of `both.lines`.
"""

from __future__ import annotations

import base64
import os
import re
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import chdb


PASSWORDS = {"default": "", "kim": "s3cret/p@ss"}
CONFIG = """
<clickhouse><tcp_port>9000</tcp_port><remote_servers><two>
    <node1><host>127.0.0.1</host></node1><node2><host>127.0.0.1</host></node2>
</two></remote_servers></clickhouse>
"""
CODE = re.compile(r"Code: (\d+)")
LOCK = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: the second would wait for the first's receipt

    def do_GET(self):
        self._answer(200, b"Ok.\n")

    def do_POST(self):
        url = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        user, _, password = self._credentials().partition(":")
        if PASSWORDS.get(user) != password:
            return self._refuse(f"Code: 516. DB::Exception: {user}: Authentication failed.")

        try:
            with LOCK:
                self._answer(200, self._run(url, body))
        except Exception as error:
            self._refuse(str(error))

    def _credentials(self):
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        return base64.b64decode(encoded).decode() if scheme == "Basic" else "default:"

    def _run(self, url, body):
        names = {key[6:]: value for key, value in url.items() if key.startswith("param_")}
        if "query" in url:  # what is in the body is data
            with tempfile.NamedTemporaryFile() as file:
                Path(file.name).write_bytes(body)
                query = f"FROM INFILE '{file.name}' COMPRESSION 'none' FORMAT"
                sql = url["query"].replace("FORMAT", query)
                return CONNECTION.query(sql, params=names).bytes()

        form = url.get("default_format", "TabSeparated")
        return CONNECTION.query(body.decode(), form, params=names).bytes()

    def _refuse(self, problem):
        code = CODE.search(problem)
        self._answer(403 if code and code[1] == "516" else 500, problem.encode(), code and code[1])

    def _answer(self, status, body, code=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if code:
            self.send_header("X-ClickHouse-Exception-Code", code)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.xml")
        config.write_text(CONFIG)
        CONNECTION = chdb.connect(f":memory:?config-file={config}")
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_port, flush=True)
        sys.stdin.read()
    os._exit(0)  # the engine says at length that it was not shut down
