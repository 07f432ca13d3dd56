"""The log: one JSON object a line."""

from __future__ import annotations

import json
import logging

from lab_server.log import JSONLines


def line(**fields: object) -> dict[str, object]:
    record = logging.makeLogRecord({"name": "a.b", "levelname": "INFO", "levelno": 20, **fields})
    text = JSONLines().format(record)
    assert "\n" not in text
    loaded: dict[str, object] = json.loads(text)
    return loaded


def test_a_record_is_one_object() -> None:
    logged = line(msg="hello %s", args=("world",), created=0.0)
    assert logged == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "level": "info",
        "logger": "a.b",
        "message": "hello world",
    }


def test_extra_fields_stand_beside_the_message() -> None:
    assert line(msg="m", path="/lots", status=200)["status"] == 200


def test_line_ends_cannot_forge_a_line() -> None:
    assert line(msg='one\n{"level": "two"}')["message"] == 'one\n{"level": "two"}'


def test_what_json_does_not_know_is_shown_as_text() -> None:
    assert line(msg="m", client=object)["client"] == "<class 'object'>"


def test_an_exception_is_a_field() -> None:
    try:
        raise ValueError("x")
    except ValueError as error:
        logged = line(msg="m", exc_info=(type(error), error, error.__traceback__))
    assert str(logged["exception"]).endswith("ValueError: x")
