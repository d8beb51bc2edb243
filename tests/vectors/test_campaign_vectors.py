"""The digests that an approval signs, and the texts that are stored, against their vectors: made with `json` and `hashlib` alone."""

import hashlib

import pytest

from service.campaigns.model import campaign_digest, canonical, content_document, template_digest, template_document
from service.campaigns.parsing import archived, parse_archived, parse_content, parse_template
from service.errors import Malformed
from tests.vectors.reading import Case, cases


@pytest.mark.parametrize("case", cases("campaign", "templates"))
def test_a_template(case: Case) -> None:
    if case["expect"] == "Malformed":
        with pytest.raises(Malformed):
            parse_template(case["text"])
        return
    body = parse_template(case["text"])
    assert canonical(template_document(body)) == case["text"]
    assert template_digest(body).hex() == case["digest"]
    assert hashlib.sha256(b"menshen/template/v1\0" + case["text"].encode()).hexdigest() == case["digest"]


@pytest.mark.parametrize("case", cases("campaign", "campaigns"))
def test_a_campaign(case: Case) -> None:
    if case["expect"] == "Malformed":
        with pytest.raises(Malformed):
            parse_content(case["text"])
        return
    content = parse_content(case["text"])
    assert canonical(content_document(content)) == case["text"]
    assert campaign_digest(content).hex() == case["digest"]
    assert hashlib.sha256(b"menshen/campaign/v1\0" + case["text"].encode()).hexdigest() == case["digest"]


@pytest.mark.parametrize("case", cases("campaign", "steps"))
def test_an_archived_step(case: Case) -> None:
    if case["expect"] == "Malformed":
        with pytest.raises(Malformed):
            parse_archived(case["text"])
        return
    content, words = parse_archived(case["text"])
    assert archived(content, words) == case["text"]
    assert campaign_digest(content).hex() == case["digest"]
    assert content.template_digest == template_digest(words).hex()
