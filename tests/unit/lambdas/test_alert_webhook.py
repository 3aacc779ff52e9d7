"""The webhook function against a receiver on the loopback device: what it posts, what comes again, what is given up."""

from __future__ import annotations

import json
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from threading import Event, Thread
from typing import Any

import boto3
import pytest
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from moto import mock_aws

from lambdas.alert_webhook import handler as entry
from lambdas.alert_webhook.function import Webhook
from lambdas.alert_webhook.messages import FORMATS, as_json, as_slack, as_teams
from lambdas.alert_webhook.secret import MAX_AGE, SecretAddress
from lambdas.alert_webhook.settings import Settings
from lambdas.common.alert_queue import AlertQueue, LaterError, RefusedError
from lambdas.common.errors import EventError, SettingError
from lambdas.common.patience import Patience
from tests.unit.lambdas.conftest import PATIENT

ALERT = {
    "timestamp": "2026-11-23T10:00:00.000Z",
    "alert_type": "FRAUD_DETECTED",
    "user_id": 42,
    "event_types": ["view", "click"],
    "severity": "HIGH",
    "message": "User 42 made 11 purchases",
}
#: In the path, as a webhook's token is.
TOKEN = "T0KEN-that-nobody-may-read"  # noqa: S105 - made up


@dataclass
class Receiver:
    """Answers ``statuses`` in turn, the last one again and again, and keeps what was posted."""

    statuses: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    posted: list[tuple[str, str, bytes]] = field(default_factory=list)
    answer: Event = field(default_factory=Event)
    url: str = ""

    def status(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.posted.append((self.path, self.headers["Content-Type"], data))
            receiver.answer.wait()
            try:
                self.send_response(receiver.status())
                for name, value in {"Content-Length": "0", **receiver.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
            except OSError:  # who asked has given up
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/services/{TOKEN}"
    try:
        yield receiver
    finally:
        receiver.answer.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as found:
        found.answer.set()
        yield found


@dataclass
class Secrets:
    """Secrets Manager with one secret."""

    text: str = field(repr=False)
    asked: int = 0

    def get_secret_value(self, *, SecretId: str) -> Any:
        assert SecretId == "arn"
        self.asked += 1
        return {"SecretString": self.text}


def webhook(text: str, body: Callable[[Any], bytes] = as_json, read: float = 5.0) -> Webhook:
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=1.0, read=read), retries=False)
    return Webhook(SecretAddress(Secrets(text), "arn", lambda: 0.0), body, pool)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_an_answer_of_2xx_takes_the_alert(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    webhook(receiver.url).deliver(ALERT)
    ((path, kind, data),) = receiver.posted
    assert (path, kind, json.loads(data)) == (f"/services/{TOKEN}", "application/json", ALERT)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_outage_and_too_many_requests_bring_the_alert_again(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    with pytest.raises(LaterError, match=f"^the webhook answered {status}$"):
        webhook(receiver.url).deliver(ALERT)
    assert len(receiver.posted) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413])
