"""What `answer.json` may say, and what is none (docs/formats/audit-answer.md)."""

import pytest

from menshen_verifier.answer import parse_answer
from menshen_verifier.errors import Malformed
from tests.vectors.reading import Case, cases


@pytest.mark.parametrize("case", cases("audit-answer"))
def test_an_answer_is_read_or_refused(case: Case) -> None:
    raw = case["answer"].encode()
    if case["expect"] == "answer":
        assert list(parse_answer(raw).rows) == case["indices"]
    else:
        with pytest.raises(Malformed):
            parse_answer(raw)
