"""Operational logs: what is not on the list is not written (SE-08)."""

import io
import json
import logging

import pytest
import structlog

from service import logs
from tests.plugins import canary


@pytest.fixture
def written():
    root = logging.getLogger()
    before, level = root.handlers, root.level
    stream = io.StringIO()
    logs.configure("info", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.obligation("SE-08")
def test_a_careless_log_line_writes_no_value(written):
    structlog.get_logger("careless").info("member_read", phone=canary.value("phone"), code="OK", request_id="r-1")
    (line,) = written()
    assert line["event"] == "member_read" and line["code"] == "OK" and line["request_id"] == "r-1"
    assert "phone" not in line


@pytest.mark.obligation("SE-08")
def test_a_library_that_logs_an_exception_gives_its_type_and_not_its_message(written):
    try:
        raise ValueError("a value: hunter-2")
    except ValueError:
        logging.getLogger("library").exception("it went wrong")
    (line,) = written()
    assert "hunter-2" not in json.dumps(line)
    assert line["type"] == "ValueError" and line["event"] == "it went wrong"