def test_another_answer_of_4xx_is_final(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    with pytest.raises(RefusedError, match=f"^the webhook answered {status}: check the address in the secret"):
        webhook(receiver.url).deliver(ALERT)
    assert len(receiver.posted) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_final_and_not_followed(receiver: Receiver, status: int) -> None:
    receiver.statuses, receiver.headers = [status, 200], {"Location": "/elsewhere"}
    with pytest.raises(RefusedError, match="a redirect is not followed; put the new address into the secret"):
        webhook(receiver.url).deliver(ALERT)
    assert [path for path, _, _ in receiver.posted] == [f"/services/{TOKEN}"]


def test_a_receiver_that_does_not_answer_in_time_brings_the_alert_again(receiver: Receiver) -> None:
    receiver.answer.clear()
    with pytest.raises(LaterError, match=r"^no answer from the webhook: ReadTimeoutError$"):
        webhook(receiver.url, read=0.05).deliver(ALERT)
    assert len(receiver.posted) == 1


def test_a_refused_connection_brings_the_alert_again() -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else gets the port meanwhile
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(LaterError, match=r"^no answer from the webhook: NewConnectionError$"):
            webhook(f"http://127.0.0.1:{taken.getsockname()[1]}/{TOKEN}").deliver(ALERT)


def _closing_after(head: bytes) -> Iterator[str]:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(head)

    thread = Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/{TOKEN}"
    thread.join()
    server.close()


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 2"])
def test_a_connection_that_closes_within_the_answers_head_brings_the_alert_again(head: bytes) -> None:
    for url in _closing_after(head):
        with pytest.raises(LaterError, match=r"^no answer from the webhook: ProtocolError$"):
            webhook(url).deliver(ALERT)


def test_a_connection_that_closes_within_the_answers_body_has_taken_the_alert() -> None:
    for url in _closing_after(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"):
        webhook(url).deliver(ALERT)


def test_plain_http_goes_to_a_loopback_host_only() -> None:
    with pytest.raises(LaterError, match="is not https"):
        webhook("http://hooks.example.com/services/1").deliver(ALERT)


def _self_signed(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS with a certificate for 127.0.0.1 that nobody vouches for."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "tls.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + certificate.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.pem")
    return context


def test_a_certificate_that_nobody_vouches_for_gets_no_alert(tmp_path: Path) -> None:
    server = _self_signed(tmp_path).wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)

    def serve() -> None:
        with pytest.raises(ssl.SSLError):
            server.accept()

    thread = Thread(target=serve)
    thread.start()
    address = SecretAddress(Secrets(f"https://127.0.0.1:{server.getsockname()[1]}/{TOKEN}"), "arn", lambda: 0.0)
    with pytest.raises(LaterError, match=r"^no answer from the webhook: SSLError$"):
        Webhook(address, as_json).deliver(ALERT)
    thread.join()
    server.close()


# The secret


@pytest.mark.parametrize(
    "text", ["https://example.com/x", " https://example.com/x\n", '{"url": "https://example.com/x", "more": 1}']
)
def test_a_secret_is_the_address_or_a_json_object_with_it(text: str) -> None:
    assert SecretAddress(Secrets(text), "arn", lambda: 0.0).get() == "https://example.com/x"


@pytest.mark.parametrize(
    "text",
    ["", TOKEN, f"ftp://example.com/{TOKEN}", f'{{"address": "{TOKEN}"}}', f"{{{TOKEN}", f"https://user:{TOKEN}@example.com",
     f"https://[{TOKEN}", f"https://example.com:port/{TOKEN}", f"https://example.com/{TOKEN} x", '{"url": 1}'],
)  # fmt: skip
def test_a_secret_without_an_address_brings_the_alert_again_and_is_not_quoted(text: str) -> None:
    with pytest.raises(LaterError, match=r"alerts\.webhook\.secret_arn .*: write https://\.\.\. into it") as caught:
        SecretAddress(Secrets(text), "arn", lambda: 0.0).get()
    assert TOKEN not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_address_is_kept_for_a_while_and_read_again_afterwards() -> None:
    now, secrets = [0.0], Secrets("https://example.com/1")
    address = SecretAddress(secrets, "arn", lambda: now[0])
    assert [address.get(), address.get()] == ["https://example.com/1"] * 2
    secrets.text, now[0] = "https://example.com/2", MAX_AGE
    assert address.get() == "https://example.com/1"
    now[0] = MAX_AGE + 1
    assert address.get() == "https://example.com/2"
    assert secrets.asked == 2
    assert "example.com" not in repr(address)


def test_a_changed_address_is_used_before_an_alert_is_given_up(receiver: Receiver) -> None:
    receiver.statuses = [404, 200]
    secrets = Secrets(receiver.url)
    found = Webhook(SecretAddress(secrets, "arn", lambda: 0.0), as_json)
    found.address.get()
    secrets.text = receiver.url + "-new"
    found.deliver(ALERT)
    assert [path for path, _, _ in receiver.posted] == [f"/services/{TOKEN}", f"/services/{TOKEN}-new"]


# The messages


def test_slack_gets_plain_text_with_its_control_characters_escaped() -> None:
    message = json.loads(as_slack({**ALERT, "event_type": "<!channel> & <https://x|y>", "message": "*a* <@U1> & b"}))
    assert message["text"] == "*a* &lt;@U1&gt; &amp; b"
    head, members = message["blocks"]
    assert head["text"] == {"type": "plain_text", "text": "*a* &lt;@U1&gt; &amp; b", "emoji": False}
    texts = [one["text"] for one in members["fields"]]
    assert "event_type: &lt;!channel&gt; &amp; &lt;https://x|y&gt;" in texts
    assert "event_types: view, click" in texts
    assert "user_id: 42" in texts
    assert not any(text.startswith("message:") for text in texts)


def test_a_slack_message_stays_within_slacks_limits_and_no_escape_is_cut() -> None:
    alert = {"message": "&" * 5000, **{f"column_{number}": ["<" * 256] * 100 for number in range(60)}}
    message = json.loads(as_slack(alert))
    assert len(message["blocks"]) <= 50
    assert len(message["text"]) <= 3000
    assert message["text"].endswith("&amp;...")
    for block in message["blocks"][1:]:
        assert 1 <= len(block["fields"]) <= 10
        for one in block["fields"]:
            assert len(one["text"]) <= 2000
            assert one["text"].endswith("&lt;...")


def test_teams_gets_an_adaptive_card_without_markdown() -> None:
    message = json.loads(as_teams({**ALERT, "event_type": "**bold** [link](https://x)"}))
    assert message["type"] == "message"
    (attachment,) = message["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.2")
    # a TextBlock and a FactSet read Markdown, a RichTextBlock does not
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    title, *members = ([run["text"] for run in block["inlines"]] for block in card["body"])
    assert title == ["User 42 made 11 purchases"]
    assert card["body"][0]["inlines"][0]["color"] == "Attention"
    assert ["event_type: ", "**bold** [link](https://x)"] in members
    assert ["event_types: ", "view, click"] in members


def test_a_card_stays_within_the_size_of_a_message_of_teams() -> None:
    alert = {"message": "x" * 5000, **{f"column_{number}": ["x" * 256] * 100 for number in range(60)}}
    assert len(as_teams(alert)) < 28 * 1024


@pytest.mark.parametrize("form", FORMATS)
def test_half_a_surrogate_pair_and_an_alert_without_a_sentence_are_sent(form: str) -> None:
    data = FORMATS[form]({"alert_type": "A", "event_type": "\ud800"})
    assert json.loads(data)
    assert data.isascii()


# The queue


@dataclass
class Sqs:
    """A queue of dead letters; ``fails`` refuses them."""

    fails: bool = False
    sent: list[dict[str, Any]] = field(default_factory=list)

    def send_message(self, **message: Any) -> object:
        if self.fails:
            raise (
                boto3.session.Session().client("sqs", region_name="us-east-1").exceptions.QueueDoesNotExist({}, "Send")
            )
        self.sent.append(message)
        return {}


def event(*bodies: str) -> dict[str, object]:
    return {"Records": [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]}


def _deliver(alert: Any) -> None:
    error = {"later": LaterError("the webhook answered 503"), "never": RefusedError("the webhook answered 404")}
    if alert.get("is") == "bug":
        raise KeyError(TOKEN)
    if alert.get("is"):
        raise error[alert["is"]]


def test_each_alert_of_a_batch_has_its_own_end(caplog: pytest.LogCaptureFixture) -> None:
    sqs, never = Sqs(), '{"is": "never", "result_id": "7"}'
    queue = AlertQueue(_deliver, sqs, "https://queue")
    with caplog.at_level(logging.INFO, logger="lambdas"):
        answer = queue.handle(event("{}", '{"is": "later"}', never, '{"is": "bug"}', "no JSON", "[]"), PATIENT)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "3"}]}
    assert [(one["QueueUrl"], one["MessageBody"]) for one in sqs.sent] == [
        ("https://queue", never),
        ("https://queue", "no JSON"),
        ("https://queue", "[]"),
    ]
    assert [one["MessageAttributes"]["reason"]["StringValue"] for one in sqs.sent] == [
        "the webhook answered 404",
        "the message is not JSON: only the kit's alerts are delivered",
        "the message is not a JSON object: only the kit's alerts are delivered",
    ]
    assert TOKEN not in caplog.text


