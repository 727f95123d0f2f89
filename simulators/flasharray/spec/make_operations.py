#!/usr/bin/env python3
"""Makes operations.inc: what every REST operation takes and returns, by version.

Input: the table of operations (TSV, derived from the vendor's OpenAPI files 2.0 to 2.56) and JSON schemas derived from
the same files for 2.4, 2.15 and 2.26 (PureStorage-OpenConnect/swagger, Apache-2.0; paths and prose cut, types kept).
The table knows in which version a property of the first or second level appeared; deeper ones are dated by the first of
the three schemas that has them.

    make_operations.py operations.tsv schema-2.4.json schema-2.15.json schema-2.26.json > operations.inc

One line per operation: METHOD path since|parameters|body keys|shape of one item|properties of the envelope
  name@N       exists from version 2.N (no mark: from 2.0 or as old as the operation)
  name{...}    an object, name[]{...} a list of objects, name[] a list of plain values
"""
import csv
import json
import sys

LAST = 26


def minor(text):
    return int(text.split(".")[1])


def flatten(schema, definitions):
    """Property name -> None (plain), dict (object) or [inner] (list)."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].split("/")[-1]]
    out = {}
    for part in schema.get("allOf", []):
        inner = flatten(part, definitions)
        if isinstance(inner, dict):
            out.update(inner)
    for name, part in schema.get("properties", {}).items():
        out[name] = flatten(part, definitions)
    if out:
        return out
    kind = schema.get("type")
    kind = [k for k in kind if k != "null"][0] if isinstance(kind, list) else kind
    if kind == "array":
        return [flatten(schema["items"], definitions)]
    return None


def items_of(document, key):
    if key not in document["responses"]:
        return None, None
    whole = flatten(document["responses"][key], document["definitions"])
    items = whole.pop("items", [None]) if isinstance(whole, dict) else [None]
    return items[0], whole


def has(tree, path):
    for name in path:
        if isinstance(tree, list):
            tree = tree[0]
        if not isinstance(tree, dict) or name not in tree:
            return False
        tree = tree[name]
    return True


def marks(cell):
    """'a,b.c@2.6,d[]' -> {'a': 0, 'b.c': 6, 'd': 0}; the marks of the table."""
    out = {}
    for word in filter(None, cell.split(",")):
        name, _, since = word.partition("@")
        out[name.replace("[]", "")] = minor(since) if since else 0
    return out


def render(tree, path, dates, old4, old15, first):
    parts = []
    for name, inner in tree.items():
        here = path + [name]
        dotted = ".".join(here)
        known = [v for k, v in dates.items() if k == dotted or k.startswith(dotted + ".")]
        if known:
            since = min(known)
        elif old4 is not None and has(old4, here):
            since = 0
        elif old15 is not None and has(old15, here):
            since = 15 if (first <= 4 and old4 is not None) else 0
        else:
            since = LAST if old15 is not None else 0
        text = name
        body = inner
        if isinstance(inner, list):
            text += "[]"
            body = inner[0]
        if since > first:
            text += "@%d" % since
        if isinstance(body, dict):
            text += "{" + render(body, here, dates, old4, old15, first) + "}"
        parts.append(text)
    return ",".join(parts)


# Answers of operations that the schemas leave out: the table has the first level, and an operation of the same kind the second.
RELATED = {"/pods/space": "GET /pods", "/protection-groups/space": "GET /volumes/space"}


def nested(names):
    """{'group': {'name': None}, 'time': None} of ['group.name', 'time']."""
    tree = {}
    for name in names:
        *parents, last = name.split(".")
        inner = tree
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = None
    return tree


def from_table(row, path, schemas):
    """(trees of 2.4, 2.15 and 2.26, envelope) of a GET that is in the table only."""
    names = [name for name, since in marks(row["response_item"]).items() if since <= LAST and not name.startswith("+")]
    trees = [nested(names) for _ in schemas]
    for tree, schema in zip(trees, schemas):
        if "space" in tree:
            tree["space"] = items_of(schema, RELATED[path])[0]["space"]
    envelope = ["continuation_token", "more_items_remaining", "total_item_count"]
    return trees, envelope + (["total"] if "+total[]" in row["response_item"] else [])


def words(cell, first):
    out = []
    for word in filter(None, cell.split(",")):
        if "{" in word:
            continue
        name, _, since = word.partition("@")
        if since and minor(since) > LAST:
            continue
        out.append(name + ("@%d" % minor(since) if since and minor(since) > first else ""))
    return ",".join(out)


def main():
    table, *schemas = sys.argv[1:]
    s4, s15, s26 = (json.load(open(name)) for name in schemas)
    print("// Made by make_operations.py; do not edit. Derived from the FlashArray OpenAPI files")
    print("// (PureStorage-OpenConnect/swagger, Apache-2.0); changed: prose dropped, one line per operation.")
    print('R"operations(')
    with open(table, newline="") as stream:
        rows = csv.DictReader((line for line in stream if not line.startswith("#")), delimiter="\t",
                              quoting=csv.QUOTE_NONE)
        for row in rows:
            if not row["endpoint"].startswith("/api/2.x/") or minor(row["first_version"]) > LAST:
                continue
            path = row["endpoint"][len("/api/2.x"):]
            first = minor(row["first_version"])
            key = row["method"] + " " + path
            old4, old15 = items_of(s4, key)[0], items_of(s15, key)[0]
            tree, envelope = items_of(s26, key)
            if tree is None and row["method"] == "GET" and row["response_item"] and ("space" not in marks(row["response_item"]) or path in RELATED):
                (old4, old15, tree), envelope = from_table(row, path, (s4, s15, s26))
            shape = ""
            if isinstance(tree, dict):
                shape = render(tree, [], marks(row["response_item"]), old4, old15, first)
            print("|".join([f"{key} {first}", words(row["params"], first), words(row["body"], first), shape,
                            ",".join(envelope or {})]))
    print(')operations"')


main()
