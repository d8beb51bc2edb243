"""The register of processing (PIPL 55, 56): what one policy has the deployment do, in JSON's words; and what differs between two."""

import json
from collections.abc import Iterator
from typing import Any

from policies.marketing import Sender
from policies.naming import Title
from policies.terms import Catalogue, Purpose, Recipient, RecipientRole, Sensitivity
from service.campaigns.rules import carries
from service.oversight.model import Activities, Difference


def activities(catalogue: Catalogue) -> dict[str, dict[str, Any]]:
    """Every activity of the policy. It holds no personal data."""
    return {key: _activity(purpose, catalogue) for key, purpose in sorted(catalogue.purposes.items())}


def body(catalogue: Catalogue) -> str:
    """The same as it is kept, with who is responsible."""
    held = {"activities": activities(catalogue), "responsible": catalogue.controller.responsible_person}
    return json.dumps(held, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def differences(before: Activities, after: Activities) -> tuple[Difference, ...]:
    """What is new, gone or changed; of what changed, only what differs: whoever has `before` and this has `after`."""
    found = []
    for key in sorted({*before, *after}):
        was, now = before.get(key), after.get(key)
        if was is not None and now is not None:
            parts = [part for part in sorted({*was, *now}) if was.get(part) != now.get(part)]
            if not parts:
                continue
            was, now = {part: was[part] for part in parts if part in was}, {part: now[part] for part in parts if part in now}
        found.append(Difference(key, was, now))
    return tuple(found)


def _activity(purpose: Purpose, catalogue: Catalogue) -> dict[str, Any]:
    fields = {key: catalogue.fields[key] for key in sorted(purpose.fields)}
    recipients = [catalogue.recipients[key] for key in purpose.recipients]
    sensitive = sorted(key for key, field in fields.items() if field.sensitivity is Sensitivity.SENSITIVE)
    return {
        "title": _title(purpose.title),
        "version": purpose.version,
        "basis": purpose.basis.value,
        "class": purpose.purpose_class.value,
        "method": _title(purpose.method),
        "fields": {key: purpose.fields[key].value for key in fields},
        "sensitiveFields": sensitive,
        "ofChildren": purpose.of_children,
        "separateConsent": purpose.separate_consent,
        "consentMonths": purpose.consent_months,
        "automatedDecision": purpose.automated_decision,
        "personalisation": purpose.personalisation,
        "channel": purpose.channel or "",
        "retentionMonths": purpose.retention_months,
        "recipients": [_recipient(recipient) for recipient in recipients],
        "senders": [_sender(sender) for sender in _senders(purpose, catalogue)],
        "roles": sorted(purpose.roles),
        "notice": purpose.notice_section,
        "assessment": purpose.pia,
        "triggers": _triggers(purpose, recipients, sensitive=bool(sensitive)),
        "measures": {
            "sealedFields": sorted(key for key, field in fields.items() if field.sealed),
            "maskedFields": sorted(key for key, shape in purpose.fields.items() if shape.value == "masked"),
        },
        "controller": catalogue.controller.id,
        "responsible": catalogue.controller.responsible_person,
        "storage": _title(catalogue.controller.storage_location),
    }


def _triggers(purpose: Purpose, recipients: list[Recipient], *, sensitive: bool) -> list[str]:
    """Which cases of PIPL 55 the activity is one of: for these an assessment and a record of handling are owed."""
    roles = {recipient.role for recipient in recipients}
    cases = {
        "55(1) SENSITIVE": sensitive or purpose.of_children,
        "55(2) AUTOMATED_DECISION": purpose.automated_decision,
        "55(3) ENTRUSTED_OR_PROVIDED": bool(roles),
        "55(4) OVERSEAS": RecipientRole.OVERSEAS in roles,
    }
    return [case for case, holds in cases.items() if holds]


def _recipient(recipient: Recipient) -> dict[str, Any]:
    return {
        "key": recipient.key,
        "name": _title(recipient.name),
        "role": recipient.role.value,
        "contract": recipient.contract,
        "region": recipient.region,
    }


def _senders(purpose: Purpose, catalogue: Catalogue) -> Iterator[Sender]:
    """Who is handed the members' addresses, with the words, when something is sent for this purpose: they stand in marketing.toml."""
    for _, sender in sorted(catalogue.senders.items()):
        if any(carries(purpose, each, catalogue.channels[sender.channel]) for each in sender.classes):
            yield sender


def _sender(sender: Sender) -> dict[str, Any]:
    return {
        "key": sender.key,
        "channel": sender.channel,
        "vendor": sender.vendor.value,
        "classes": sorted(sender.classes),
        "identity": sender.identity,
        "address": sender.address,
    }


def _title(title: Title) -> dict[str, str]:
    return {"zh": title.zh, "en": title.en}
