"""A log that goes on from one that was closed: its entry 0 names that one, and holds its last checkpoint (docs/formats/audit-entry.md)."""

import json

from menshen_verifier import merkle
from menshen_verifier.entry import parse_entry
from menshen_verifier.errors import Malformed
from menshen_verifier.export import Export, Manifest
from menshen_verifier.tiles import parse_bundle


def continued(export: Export, manifest: Manifest, size: int) -> tuple[str, int] | None:
    """The closed log's name and the size of its last checkpoint; None where entry 0 is not in this export, or says nothing of the kind.

    It is what the entry says. Whether the entry is the one that was signed, the replay has found out.
    """
    raw = export.bundle(0, min(merkle.TILE_WIDTH, size)) if manifest.first == 0 < manifest.end else None
    try:
        entry = parse_bundle(raw or b"")[0]
        parse_entry(entry)
        said = json.loads(entry)
        name, last = said["x"]["origin"], said["x"]["size"]
    except (Malformed, IndexError, KeyError):
        return None
    fits = said["typ"] == "genesis" and isinstance(name, str) and name.isprintable() and type(last) is int
    return (name, last) if fits else None
