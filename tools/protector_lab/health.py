"""Is it up? gRPC health v1 over a hand-made HTTP/2 request (the standard library has no gRPC), and plain HTTP."""

import socket
import struct
import urllib.error
import urllib.request

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, GOAWAY = 0, 1, 4, 6, 7
SERVING = 1


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def literal(name, value):
    # HPACK: literal header field without indexing, new name, no Huffman coding.
    return b"\x00" + bytes((len(name),)) + name.encode() + bytes((len(value),)) + value.encode()


def read_exactly(connection, count):
    data = b""
    while len(data) < count:
        chunk = connection.recv(count - len(data))
        if not chunk:
            raise ConnectionError("closed")
        data += chunk
    return data


def grpc_serving(address, tls, service="", timeout=2.0):
    """True when the server at "host:port" answers grpc.health.v1.Health/Check with SERVING. `tls`: an ssl.SSLContext."""
    host, port = address.rsplit(":", 1)
    body = (b"\x0a" + bytes((len(service),)) + service.encode()) if service else b""
    headers = b"".join(literal(*pair) for pair in (
        (":method", "POST"), (":scheme", "https"), (":path", "/grpc.health.v1.Health/Check"), (":authority", address),
        ("content-type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", f"{int(timeout * 1000)}m")))
    try:
        with socket.create_connection((host, int(port)), timeout) as plain, tls.wrap_socket(plain) as connection:
            connection.sendall(PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, 0x4, 1, headers) +
                               frame(DATA, 0x1, 1, b"\x00" + struct.pack(">I", len(body)) + body))
            while True:
                head = read_exactly(connection, 9)
                kind, flags = head[3], head[4]
                payload = read_exactly(connection, int.from_bytes(head[:3], "big"))
                if kind == SETTINGS and not flags & 1:
                    connection.sendall(frame(SETTINGS, 1, 0))
                elif kind == PING and not flags & 1:
                    connection.sendall(frame(PING, 1, 0, payload))
                elif kind == DATA and payload:
                    message = payload[5:]
                    return len(message) >= 2 and message[0] == 0x08 and message[1] == SERVING
                elif kind == GOAWAY or (kind == HEADERS and flags & 1):
                    return False
    except (OSError, ValueError, IndexError):
        return False


def http_ok(url, timeout=2.0):
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError, ValueError):
        return False
