"""A gRPC client for what no command of `protector` would ever send: stale epochs, forged sites.

Messages are protobuf text, turned into bytes by protoc, so that no generated code is needed.
"""

import pathlib
import subprocess

import grpc
from protector_lab import pki

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _protoc(direction, message, data):
    area = message.split(".")[1]
    done = subprocess.run(["protoc", f"--{direction}={message}", f"-I{ROOT}/proto", *map(str, (ROOT / "proto" / "protector" / area / "v1").glob("*.proto"))],
                          input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise ValueError(done.stderr.decode())
    return done.stdout


def channel(site, service, caller):
    """To a service, with the certificate of `caller`: (site, program)."""
    keys = pki.directory(caller[0])
    program = caller[1]
    credentials = grpc.ssl_channel_credentials((keys / "ca.pem").read_bytes(), (keys / f"{program}.key").read_bytes(), (keys / f"{program}.pem").read_bytes())
    return grpc.secure_channel(site.address(service), credentials, (("grpc.ssl_target_name_override", f"{service}.{site.name}.protector"),))


def call(site, service, method, request_type, request_text, response_type, caller=None, timeout=10, token=None, more=()):
    """Returns the answer as protobuf text; raises grpc.RpcError. Who calls is the orchestrator of the same site unless `caller` says who;
    `token` is the user's that a `cli` calls for."""
    with channel(site, service, caller or (site, "orchestrator")) as opened:
        invoke = opened.unary_unary(f"/{method}", request_serializer=None, response_deserializer=None)
        metadata = ((("x-protector-token", token),) if token is not None else ()) + tuple(more)
        answer = invoke(_protoc("encode", request_type, request_text.encode()), timeout=timeout, metadata=metadata)
    return _protoc("decode", response_type, answer).decode()


def code_of(error):
    return error.code().name


def field(text, name):
    """First value of a field in protobuf text, unquoted."""
    for line in text.splitlines():
        key, _, value = line.strip().partition(": ")
        if key == name:
            return value.strip('"')
    return None
