"""What is stored is read back as exactly what was written, or it is Malformed: one error, whatever the text."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.marketing import MessageClass
from service.campaigns.model import canonical, content_document, template_document
from service.campaigns.parsing import archived, parse_archived, parse_content, parse_template
from service.errors import Malformed
from tests.service.campaigns.made import EVERYTHING, content, words

PARSERS = (parse_template, parse_content, parse_archived)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
BODIES = (words(), words(subject="广告", html="<p>你好</p>", variables=("name",), vendor_template="SMS_1", text="一\n二"))
CONTENTS = (content(), content(audience=EVERYTHING))


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("kept", CONTENTS)
def test_what_was_written_is_read_back(body, kept) -> None:
    assert parse_template(canonical(template_document(body))) == body
    assert parse_content(canonical(content_document(kept))) == kept
    assert parse_archived(archived(kept, body)) == (kept, body)


@pytest.mark.parametrize("parse", PARSERS)
@given(text=st.text() | JSON.map(json.dumps) | st.sampled_from(["[" * 100_000, "9" * 5000, "{}", "null", '{"campaign":{}}']))
def test_any_text_is_a_value_or_malformed(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(Malformed):
        parse(text)


@given(data=st.data())
def test_one_part_of_another_kind_is_malformed(data) -> None:
    parse, document = data.draw(
        st.sampled_from([(parse_template, template_document(BODIES[1])), (parse_content, content_document(CONTENTS[1]))])
    )
    key = data.draw(st.sampled_from(sorted(document)))
    other = data.draw(JSON.filter(lambda value: type(value) is not type(document[key])))
    with pytest.raises(Malformed):
        parse(json.dumps({**document, key: other}, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


@pytest.mark.parametrize(
    "text",
    [
        canonical(template_document(words())).replace('","', '", "', 1),
        canonical({**template_document(words()), "extra": ""}),
        canonical({key: value for key, value in template_document(words()).items() if key != "html"}),
        canonical({**template_document(words()), "title": "\\ud800"}).replace("\\\\", "\\"),
        canonical({**template_document(words()), "message_class": "FREE"}),
    ],
    ids=["spaces", "more", "less", "half a pair", "no such class"],
)
def test_another_spelling_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        parse_template(text)


def test_a_change_of_any_part_is_another_writing() -> None:
    body = words()
    changed = [
        replace(body, title="x"),
        replace(body, message_class=MessageClass.SERVICE),
        replace(body, text=body.text + " "),
        replace(body, variables=("name",)),
    ]
    assert len({canonical(template_document(one)) for one in [body, *changed]}) == len(changed) + 1
