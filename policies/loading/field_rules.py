"""What must hold for every field: classified (PIPL 28), sealed, needed by a purpose, kept no longer than that needs it."""

from collections.abc import Callable

from policies.bulk import BulkClass
from policies.loading import faults
from policies.loading.problems import Findings
from policies.terms import Catalogue, Field, LookupKind, Sensitivity, ValueType

PLAINTEXT = frozenset({"tier", "points", "joined_on", "tags"})
"""The four fields that have a column of their own, so that lists can be ordered and counted by them. They identify
nobody alone.
"""

_FIELDS = "fields.toml"
_PURPOSES = "purposes.toml"


def _category(field: Field, catalogue: Catalogue, findings: Findings) -> None:
    key = f"fields.{field.key}"
    category = catalogue.categories.get(field.category)
    if findings.spoiled(_FIELDS, f"{key}.category", "categories"):
        return
    if category is None:
        findings.add(_FIELDS, f"{key}.category", faults.CATEGORY_UNKNOWN)
    elif category.sensitive and field.sensitivity is Sensitivity.GENERAL and not findings.spoiled(_FIELDS, f"{key}.sensitivity"):
        findings.add(_FIELDS, f"{key}.sensitivity", faults.CLASSIFICATION, name=category.key)
    elif category.of_children and not category.sensitive:
        findings.add(_FIELDS, f"categories.{category.key}.sensitive", faults.CLASSIFICATION, name=category.key)
    elif (
        category.sensitive
        and category.bulk is BulkClass.OTHER
        and not findings.spoiled(_FIELDS, f"categories.{category.key}.bulk")
    ):
        findings.add(_FIELDS, f"categories.{category.key}.bulk", faults.BULK_LAX)


def _sealing(field: Field, _: Catalogue, findings: Findings) -> None:
    key = f"fields.{field.key}"
    if findings.spoiled(_FIELDS, f"{key}.sealed"):
        return
    if field.sealed is (field.key in PLAINTEXT):
        findings.add(_FIELDS, f"{key}.sealed", faults.SEALED)
    elif field.lookup is not LookupKind.NONE and not (field.sealed and field.value_type is ValueType.TEXT):
        findings.add(_FIELDS, f"{key}.lookup", faults.LOOKUP)


def _need(field: Field, catalogue: Catalogue, findings: Findings) -> None:
    """PIPL 6 and 19: what no purpose needs is not held, and nothing is held longer than some purpose needs it."""
    key = f"fields.{field.key}"
    users = [p for p in catalogue.purposes.values() if field.key in p.fields]
    if findings.spoiled(_PURPOSES, "purposes", *(f"purposes.{p.key}.retention_months" for p in users)):
        return
    if all(purpose.self_service for purpose in users):
        findings.add(_FIELDS, key, faults.FIELD_UNUSED)
        return
    longest = max(purpose.retention_months for purpose in users)
    if field.retention_months > longest:
        findings.add(_FIELDS, f"{key}.retention_months", faults.KEPT_TOO_LONG, longest=longest)


FieldRule = Callable[[Field, Catalogue, Findings], None]
RULES: tuple[FieldRule, ...] = (_category, _sealing, _need)
