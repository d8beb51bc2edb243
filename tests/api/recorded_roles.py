"""What the cases of one role have in common."""

from typing import Any

SHIPPING: dict[str, Any] = {"role": "order_service", "purpose": "order_fulfilment", "basis": "CONTRACT"}
DUTY: dict[str, Any] = {"role": "member", "basis": "LEGAL_DUTY"}
SELF: dict[str, Any] = {"role": "member", "purpose": "self_access", "basis": "LEGAL_DUTY"}
CONSENT: dict[str, Any] = {"role": "member", "typ": "consent", "basis": "CONSENT"}
OFFICER: dict[str, Any] = {"role": "compliance_officer"}
SEEING_TO_IT: dict[str, Any] = {"role": "compliance_officer", "basis": "LEGAL_DUTY"}
PROOF: dict[str, Any] = {"role": "compliance_officer", "typ": "audit", "purpose": "audit", "basis": "LEGAL_DUTY"}
GUARDIAN: dict[str, Any] = {"role": "member", "basis": "LEGAL_DUTY", "who": "guardian"}
TASTE = {"purpose": "personalised_recommendation", "basis": "CONSENT"}