def test_an_alert_whose_dead_letter_is_not_confirmed_comes_again() -> None:
    answer = AlertQueue(_deliver, Sqs(fails=True), "https://queue").handle(event('{"is": "never"}'), PATIENT)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}


def test_no_alert_is_begun_that_the_time_left_might_not_suffice_for() -> None:
    delivered: list[Any] = []
    answer = AlertQueue(delivered.append, Sqs(), "https://queue").handle(
        event("{}", "{}"), Patience(lambda: 5_000, reserve=10)
    )
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ["0", "1"]
    assert delivered == []


@pytest.mark.parametrize("bad", [{}, {"Records": 1}, {"Records": ["x"]}, {"Records": [{"messageId": "1"}]}])
def test_what_is_no_sqs_event_raises(bad: dict[str, object]) -> None:
    with pytest.raises(EventError, match="not an SQS event"):
        AlertQueue(_deliver, Sqs(), "https://queue").handle(bad, PATIENT)


# The whole function, with its clients


ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:alerts/webhook-a1B2c3"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"WEBHOOK_SECRET_ARN": ""}, "WEBHOOK_SECRET_ARN is not set"),
        ({"WEBHOOK_SECRET_ARN": "https://x"}, "it must be a secret's ARN"),
        ({"WEBHOOK_FORMAT": "xml"}, "allowed are json, slack, teams"),
        ({"DEAD_LETTER_QUEUE_URL": ""}, "DEAD_LETTER_QUEUE_URL is not set"),
    ],
)
def test_settings_are_checked(change: dict[str, str], message: str) -> None:
    env = {"WEBHOOK_SECRET_ARN": ARN, "WEBHOOK_FORMAT": "json", "DEAD_LETTER_QUEUE_URL": "https://queue/1"}
    assert Settings.from_env(env).form == "json"
    with pytest.raises(SettingError, match=message):
        Settings.from_env({**env, **change})


def test_from_a_secret_to_the_receiver_and_to_the_dead_letters(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    receiver.statuses = [200, 503, 404]
    with mock_aws():
        session = boto3.session.Session()
        arn = session.client("secretsmanager").create_secret(Name="alerts/webhook", SecretString=receiver.url)["ARN"]
        sqs = session.client("sqs")
        queue = sqs.create_queue(QueueName="failures")["QueueUrl"]
        monkeypatch.setenv("WEBHOOK_SECRET_ARN", arn)
        monkeypatch.setenv("WEBHOOK_FORMAT", "slack")
        monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", queue)
        entry.function.cache_clear()
        try:
            answer = entry.handler(event(*[json.dumps(ALERT)] * 3), None)
        finally:
            entry.function.cache_clear()
        (letter,) = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"])["Messages"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert [json.loads(data)["text"] for _, _, data in receiver.posted] == [ALERT["message"]] * 3
    assert json.loads(letter["Body"]) == ALERT
    assert letter["MessageAttributes"]["reason"]["StringValue"].startswith("the webhook answered 404")
    assert TOKEN not in capsys.readouterr().out
