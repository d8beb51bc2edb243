"""WeChat's 用户隐私保护指引: what members can send through a mini-program, held against what its guideline declares (WX-01)."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from policies.catalogue import SHIPPED, load
from policies.guideline import declarations
from service.cli.policy import policy
from tests.policy_folder import add_table, set_key

run = CliRunner().invoke
LOCATION = {
    "title": {"zh": "位置信息", "en": "Location"},
    "category": "location",
    "sensitivity": "GENERAL",
    "value_type": "text",
    "sealed": True,
    "mask": "text",
    "lookup": "none",
    "normaliser": "exact",
    "retention_months": 12,
    "max_length": 60,
    "necessary": False,
    "shop_record": False,
}


def told(*arguments: str) -> tuple[int, object]:
    done = run(policy, [*arguments, "--json"])
    return done.exit_code, json.loads(done.output)


@pytest.mark.obligation("WX-01")
def test_a_release_with_a_location_that_wechat_was_not_told_of_is_stopped(folder: Path) -> None:
    add_table(folder, "fields.toml", "fields.location", **LOCATION)
    for purpose in ("self_access", "order_fulfilment"):
        set_key(folder, "purposes.toml", f"purposes.{purpose}.fields.location", "plain")
    exit_code, found = told("check", str(folder))

    assert exit_code == 1
    assert isinstance(found, dict)
    silent = [(p["key"], "location" in p["zh"]) for p in found["problems"] if p["code"] == "GUIDELINE_SILENT"]
    assert silent == [("brands.beauty.wechat_declares", True), ("brands.living.wechat_declares", True)]


@pytest.mark.obligation("WX-01")
def test_what_no_mini_program_sends_any_more_may_not_stay_declared(folder: Path) -> None:
    set_key(folder, "fields.toml", "fields.occupation.shop_record", value=True)
    _, found = told("check", str(folder))

    assert isinstance(found, dict)
    assert {(p["key"], p["code"]) for p in found["problems"]} == {
        ("brands.beauty.wechat_declares", "GUIDELINE_IDLE"),
        ("brands.living.wechat_declares", "GUIDELINE_IDLE"),
    }


@pytest.mark.obligation("WX-01")
def test_the_form_of_wechats_console_is_written_from_the_policy() -> None:
    exit_code, rows = told("guideline", str(SHIPPED))

    assert exit_code == 0
    assert isinstance(rows, list)
    (address,) = [row for row in rows if row["field"] == "address"]
    assert (address["title"], address["category"]) == ("收货地址", "地址与地区")
    assert "订单履行与配送" in address["purposes"]
    catalogue = load(SHIPPED)
    assert [row["field"] for row in rows] == [each.field for each in declarations(catalogue)]
    assert not {"points", "tier", "notes", "tags"} & {row["field"] for row in rows}, (
        "the shop's own records are not the members' to send"
    )
    shown = run(policy, ["guideline"]).output
    assert all(catalogue.fields[row["field"]].title.zh in shown for row in rows)


def test_a_policy_with_problems_has_no_form(folder: Path) -> None:
    (folder / "roles.toml").unlink()

    assert run(policy, ["guideline", str(folder)]).exit_code == 1
