"""Files in every encoding and form that shops send, and the ones that were made to break the reader."""

import csv
import re
import tracemalloc
import zipfile
from contextlib import suppress
from functools import partial
from itertools import pairwise

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.intake import layout
from service.intake.mapping import SHIPPED, load
from service.intake.model import Code, FileProblem
from service.intake.reading import open_table
from tests.service.intake.exports import HEADER, a_row, write, write_workbook


@pytest.fixture(scope="module")
def mapping(catalogue):
    return load(SHIPPED, catalogue)


@pytest.fixture
def opened(mapping):
    return lambda path: open_table(path, partial(layout.score, mapping))


@pytest.fixture
def problem_of(opened, tmp_path):
    """The code that a file of these bytes is refused with, whether at once or on the way."""

    def run(content, name="file.csv"):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(FileProblem) as problem:
            list(opened(path))
        assert problem.value.zh and str(problem.value)
        return problem.value.code

    return run


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_encoding_and_delimiter_reads_alike(opened, tmp_path, encoding, delimiter):
    rows = [a_row(), a_row(收货地址="上海市,徐汇区;1号\t楼", 备注='说"好"')]
    table = opened(write(tmp_path / "a.csv", rows, encoding=encoding, delimiter=delimiter))
    assert [list(row.cells) for row in table] == [[row[name] for name in HEADER] for row in rows]
    assert table.examined.encoding == {"gbk": "gb18030"}.get(encoding, encoding)
    assert table.total == 2


def test_a_character_outside_gbk_is_read_from_gb18030(opened, tmp_path):
    row = a_row(姓名="𠮷田㐂")
    assert next(iter(opened(write(tmp_path / "a.csv", [row], encoding="gb18030")))).cells[1] == "𠮷田㐂"


def test_the_encoding_is_decided_on_the_whole_file(opened, problem_of, tmp_path):
    """Ten thousand plain rows, then one name: who guesses from the beginning takes it for something else."""
    rows = [a_row(姓名="Li", 收货地址="", 省市="", 职业="", 兴趣="", 会员等级="", 性别="") for _ in range(500)]
    header = [{"手机号": "phone", "姓名": "name"}.get(name, name) for name in ("手机号", "姓名")]
    lines = ["phone,name", *(f"{row['手机号']},Li" for row in rows)]
    assert header == ["phone", "name"]
    path = tmp_path / "late.csv"
    path.write_bytes("\n".join(lines).encode() + "\n13800000000,高颖\n".encode("gb18030"))
    assert opened(path).examined.encoding == "gb18030"
    assert problem_of("\n".join(lines).encode() + b"\n13800000000,\xff\xfe\xff\n") == "ENCODING_UNKNOWN"


def test_half_a_character_at_the_end_is_no_text(problem_of):
    assert problem_of("手机号,姓名\n13800000000,高".encode("gb18030")[:-1]) == "ENCODING_UNKNOWN"


def test_the_header_may_stand_below_a_title(opened, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("会员导出 2026-11\n\nsep=,\n手机号,姓名\n13800000000,甲\n,\n13800000001,乙\n")
    table = opened(path)
    assert (table.header.line, [row.line for row in table]) == (4, [5, 7])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "FILE_EMPTY"),
        (b"\xef\xbb\xbf", "HEADER_MISSING"),
        (b"13800000000,Li\n", "HEADER_MISSING"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "FILE_FORMAT"),
        (b"<html><table><tr><td>phone</td></tr></table>", "FILE_FORMAT"),
        (b"  \n<?xml version='1.0'?>", "FILE_FORMAT"),
        (b"phone,name\n138\x00,Li\n", "FILE_NUL"),
        ("phone,name\n138,Li\n".encode("utf-16-le"), "FILE_NUL"),
        (b'phone,name\n13800000000,"Li\n13800000001,Wu\n', "QUOTE_UNCLOSED"),
        (b"phone" + b"," * 100_000 + b"\n1\n", "TOO_MANY_COLUMNS"),
        (b"phone,name\n" + b"x" * 2_000_000, "LINE_TOO_LONG"),
        (b"phone" + b"," * 1_000_000 + b"\n1\n", "LINE_TOO_LONG"),
        (b'phone,name\n1,"' + b"x\n" * 100_000 + b'"\n', "QUOTE_UNCLOSED"),
        (b"PK\x03\x04 this is no zip", "WORKBOOK_DAMAGED"),
    ],
)
def test_a_file_that_is_no_table_is_refused_by_name(problem_of, content, code):
    assert problem_of(content) == code


def test_a_folder_and_a_missing_file_are_unreadable(opened, tmp_path):
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(FileProblem) as problem:
            opened(path)
        assert problem.value.code == "FILE_UNREADABLE"


def test_a_row_of_another_width_is_damaged_and_its_neighbours_are_not(opened, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('phone,name,remark\n1,a,b\n2,a\n3,a,b,\n4,"a"b,c\n5,"a\nb",c\n6,a,b\n')
    found = [(row.place, row.damage) for row in opened(path)]
    assert found == [
        ("2", None),
        ("3", Code.CELLS_MISSING),
        ("4", Code.CELLS_EXTRA),
        ("5", Code.QUOTES),
        ("6-7", None),
        ("8", None),
    ]


def test_memory_stays_flat(opened, tmp_path):
    path = write(tmp_path / "a.csv", (a_row(姓名="甲", 收货地址="路", 邮箱="", 微信openid="", 手机号="1") for _ in range(5000)))
    table = opened(path)
    tracemalloc.start()
    count = sum(1 for _ in table)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 5000 and peak < 400_000 < path.stat().st_size


def test_a_file_written_to_meanwhile_is_noticed(opened, tmp_path):
    path = write(tmp_path / "a.csv", [a_row()])
    table = opened(path)
    table.check_unchanged()
    with path.open("a") as file:
        file.write("\n")
    with pytest.raises(FileProblem, match="changed"):
        table.check_unchanged()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"phone,name\n", "手机号,姓名\n".encode("gb18030"), b"PK\x03\x04", b"\xff\xfe"]),
)
def test_whatever_the_bytes_there_are_rows_or_a_file_problem(opened, tmp_path, noise, start):
    path = tmp_path / "noise.csv"
    path.write_bytes(start + noise)
    with suppress(FileProblem):
        assert all(row.line > 0 for row in opened(path))


