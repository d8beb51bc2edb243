"""The mapping file, and how a header is understood by it."""

from pathlib import Path

import pytest

from policies.terms import Basis, Sensitivity
from service.intake.layout import score, understand
from service.intake.mapping import SHIPPED, Role, folded, load
from service.intake.model import FileProblem
from tests.service.intake.exports import HEADER

LEAST = 'blank = []\nyes = ["是"]\nno = ["否"]\nignore = []\n[fields.phone]\nheaders = ["手机号"]\n[columns]\n'


@pytest.fixture(scope="module")
def shipped(catalogue):
    return load(SHIPPED, catalogue)


@pytest.fixture
def problem_of(catalogue, tmp_path):
    """What is wrong with a mapping of this text."""

    def run(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        with pytest.raises(FileProblem) as problem:
            load(path, catalogue)
        assert problem.value.code == "MAPPING_INVALID"
        return str(problem.value)

    return run


def test_the_shipped_mapping_knows_the_shipped_form(shipped):
    found = understand(shipped, HEADER, ignore_unmapped=False)
    assert len(found.columns) == len(HEADER) and not found.unmapped and not found.unnamed


def test_the_shipped_mapping_collects_nothing_sensitive(shipped, catalogue):
    """To import what is sensitive is a decision of its own (PIPL 28, 29): it stands in no mapping that came with the house."""
    fields = {meaning.key for meaning in shipped.meanings.values() if meaning.role is Role.FIELD}
    sensitive = {key for key, field in catalogue.fields.items() if field.sensitivity is Sensitivity.SENSITIVE}
    assert sensitive and not fields & sensitive
    assert fields == set(catalogue.fields) - sensitive


def test_the_shipped_mapping_claims_no_gesture(shipped):
    """Which system wrote the file is not known, so nobody can say how its members agreed (NC-17)."""
    assert shipped.gesture is None


@pytest.mark.parametrize(
    "header", ["手机号", " 手机号 ", "*手机号", "手机号＊", "ＭＯＢＩＬＥ", "Mobile Phone", "\ufeff手机号码"]
)
def test_a_header_is_known_in_any_dress(shipped, header):
    assert shipped.meanings[folded(header)].key == "phone"


def test_a_column_that_nobody_mapped_is_an_error_unless_it_is_left_out_aloud(shipped):
    with pytest.raises(FileProblem) as problem:
        understand(shipped, ["手机号", "血型", "信用分"], ignore_unmapped=False)
    assert problem.value.code == "COLUMN_UNMAPPED" and "血型、信用分" in problem.value.zh
    found = understand(shipped, ["手机号", "血型", "信用分"], ignore_unmapped=True)
    assert found.unmapped == ("血型", "信用分") and [column.label for column in found.columns] == ["手机号"]


def test_what_looks_like_data_in_a_header_is_not_repeated(shipped):
    with pytest.raises(FileProblem) as problem:
        understand(shipped, ["手机号", "13812345678", "a@example.com", "x\x1b[31m", "138 1234"], ignore_unmapped=False)
    assert "#2、#3、#4、#5" in str(problem.value)


def test_two_columns_for_one_thing_are_an_error(shipped):
    for header in (["手机号", "手机号"], ["手机号", "mobile"]):
        with pytest.raises(FileProblem) as problem:
            understand(shipped, header, ignore_unmapped=False)
        assert problem.value.code == "HEADER_REPEATED"


def test_a_file_without_phones_is_an_error_that_says_how_they_are_called(shipped):
    with pytest.raises(FileProblem) as problem:
        understand(shipped, ["姓名", "邮箱"], ignore_unmapped=False)
    assert problem.value.code == "COLUMN_MISSING" and "手机号" in str(problem.value)


def test_columns_that_the_mapping_ignores_are_named(shipped):
    assert understand(shipped, ["序号", "手机号"], ignore_unmapped=False).ignored == ("序号",)


def test_a_header_is_scored_by_what_is_known_of_it(shipped):
    assert score(shipped, ["手机号", "姓名", "血型"]) == 2
    assert score(shipped, ["手机号;姓名"]) == 0


def test_the_least_mapping_there_can_be(catalogue, tmp_path):
    path = tmp_path / "least.toml"
    path.write_text(LEAST + 'member_number = ["卡"]\n')
    found = load(path, catalogue)
    assert found.spellings("phone") == ("手机号",) and found.meanings["卡"].role is Role.MEMBER_NUMBER
    assert found.digest != load(SHIPPED, catalogue).digest


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (LEAST + 'colour = ["红"]\n', "columns.colour"),
        (LEAST.replace("[fields.phone]", "[fields.fax]"), "FIELD_UNKNOWN|No such field"),
        (LEAST + 'member_number = ["手机号"]\n', "Another column has this header"),
        (LEAST + 'member_number = "卡"\n', "list of texts"),
        (LEAST + '[consents.order_fulfilment]\nheaders = ["订单"]\n', "No purpose of this name stands on consent"),
        (LEAST + '[consents.nothing]\nheaders = ["无"]\n', "No purpose of this name stands on consent"),
        (LEAST + '[gesture]\nexpression = "DEFAULT"\nscreen = "x"\nlanguage = "zh-CN"\n', "gesture.expression"),
        (LEAST + '[gesture]\nexpression = "BUTTON"\nscreen = "张三的手机"\nlanguage = "zh-CN"\n', "gesture.screen"),
        (LEAST + "x = [", "Not valid TOML"),
    ],
)
def test_a_mapping_is_read_strictly(problem_of, text, wrong):
    assert any(part in problem_of(text) for part in wrong.split("|"))


def test_every_purpose_that_a_flag_answers_stands_on_consent(shipped, catalogue):
    keys = {meaning.key for meaning in shipped.meanings.values() if meaning.role is Role.CONSENT}
    assert keys and all(catalogue.purposes[key].basis is Basis.CONSENT for key in keys)


def test_a_mapping_that_is_not_there_is_unreadable(catalogue):
    with pytest.raises(FileProblem) as problem:
        load(Path("nowhere.toml"), catalogue)
    assert problem.value.code == "FILE_UNREADABLE"
