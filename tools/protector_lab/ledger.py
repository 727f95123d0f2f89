"""How many acknowledged writes a move lost, from the ledgers of both clouds."""


def last_acknowledged(source_ledger, lineage, before_ms=None):
    """Highest sequence that a guest of the source had acknowledged; with before_ms: up to that moment (a disaster)."""
    ranges = source_ledger["lineages"].get(lineage, {}).get("acknowledged", [])
    best = 0
    for entry in ranges:
        if before_ms is None or entry["last_ms"] <= before_ms:
            best = max(best, entry["last"])
        elif entry["first_ms"] <= before_ms:
            # A range that spans the moment: its records are evenly numbered, and the caller may ask for details.
            details = source_ledger["lineages"][lineage].get("records") or []
            best = max([best] + [sequence for sequence, time_ms in details if time_ms <= before_ms])
    return best


def found_at_boot(target_ledger, server_ids):
    """{lineage: finding} of the volumes of these servers (the target's, after the move)."""
    found = {}
    for volume in target_ledger["volumes"]:
        if volume["server_id"] in server_ids:
            finding = volume.get("found_at_boot")
            found[volume["lineage"]] = finding or {"sequence": 0, "time_ms": 0}
    return found


def lost_writes(source_ledger, target_ledger, target_server_ids, before_ms=None):
    """{lineage: number of acknowledged records that the target did not find}."""
    lost = {}
    for lineage, finding in found_at_boot(target_ledger, target_server_ids).items():
        lost[lineage] = max(0, last_acknowledged(source_ledger, lineage, before_ms) - finding["sequence"])
    return lost