# --- workbooks -----------------------------------------------------------------------------------------------------------------


def test_a_workbook_reads_like_a_text(opened, tmp_path):
    rows = [a_row(备注="", 生日="1990-07-14"), a_row(生日="1990/7/14", 兴趣="", 备注="说明")]
    text = [list(row.cells) for row in opened(write(tmp_path / "a.csv", rows))]
    book = [list(row.cells) for row in opened(write_workbook(tmp_path / "a.xlsx", rows))]
    assert book == text


def test_formulas_in_a_workbook_stay_formulas(opened, tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", [a_row(姓名='=HYPERLINK("http://evil.example","x")', 备注="=1+1")])
    cells = next(iter(opened(path))).cells
    assert cells[1].startswith("=") and cells[-1].startswith("=")


def test_numbers_and_truths_in_a_workbook_are_read_as_they_look(opened, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["手机号", "积分", "短信营销", "入会时间"])
    book.active.append([13812345678.0, 12.5, True, None])
    book.active.append([])
    book.save(tmp_path / "a.xlsx")
    rows = [list(row.cells) for row in opened(tmp_path / "a.xlsx")]
    assert rows == [["13812345678", "12.5", "TRUE", ""]]


def test_a_sheet_that_lies_about_its_size_is_read_as_it_is(opened, tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", [a_row()])
    _replace(path, "xl/worksheets/sheet1.xml", lambda xml: _claim(xml, b"A1:XFD1048576"))
    assert len(list(opened(path))) == 1


def test_a_workbook_that_would_burst_is_not_opened(problem_of, tmp_path):
    path = write_workbook(tmp_path / "bomb.xlsx", [a_row()])
    _replace(path, "xl/worksheets/sheet1.xml", lambda xml: xml + b" " * 300_000_000)
    assert path.stat().st_size < 1_000_000
    assert problem_of(path.read_bytes(), "bomb.xlsx") == "WORKBOOK_TOO_LARGE"


def test_shared_strings_are_read_as_excel_writes_them(opened, tmp_path):
    row = a_row()
    path = _shared(write_workbook(tmp_path / "a.xlsx", [row]))
    table = opened(path)
    assert list(table.header.cells) == list(HEADER)
    assert next(iter(table)).cells[1] == row["姓名"]


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"])
def test_entities_that_multiply_are_refused(problem_of, tmp_path, part):
    path = _shared(write_workbook(tmp_path / "laughs.xlsx", [a_row()]))
    names = "abcdefghijk"
    multiplied = (f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in pairwise(names))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "{"ha" * 50}">{"".join(multiplied)}]>'.encode()
    _replace(path, part, lambda xml: bomb + xml.replace(b"<t>", b"<t>&k;", 1).replace(b"<v>", b"<v>&k;", 1))
    assert problem_of(path.read_bytes(), "laughs.xlsx") == "WORKBOOK_DAMAGED"


def test_hidden_sheets_are_not_read(opened, tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", [a_row()])
    book = openpyxl.load_workbook(path)
    hidden = book.create_sheet("旧", 0)
    hidden.append(["手机号"])
    hidden.sheet_state = "hidden"
    book.save(path)
    assert len(next(iter(opened(path))).cells) == len(HEADER)


def _replace(path, name, change):
    """One part of a zip, changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    parts[name] = change(parts[name])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)


def _shared(path):
    """The same workbook with its texts in a part of their own, as Excel keeps them."""
    main, kinds = (
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://schemas.openxmlformats.org/officeDocument/2006",
    )
    texts = []

    def move(found):
        texts.append(found[2])
        return f'<c r="{found[1]}" t="s"><v>{len(texts) - 1}</v></c>'.encode()

    pattern = rb'<c r="([A-Z]+\d+)" t="inlineStr"><is><t>(.*?)</t></is></c>'
    _replace(path, "xl/worksheets/sheet1.xml", lambda xml: re.sub(pattern, lambda m: move((m[0], m[1].decode(), m[2])), xml))
    _add(
        path,
        "xl/sharedStrings.xml",
        f'<sst xmlns="{main}">'.encode() + b"".join(b"<si><t>%b</t></si>" % t for t in texts) + b"</sst>",
    )
    relation = (
        f'<Relationship Id="rId99" Type="{kinds}/relationships/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>'
    )
    _replace(path, "xl/_rels/workbook.xml.rels", lambda xml: xml.replace(b"</Relationships>", relation.encode()))
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    override = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    _replace(path, "[Content_Types].xml", lambda xml: xml.replace(b"</Types>", override.encode()))
    return path


def _add(path, name, content):
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)


def _claim(xml, size):
    start = xml.index(b'<dimension ref="') + len(b'<dimension ref="')
    return xml[:start] + size + xml[xml.index(b'"', start) :]


def test_the_field_limit_of_the_csv_module_is_left_alone():
    assert csv.field_size_limit() == 131072
