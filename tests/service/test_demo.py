"""`menshen demo`: members that nobody is, with consents that count, and four calls that do what they say."""

import asyncio
import json
import re

import pytest
from typer.testing import CliRunner

from service.app import parts
from service.cli import menshen
from service.consent.rebuilding import rebuild
from tests.factories import a_call


@pytest.fixture
def shown(config, monkeypatch):
    """What the command prints."""
    monkeypatch.setenv("MENSHEN_HOME", str(config.home))
    monkeypatch.setenv("MENSHEN_DATABASE_URL", config.database_url)
    monkeypatch.setenv("COLUMNS", "200")
    result = CliRunner().invoke(menshen, ["demo", "--members", "45", "--no-serve"])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_demo_invents_members_whose_consents_are_as_the_ledger_says(config, shown):
    async def counted():
        async with parts(config) as running:
            officer = a_call("compliance_officer")
            found = await rebuild(running.units, officer, repair=False, step=lambda _: None)
            overview = await running.operations.consent_overview(officer, of="marketing_sms")
            return found, overview

    found, overview = asyncio.run(counted())
    assert (found.members, found.differing, found.broken) == (45, (), ())
    assert sum(overview.states.values()) == 45 and {"GIVEN", "REFUSED"} <= set(overview.states)


def test_the_four_calls_are_printed_each_with_a_token(shown):
    calls = [json.loads(body)["query"] for body in re.findall(r"-d '(\{.*?\})'$", shown, re.MULTILINE)]
    assert [re.findall(r"recordConsents|withdrawConsent|member\(", call)[0] for call in calls] == [
        "recordConsents",
        "member(",
        "withdrawConsent",
        "member(",
    ]
    assert len(re.findall(r"authorization: Bearer \S+", shown)) == 4
