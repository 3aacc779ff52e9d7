"""The search set-up against a stub of OpenSearch on the loopback device.

The real OpenSearch of the integration tests has no security plugin and no ISM: what these requests do there is not
provable here, only that they are sent, signed, in order, until they are taken.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from lambdas.common.custom_resource import RequestError
from lambdas.common.errors import SettingError
from lambdas.common.opensearch import OpenSearchClient
from lambdas.search_indexer.settings import weekly_index
from lambdas.search_indexer.template import templates
from lambdas.search_setup import handler
from lambdas.search_setup.cluster import SetupError
from lambdas.search_setup.function import SearchSetup

if TYPE_CHECKING:
    from tests.unit.lambdas.conftest import CapturedLogs

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
ROLE_ARN = "arn:aws:iam::111122223333:role/pipeline-dev-search-indexer"
FORGET_ROLE_ARN = "arn:aws:iam::111122223333:role/pipeline-dev-search-forget"

PREFIX = "pipeline-dev"
NAMES = list(templates(PREFIX))
PATTERNS = [f"{name}-*" for name in NAMES]
INDICES = ",".join(PATTERNS)
POLICY_PATH = "/_plugins/_ism/policies/pipeline-dev-retention"
WAITING: dict[str, object] = {"IsComplete": False}
DONE: dict[str, object] = {
    "IsComplete": True,
    "Data": {"Role": "pipeline-dev-indexer", "Policy": "pipeline-dev-retention"},
}


@dataclass
class Domain:
    """A domain with its security plugin and ISM, as far as status codes go.

    ``failures``: the next answers whatever is asked; ``refusals``: answers by method and beginning of the path.
    It keeps policies with their versions, and refuses one whose version is not named.
    """

    endpoint: str = ""
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    failures: list[tuple[int, bytes]] = field(default_factory=list)
    refusals: dict[tuple[str, str], tuple[int, bytes]] = field(default_factory=dict)
    policies: dict[str, tuple[int, Any]] = field(default_factory=dict)
    failed_indices: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def answer(self, method: str, path: str, data: bytes) -> tuple[int, bytes]:
        body = json.loads(data) if data else None
        self.requests.append((method, path, body))
        if self.failures:
            return self.failures.pop(0)
        for (refused, beginning), answer in self.refusals.items():
            if method == refused and path.startswith(beginning):
                return answer
        if path.startswith("/_plugins/_ism/policies/"):
            return self._policy(method, path, body)
        if path.startswith(("/_plugins/_ism/add/", "/_plugins/_ism/change_policy/")):
            failed = self.failed_indices.get(path.split("/")[3], [])
            outcome = {"updated_indices": 0, "failures": bool(failed), "failed_indices": failed}
            return 200, json.dumps(outcome).encode()
        return 201, b'{"status":"CREATED"}'

    def _policy(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        name, _, query = path.rpartition("/")[2].partition("?")
        version, known = self.policies.get(name, (0, None))
        if method == "GET":
            if known is None:
                return 404, b'{"error":{"type":"status_exception","reason":"Policy not found"},"status":404}'
            return 200, json.dumps({"_id": name, "_seq_no": version, "_primary_term": 1, **known}).encode()
        if query != (f"if_seq_no={version}&if_primary_term=1" if known else ""):
            return 409, b'{"error":{"type":"version_conflict_engine_exception","reason":"another"},"status":409}'
        self.policies[name] = (version + 1, body)
        return 200, b'{"_id":"x"}'

    @property
    def asked(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path, _ in self.requests]

    def body(self, method: str, path: str) -> Any:
        """Body of the last request of that kind."""
        return [sent for verb, asked, sent in self.requests if (verb, asked) == (method, path)][-1]


@pytest.fixture
def domain() -> Iterator[Domain]:
    stub = Domain()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: two wait 40 ms for the first one's acknowledgement

        def do_PUT(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            stub.headers.append(dict(self.headers))
            status, body = stub.answer(self.command, self.path, data)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = do_PUT

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    stub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    yield stub
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Caller:
    """Sends the set-up events of the framework, under a clock that the test moves."""

    domain: Domain
    time: datetime = NOW

    def __post_init__(self) -> None:
        self.setup = SearchSetup(lambda endpoint: OpenSearchClient(endpoint, "us-east-1", 5.0), lambda: self.time)

    def event(self, kind: str = "Create", **properties: str) -> dict[str, Any]:
        own = {
            "Endpoint": self.domain.endpoint,
            "IndexPrefix": PREFIX,
            "IndexerRoleArn": ROLE_ARN,
            "ForgetRoleArn": FORGET_ROLE_ARN,
            "RetentionDays": "90",
        }
        return {
            "RequestType": kind,
            "RequestId": "7f0c",
            "StackId": "stack",
            "PhysicalResourceId": f"{PREFIX}-search-setup",
            "ResourceProperties": own | properties,
        }

    def __call__(self, kind: str = "Create", **properties: str) -> object:
        sent = self.event(kind, **properties) | {"Since": NOW.timestamp()}
        return self.setup.is_complete(sent)


@pytest.fixture
def call(domain: Domain) -> Caller:
    return Caller(domain)


EVERYTHING = [
    ("PUT", "/_plugins/_security/api/roles/pipeline-dev-indexer"),
    ("PUT", "/_plugins/_security/api/rolesmapping/pipeline-dev-indexer"),
    ("PUT", "/_plugins/_security/api/roles/pipeline-dev-forget"),
    ("PUT", "/_plugins/_security/api/rolesmapping/pipeline-dev-forget"),
    *(("PUT", f"/_index_template/{name}") for name in NAMES),
    ("GET", POLICY_PATH),
    ("PUT", POLICY_PATH),
    ("POST", f"/_plugins/_ism/add/{INDICES}"),
    ("POST", f"/_plugins/_ism/change_policy/{INDICES}"),
]


def test_everything_is_written_access_first_and_signed(call: Caller, domain: Domain) -> None:
    assert call() == DONE
    assert domain.asked == EVERYTHING
    assert all(
        "/us-east-1/es/aws4_request, " in headers["Authorization"] and headers["Content-Type"] == "application/json"
        for headers in domain.headers
    )


def test_the_role_may_index_into_its_own_indices_and_nothing_else(call: Caller, domain: Domain) -> None:
    call()
    assert domain.body(*EVERYTHING[0]) == {
        "cluster_permissions": ["indices:data/write/bulk"],
        "index_permissions": [
            {
                "index_patterns": ["pipeline-dev-*"],
                "allowed_actions": ["create_index", "indices:data/write/bulk*", "indices:data/write/index"],
            }
        ],
    }


def test_only_the_indexers_iam_role_has_it(call: Caller, domain: Domain) -> None:
    call()
    assert domain.body(*EVERYTHING[1]) == {"backend_roles": [ROLE_ARN], "hosts": [], "users": []}


def test_the_forget_functions_role_may_delete_by_query_in_its_own_indices_and_nothing_else(
    call: Caller, domain: Domain
) -> None:
    call()
    assert domain.body(*EVERYTHING[2]) == {
        "cluster_permissions": ["indices:data/read/scroll*", "indices:data/write/bulk"],
        "index_permissions": [
            {
                "index_patterns": ["pipeline-dev-*"],
                "allowed_actions": [
                    "indices:data/read/search",
                    "indices:data/write/bulk*",
                    "indices:data/write/delete*",
                    "indices:admin/refresh*",
                ],
            }
        ],
    }
    assert domain.body(*EVERYTHING[3]) == {"backend_roles": [FORGET_ROLE_ARN], "hosts": [], "users": []}


def test_the_templates_are_the_indexers(call: Caller, domain: Domain) -> None:
    call()
    assert {name: domain.body("PUT", f"/_index_template/{name}") for name in NAMES} == templates(PREFIX)


# --- retention ----------------------------------------------------------------------------------------------------


def test_an_index_is_deleted_a_week_after_its_days_because_it_takes_results_for_a_week(
    call: Caller, domain: Domain
) -> None:
    call(RetentionDays="14")
    policy = domain.body("PUT", POLICY_PATH)["policy"]
    assert policy["default_state"] == "kept"
    assert policy["states"] == [
        {
            "name": "kept",
            "actions": [],
            "transitions": [{"state_name": "deleted", "conditions": {"min_index_age": "21d"}}],
        },
        {"name": "deleted", "actions": [{"delete": {}}], "transitions": []},
    ]
    assert policy["ism_template"] == [{"index_patterns": PATTERNS, "priority": 200}]


def test_no_index_that_is_written_for_ever_and_none_of_another_environment_is_deleted(
    call: Caller, domain: Domain
) -> None:
    # Given what the policy is for
    call()
    (template,) = domain.body("PUT", POLICY_PATH)["policy"]["ism_template"]

    def deleted(index: str) -> bool:
        return any(fnmatchcase(index, pattern) for pattern in template["index_patterns"])

    # Then those that follow one another are in it, and not the one that the indexer writes now
    week = datetime(2026, 11, 24, tzinfo=UTC)
    types = [name.removeprefix(f"{PREFIX}-") for name in NAMES]
    assert all(deleted(weekly_index(PREFIX, kind, week)) for kind in types)
    assert all(deleted(f"{name}-2026.11.24") and deleted(f"{name}-000001") for name in NAMES)
    assert not any(deleted(name) for name in NAMES)
    # nor one of an environment whose name begins like ours
    assert not deleted("pipeline-dev-two-session")
    assert not deleted("pipeline-dev-two-session-2026.11.24")
    assert not deleted("security-auditlog-2026.11.24")


def test_a_policy_that_is_there_is_replaced_by_its_version(call: Caller, domain: Domain) -> None:
    assert call() == DONE
    domain.requests.clear()
    assert call("Update", RetentionDays="30") == DONE
    assert domain.asked[-4:] == [
        ("GET", POLICY_PATH),
        ("PUT", f"{POLICY_PATH}?if_seq_no=1&if_primary_term=1"),
        *EVERYTHING[-2:],
    ]
    version, body = domain.policies["pipeline-dev-retention"]
    assert version == 2
    assert body["policy"]["states"][0]["transitions"][0]["conditions"] == {"min_index_age": "37d"}


def test_a_policy_that_somebody_changes_meanwhile_is_read_again(call: Caller, domain: Domain) -> None:
    domain.refusals["PUT", POLICY_PATH] = (409, b'{"error":{"type":"version_conflict","reason":"seq"}}')
    assert call() == WAITING
    domain.refusals.clear()
    assert call() == DONE


def test_indices_that_exist_follow_the_policy_as_it_is_now(call: Caller, domain: Domain) -> None:
    call()
    for request in EVERYTHING[-2:]:
        assert domain.body(*request) == {"policy_id": "pipeline-dev-retention"}


def test_no_index_to_follow_it_is_fine(call: Caller, domain: Domain) -> None:
    domain.refusals["POST", "/_plugins/_ism/"] = (404, b'{"error":{"type":"index_not_found_exception"}}')
    assert call() == DONE


def test_an_index_that_does_not_follow_is_logged_unless_there_is_nothing_to_change(
    call: Caller, domain: Domain, captured_logs: CapturedLogs
) -> None:
    domain.failed_indices = {
        "add": [{"index_name": "a", "reason": "This index already has a policy, use the update policy API"}],
        "change_policy": [
            {"index_name": "b", "reason": "This index is not being managed"},
            {"index_name": "c", "reason": "Cannot change policies while transitioning to new state"},
        ],
    }
    assert call() == DONE
    (line,) = captured_logs.lines("an index does not follow the policy")
    assert line["reason"] == "Cannot change policies while transitioning to new state"


def test_a_policy_without_a_version_is_an_error(call: Caller, domain: Domain) -> None:
    domain.refusals["GET", POLICY_PATH] = (200, b"{}")
    with pytest.raises(SetupError, match="OpenSearch tells no version of policy pipeline-dev-retention"):
        call()


# --- until it is taken --------------------------------------------------------------------------------------------

NOT_AUTHORIZED = b'{"Message":"User: arn:aws:sts::1:assumed-role/x is not authorized"}'


def test_a_domain_that_refuses_first_and_takes_then_is_asked_until_then(
    call: Caller, domain: Domain, captured_logs: CapturedLogs
) -> None:
    # Given a domain that does not know the master user yet, then is not up yet, then refuses in the middle
    role_path = EVERYTHING[0][1]
    domain.failures = [(403, NOT_AUTHORIZED), (503, b"<html>")]
    assert call() == WAITING
    assert call() == WAITING
    assert domain.asked == [("PUT", role_path)] * 2
    domain.refusals["PUT", "/_index_template/"] = (403, b'{"error":{"type":"security_exception","reason":"no"}}')
    assert call() == WAITING
    assert domain.asked[-1] == EVERYTHING[4]
    # Then it is set up when the domain takes it all, from the beginning
    domain.refusals.clear()
    domain.requests.clear()
    assert call() == DONE
    assert domain.asked == EVERYTHING
    assert [line["reason"] for line in captured_logs.lines("asking again later")] == [
        f"PUT {role_path}: OpenSearch answered 403: User: arn:aws:sts::1:assumed-role/x is not authorized",
        f"PUT {role_path}: OpenSearch answered 503: <html>",
        f"PUT {EVERYTHING[4][1]}: OpenSearch answered 403: security_exception: no",
    ]


@pytest.mark.parametrize("status", [401, 403, 408, 409, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("number", range(len(EVERYTHING)))
def test_whatever_is_refused_for_now_is_made_again(call: Caller, domain: Domain, status: int, number: int) -> None:
    domain.refusals[EVERYTHING[number]] = (status, b"")
    assert call() == WAITING
    assert domain.asked == EVERYTHING[: number + 1]
    domain.refusals.clear()
    assert call("Update") == DONE


def test_a_domain_that_cannot_be_reached_or_is_silent_is_asked_again(call: Caller, domain: Domain) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert call(Endpoint=f"http://127.0.0.1:{port}") == WAITING
    impatient = SearchSetup(lambda endpoint: OpenSearchClient(endpoint, "us-east-1", 0.1), lambda: NOW)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sent = call.event(Endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}") | {"Since": NOW.timestamp()}
        assert impatient.is_complete(sent) == WAITING
    assert domain.requests == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"status":"error","reason":"Invalid configuration"}', "Invalid configuration"),
        (b'{"status":"BAD_REQUEST","message":"unknown keys"}', "unknown keys"),
        (b'{"error":{"type":"mapper_parsing_exception","reason":"no type"}}', "mapper_parsing_exception: no type"),
        (b'{"error":"no handler found"}', "no handler found"),
        (b"[]", r"\[\]"),
        (b"\xff", "\ufffd"),
        (b"", "no reason given"),
    ],
)
@pytest.mark.parametrize("number", [0, 1, 2, 10])
def test_what_will_never_be_taken_fails_with_opensearchs_reason(
    call: Caller, domain: Domain, body: bytes, reason: str, number: int
) -> None:
    method, path = EVERYTHING[number]
    domain.refusals[method, path] = (400, body)
    with pytest.raises(SetupError, match=f"{method} {path}: OpenSearch answered 400: {reason}"):
        call()


def test_a_role_that_is_absent_where_it_must_not_be_is_an_error(call: Caller, domain: Domain) -> None:
    # a domain without fine-grained access has no such page
    domain.refusals["PUT", "/_plugins/_security"] = (404, b'{"error":"no handler found for uri"}')
    with pytest.raises(SetupError, match="answered 404: no handler found for uri"):
        call()


def test_the_end_of_the_patience_says_what_was_last_refused(call: Caller, domain: Domain) -> None:
    domain.refusals["PUT", "/"] = (403, NOT_AUTHORIZED)
    call.time = NOW + timedelta(minutes=30)
    assert call() == WAITING
    call.time += timedelta(seconds=1)
    with pytest.raises(SetupError, match=r"is not ready after 0:30:00 h:mm:ss: PUT .*is not authorized"):
        call()
    call.time = NOW + timedelta(minutes=6)
    with pytest.raises(SetupError, match="is not ready after 0:05:00"):
        call(WaitMinutes="5")


def test_a_long_reason_is_cut(call: Caller, domain: Domain) -> None:
    domain.refusals["PUT", "/"] = (400, json.dumps({"message": "x" * 5000}).encode())
    with pytest.raises(SetupError) as caught:
        call()
    assert len(str(caught.value)) < 500


# --- the framework ------------------------------------------------------------------------------------------------


def test_a_delete_leaves_everything(call: Caller, domain: Domain) -> None:
    taken = call.setup.on_event(call.event("Delete", Endpoint="?", RetentionDays="?"))
    assert taken == {"PhysicalResourceId": f"{PREFIX}-search-setup", "Since": NOW.timestamp()}
    assert call("Delete", Endpoint="?") == {"IsComplete": True, "Data": {"Role": "", "Policy": ""}}
    assert domain.requests == []


def test_taking_a_request_asks_nothing(call: Caller, domain: Domain) -> None:
    taken = {"PhysicalResourceId": f"{PREFIX}-search-setup", "Since": NOW.timestamp()}
    assert call.setup.on_event(call.event()) == taken
    assert call.setup.on_event(call.event("Update")) == taken
    assert domain.requests == []


@pytest.mark.parametrize(
    ("properties", "error", "message"),
    [
        ({"Endpoint": "search.example"}, SettingError, "Endpoint is 'search.example': allowed is https://host"),
        ({"Endpoint": "http://search.example"}, SettingError, "Endpoint is"),
        ({"Endpoint": ""}, RequestError, "property Endpoint is ''"),
        ({"IndexPrefix": "Upper"}, SettingError, "INDEX_PREFIX is 'Upper'"),
        ({"IndexerRoleArn": "arn:aws:iam::1:role/x"}, RequestError, "property IndexerRoleArn is"),
        ({"ForgetRoleArn": "*"}, RequestError, "property ForgetRoleArn is"),
        ({"IndexerRoleArn": "*"}, RequestError, "allowed is the ARN of an IAM role"),
        ({"RetentionDays": "0"}, RequestError, "property RetentionDays is '0': allowed is a whole number from 1 to"),
        ({"WaitMinutes": "x"}, RequestError, "property WaitMinutes is 'x'"),
    ],
)
def test_a_bad_property_fails_before_anything_is_sent(
    call: Caller, domain: Domain, properties: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call.setup.on_event(call.event(**properties))
    assert domain.requests == []


def test_the_entry_points_hand_on_to_one_resource(call: Caller, domain: Domain) -> None:
    handler.resource.cache_clear()
    taken = handler.on_event(call.event(), None)
    assert taken["PhysicalResourceId"] == f"{PREFIX}-search-setup"
    assert handler.is_complete(call.event() | taken, None) == DONE
    assert domain.asked == EVERYTHING
    handler.resource.cache_clear()
