"""The shape of a log line, and what never stands in one."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from datetime import datetime

import pytest
import structlog

from alertd import log
from alertd.model.secret import Secret


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root, shown = logging.getLogger(), warnings.showwarning
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    logging.captureWarnings(capture=False)
    warnings.showwarning = shown
    structlog.reset_defaults()


def _lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_json_line_in_utc() -> None:
    stream = io.StringIO()
    log.configure("info", "auto", stream)

    structlog.get_logger("alertd.graph").warning("graph.throttled", tenant="contoso", wait_seconds=1.5)

    (line,) = _lines(stream)
    at = datetime.fromisoformat(str(line.pop("timestamp")))
    assert at.utcoffset() is not None
    assert at.tzname() == "UTC"
    assert line == {
        "event": "graph.throttled",
        "level": "warning",
        "logger": "alertd.graph",
        "tenant": "contoso",
        "wait_seconds": 1.5,
    }


def test_lines_below_the_level_are_left_out_and_a_reload_changes_it() -> None:
    stream = io.StringIO()
    logger = structlog.get_logger("alertd")
    log.configure("warning", "json", stream)
    logger.info("early")
    log.configure("debug", "json", stream)
    logger.debug("late")

    assert [line["event"] for line in _lines(stream)] == ["late"]


@pytest.mark.parametrize(
    "name", ["httpx", "httpcore.connection", "aiohttp.access", "msal.authority", "apscheduler.scheduler"]
)
def test_other_libraries_are_heard_from_warning_on(name: str) -> None:
    stream = io.StringIO()
    log.configure("info", "json", stream)

    logging.getLogger(name).info("HTTP Request: POST https://hooks.example.com/secret")
    logging.getLogger(name).warning("odd answer from %s", "https://hooks.example.com/secret?sig=1")

    (line,) = _lines(stream)
    assert line["event"] == "odd answer from https://hooks.example.com/<redacted>?<redacted>"
    assert line["logger"] == name


def test_credentials_are_taken_out_of_values_exceptions_and_nested_data() -> None:
    stream = io.StringIO()
    log.configure("info", "json", stream)

    try:
        int("https://hooks.example.com/hunter2 failed")
    except ValueError:
        structlog.get_logger().exception(
            "x.failed", secret=Secret("hunter2"), nested={"a": ["Bearer hunter2hunter2"]}, none=None
        )

    (line,) = _lines(stream)
    assert "hunter2" not in stream.getvalue()
    assert line["secret"] == "<secret>"
    assert "ValueError" in str(line["exception"])
    assert line["none"] is None


def test_a_console_line_is_readable_and_without_colours_off_a_terminal() -> None:
    stream = io.StringIO()
    log.configure("info", "console", stream)

    structlog.get_logger("alertd").info("engine.started", tenants=3)

    assert "engine.started" in stream.getvalue()
    assert "tenants=3" in stream.getvalue()
    assert "\x1b[" not in stream.getvalue()


def test_warnings_of_python_come_through_the_same_pipe() -> None:
    stream = io.StringIO()
    log.configure("info", "json", stream)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("soon gone", DeprecationWarning, stacklevel=1)

    assert "soon gone" in str(_lines(stream)[0]["event"])
