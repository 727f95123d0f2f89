"""The vendor's schema of REST 2.26, and the stricter rule that captured arrays follow: every property, and no other."""
import json
import os

import jsonschema

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "flasharray-2.26.schema.json"), encoding="utf-8") as stream:
    SCHEMA = json.load(stream)
DEFINITIONS = SCHEMA["definitions"]
_validators = {}


def _flatten(schema):
    """All properties of a schema, its references and its allOf parts."""
    if "$ref" in schema:
        schema = DEFINITIONS[schema["$ref"].split("/")[-1]]
    properties = dict(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        properties.update(_flatten(part)[0])
    return properties, schema


def exact(value, schema, where="answer"):
    """Raises for a key that is missing or too many, at any depth."""
    properties, resolved = _flatten(schema)
    if isinstance(value, dict) and properties:
        assert set(value) == set(properties), (
            f"{where}: missing {sorted(set(properties) - set(value))}, extra {sorted(set(value) - set(properties))}")
        for key, inner in value.items():
            exact(inner, properties[key], f"{where}.{key}")
    if isinstance(value, list) and "items" in resolved:
        for number, inner in enumerate(value):
            exact(inner, resolved["items"], f"{where}[{number}]")


def check_answer(method, path, body):
    """Validates the body of a 200 of REST 2.26."""
    key = f"{method} {path}"
    schema = SCHEMA["responses"].get(key)
    assert schema is not None, f"no schema for {key}"
    if key not in _validators:
        _validators[key] = jsonschema.Draft7Validator({**schema, "definitions": DEFINITIONS})
    _validators[key].validate(body)
    exact(body, schema, key)
