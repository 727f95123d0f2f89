"""JSON over HTTP with the standard library."""

import json
import urllib.error
import urllib.parse
import urllib.request


class HttpError(Exception):
    def __init__(self, method, url, status, text):
        super().__init__(f"{method} {url}: {status} {text[:400]}")
        self.status = status
        self.text = text


def call(method, url, body=None, headers=None, timeout=60):
    """(status, headers, decoded body); HttpError from 400 on."""
    data = None if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
    request = urllib.request.Request(url, data=data, method=method, headers={
        "Content-Type": "application/json", "Accept": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            text = answer.read()
            return answer.status, answer.headers, decode(text)
    except urllib.error.HTTPError as error:
        raise HttpError(method, url, error.code, error.read().decode(errors="replace")) from None


def decode(text):
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def quote(text):
    return urllib.parse.quote(text, safe="")
