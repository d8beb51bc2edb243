"""Tags in an export: words of the closed vocabulary, known as having come with that file."""

import pytest
from sqlalchemy import select

from service.db.statement import Prepared
from service.db.tables import member_tag
from service.intake.mapping import SHIPPED
from service.members.tags import store
from service.members.tags.model import Source
from tests.factories import a_call
from tests.service.intake.exports import HEADER, a_row, load, rejects_of, write
from tests.service.intake.looking import member_of

WITH_TAGS = (*HEADER, "标签")


async def tags_of(running, row):
    member_id = await member_of(running, row["手机号"])
    profile = await running.operations.me(a_call("member", member_id=member_id), fields=["tags"])
    return profile.values.get("tags"), await store.held(running.database.read, member_id)


@pytest.mark.obligation("AD-06")
async def test_free_text_in_a_column_of_tags_is_rejected_by_row(running, tmp_path):
    good, bad = a_row(标签="喜欢新品、price_sensitive"), a_row(标签="喜欢新品、孕期")
    file = write(tmp_path / "members.csv", [good, bad], header=WITH_TAGS)
    outcome = await load(running, file, rejects=tmp_path / "r")
    assert (outcome.tally.made, dict(outcome.tally.codes)) == (1, {"TAG_UNKNOWN": 1})
    assert rejects_of(tmp_path / "r") == [("3", "标签", "TAG_UNKNOWN")]
    assert (await tags_of(running, good))[0] == ("new_arrivals", "price_sensitive")


@pytest.mark.parametrize(
    "cell", ["Home and living;Outdoor", "home_living outdoor", "家居爱好 户外爱好", "家居爱好，Ｏｕｔｄｏｏｒ"]
)
async def test_a_word_is_known_by_key_and_name_in_the_spellings_of_a_shop(running, tmp_path, cell):
    row = a_row(标签=cell)
    await load(running, write(tmp_path / "members.csv", [row], header=WITH_TAGS))
    assert (await tags_of(running, row))[0] == ("home_living", "outdoor")


async def test_an_imported_tag_is_known_to_come_from_that_file(running, tmp_path):
    row, other = a_row(标签="香氛爱好"), a_row(标签="")
    await load(running, write(tmp_path / "members.csv", [row, other], header=WITH_TAGS))
    codes, held = await tags_of(running, row)
    assert codes == ("fragrance",) and [(tag.tag, tag.source) for tag in held] == [("fragrance", Source.IMPORT)]
    assert len(held[0].digest) == 32
    assert len(await running.database.read.rows(Prepared(select(member_tag.c.tag)))) == 1


@pytest.mark.obligation("AD-06")
async def test_a_shops_own_words_mean_what_the_mapping_says_and_nothing_outside_the_vocabulary(running, tmp_path):
    mapping = tmp_path / "mapping.toml"
    words = '\n[fields.tags.words]\n"fragrance" = ["香迷"]\n"blank" = ["无偏好"]\n"pregnant" = ["准妈妈"]\n'
    text = SHIPPED.read_text("utf-8")
    at = text.index("\n", text.index("[fields.tags]") + 15)
    mapping.write_text(text[: at + 1] + words + text[at + 1 :], "utf-8")
    rows = [a_row(标签="香迷、户外爱好"), a_row(标签="无偏好"), a_row(标签="准妈妈")]
    outcome = await load(running, write(tmp_path / "members.csv", rows, header=WITH_TAGS), mapped_by=mapping)
    assert dict(outcome.tally.codes) == {"TAG_UNKNOWN": 1}
    assert (await tags_of(running, rows[0]))[0] == ("fragrance", "outdoor")
    assert (await tags_of(running, rows[1]))[0] is None
