"""The judge: denied by default, IAM's wildcards, the conditions of our templates, and nothing it does not know."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.iam.policies import Call, UnsupportedError, allowed, permission, resource_matches, wildcard

STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/events"
READ = Call("kinesis:GetRecords", STREAM)
_ALPHABET = "ab:/*?[]!-.\n"


def statement(**changes: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "kinesis:GetRecords", "Resource": STREAM} | changes


def judged(call: Call, *statements: dict[str, Any]) -> bool:
    return allowed([permission(one) for one in statements], call)


@given(pattern=st.text(_ALPHABET, max_size=8), text=st.text(_ALPHABET, max_size=12))
@example(pattern="a*b?", text="ab/b:")
def test_wildcards_are_those_of_a_shell_without_its_brackets(pattern: str, text: str) -> None:
    assert wildcard(pattern, text) == fnmatchcase(text, pattern.replace("[", "[[]"))


@given(prefix=st.text("ab/:", max_size=5), middle=st.text(_ALPHABET, max_size=8), suffix=st.text("ab/:", max_size=5))
def test_a_star_is_any_text_and_a_pattern_without_one_only_itself(prefix: str, middle: str, suffix: str) -> None:
    assert wildcard(f"{prefix}*{suffix}", prefix + middle + suffix)
    assert wildcard(prefix, middle) == (prefix == middle)


def test_nothing_is_allowed_by_default() -> None:
    assert not judged(READ)
    assert not judged(READ, statement(Action="kinesis:PutRecords"))
    assert not judged(READ, statement(Resource=f"{STREAM}2"))
    assert judged(READ, statement())


def test_a_denial_wins_over_any_permission() -> None:
    assert not judged(READ, statement(), statement(Effect="Deny", Resource="*"))
    assert judged(READ, statement(), statement(Effect="Deny", Action="kinesis:PutRecords"))


def test_actions_are_matched_whatever_their_case_and_resources_are_not() -> None:
    assert judged(READ, statement(Action="Kinesis:getrecords"))
    assert not judged(READ, statement(Resource=STREAM.replace("events", "Events")))


@pytest.mark.parametrize(
    ("pattern", "arn", "matches"),
    [
        ("*", STREAM, True),
        (STREAM, STREAM, True),
        ("arn:aws:kinesis:us-east-1:123456789012:stream/*", STREAM, True),
        ("arn:aws:kinesis:us-east-1:123456789012:stream/*", f"{STREAM}/consumer/a:1", True),
        ("arn:aws:kinesis:us-east-2:123456789012:stream/*", STREAM, False),
        ("arn:aws:logs:us-east-1:1:log-group:a:*", "arn:aws:logs:us-east-1:1:log-group:a:log-stream:b", True),
        ("arn:aws:logs:us-east-1:1:log-group:a:*", "arn:aws:logs:us-east-1:1:log-group:ab:log-stream:b", False),
        (STREAM, "*", False),
    ],
)
def test_resources(pattern: str, arn: str, matches: bool) -> None:
    assert resource_matches(pattern, arn) is matches


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"StringEquals": {"k": "v"}}, {("k", "v")}, True),
        ({"StringEquals": {"k": ["u", "v"]}}, {("k", "v")}, True),
        ({"StringEquals": {"k": "v"}}, {("k", "V")}, False),
        ({"StringEquals": {"k": "v"}}, set(), False),
        ({"StringEquals": {"k": "v", "l": "w"}}, {("k", "v")}, False),
        ({"StringLike": {"k": "v*"}}, {("k", "very")}, True),
        ({"StringLike": {"k": "v*"}}, set(), False),
        ({"ArnLike": {"k": "arn:aws:s3:::a*"}}, {("k", "arn:aws:s3:::ab")}, True),
        ({"ArnLike": {"k": "arn:aws:s3:::a*"}}, {("k", "arn:aws:sqs:::ab")}, False),
        ({"ForAllValues:StringEquals": {"k": ["u", "v"]}}, {("k", "u"), ("k", "v")}, True),
        ({"ForAllValues:StringEquals": {"k": "v"}}, {("k", "u"), ("k", "v")}, False),
        ({"ForAllValues:StringEquals": {"k": "v"}}, set(), True),
    ],
)
def test_conditions(condition: dict[str, Any], context: set[tuple[str, str]], holds: bool) -> None:
    assert judged(Call(READ.action, STREAM, frozenset(context)), statement(Condition=condition)) is holds


@pytest.mark.parametrize(
    "changes",
    [
        {"NotAction": "kinesis:PutRecords"},
        {"Principal": "*"},
        {"Effect": "Maybe"},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Resource": {"Ref": "Stream"}},
        {"Resource": "arn:aws:s3:::${aws:username}"},
    ],
)
def test_what_it_does_not_know_raises(changes: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedError):
        permission(statement(**changes))


@pytest.mark.parametrize("pattern", ["arn:aws:kinesis:*:123456789012:stream/events", "stream/events"])
def test_resources_that_it_does_not_know_raise(pattern: str) -> None:
    with pytest.raises(UnsupportedError):
        resource_matches(pattern, STREAM)


def test_several_values_of_a_key_need_an_operator_for_them() -> None:
    call = Call(READ.action, STREAM, frozenset({("k", "u"), ("k", "v")}))
    with pytest.raises(UnsupportedError):
        judged(call, statement(Condition={"StringEquals": {"k": "v"}}))


def test_a_policy_of_a_resource_is_for_anybody_or_not_understood() -> None:
    assert permission(statement(Principal={"AWS": "*"}), of_a_resource=True).matches(READ)
    with pytest.raises(UnsupportedError):
        permission(statement(Principal={"AWS": "arn:aws:iam::123456789012:root"}), of_a_resource=True)
