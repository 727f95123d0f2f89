"""An HTTPS relay between storage-pure and its array that notes what was asked: version, method, path, parameters, body keys."""

import http.client
import http.server
import json
import ssl
import subprocess
import threading
import urllib.parse


def key_paths(value, prefix=""):
    """{'a', 'a.b', '[].c'}: the keys of a body, as the table of operations writes them; objects that only hold others are left out."""
    if isinstance(value, list):
        return {path for inner in value for path in key_paths(inner, "[].")}
    found = set()
    for key, inner in value.items():
        found |= key_paths(inner, f"{prefix}{key}.") if isinstance(inner, dict) and inner else {f"{prefix}{key}"}
    return found


class Recorder:
    def __init__(self, listen, array, directory):
        """`listen` and `array`: (host, port)."""
        self.seen = set()  # (version, method, path, frozenset of parameters, frozenset of body keys)
        directory.mkdir(parents=True, exist_ok=True)
        pem = directory / "relay.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=relay", "-keyout", pem, "-out", directory / "cert.pem"], check=True, capture_output=True)
        with open(pem, "a", encoding="ascii") as whole:
            whole.write((directory / "cert.pem").read_text())
        outward = ssl.create_default_context()
        outward.check_hostname, outward.verify_mode = False, ssl.CERT_NONE
        recorder = self

        class Relay(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            upstream = None

            def log_message(self, *arguments):
                pass

            def relay(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                recorder.note(self.command, self.path, body)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
                try:
                    if self.upstream is None:
                        self.upstream = http.client.HTTPSConnection(*array, context=outward, timeout=60)
                    self.upstream.request(self.command, self.path, body or None, headers)
                    answer = self.upstream.getresponse()
                    data = answer.read()
                except (OSError, http.client.HTTPException):
                    self.upstream = None
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding", "keep-alive"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = relay

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def get_request(self):
                connection, address = super().get_request()
                return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

            def handle_error(self, request, client_address):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        self.server = Server(listen, Relay)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def note(self, method, target, body):
        path, _, query = target.partition("?")
        if not path.startswith("/api/2."):
            return
        version, _, endpoint = path.removeprefix("/api/").partition("/")
        keys = key_paths(json.loads(body)) if body and endpoint not in ("login", "logout") else set()
        parameters = set(urllib.parse.parse_qs(query, keep_blank_values=True))
        self.seen.add((version, method, "/" + endpoint, frozenset(parameters), frozenset(keys)))

    def close(self):
        self.server.shutdown()
        self.server.server_close()
