"""A bad settings file: one clear line each, with file, key, value and what is allowed, before any synth."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.load import ConfigurationError, environments, load, parse

ROOT = Path(__file__).resolve().parents[3]
GOOD: dict[str, Any] = {"name": "test", "network": {"zones": ["us-east-1a"]}}

_WEBHOOK = "arn:aws:secretsmanager:us-east-1:123456789012:secret:alerts/webhook-a1B2c3"


def merged(changes: dict[str, Any]) -> dict[str, Any]:
    result = dict(GOOD)
    for key, value in changes.items():
        result[key] = {**result.get(key, {}), **value} if isinstance(value, dict) else value
    return result


def lines(changes: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse(merged(changes), "config/test.toml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"colour": "blue"},
            "unknown key 'colour'; allowed are account, alerts, application, audit, backfill, budget, functions, lake, "
            "lambda_log_days, network, pipeline, protection, region, search, source, streams, tags, warehouse",
        ),
        (
            {"application": {"paralelism": 4}},
            "unknown key 'application.paralelism'; allowed are allow_non_restored_state, autoscaling, "
            "checkpoint_interval_seconds, checkpoint_pause_seconds, kpu_alarm, kpu_quota, log_days, log_level, "
            "maintenance_window, parallelism, parallelism_per_kpu, properties, runtime, snapshot_before_update, "
            "snapshots_kept, state",
        ),
        (
            {"alerts": {"webhook": {"secret_arn": "https://hooks.example.com/1"}}},
            "alerts.webhook.secret_arn: 'https://hooks.example.com/1' is not allowed; allowed is a secret's whole ARN, "
            "arn:aws:secretsmanager:<region>:<account>:secret:<name>-<6 characters>",
        ),
        (
            {"alerts": {"webhook": {"format": "slack"}}},
            "alerts.webhook.secret_arn: missing; it is required",
        ),
        (
            {
                "alerts": {
                    "webhook": {
                        "secret_arn": _WEBHOOK,
                        "format": "xml",
                    }
                }
            },
            "alerts.webhook.format: 'xml' is not allowed; allowed is one of 'json', 'slack' or 'teams'",
        ),
        (
            {
                "region": "eu-west-1",
                "network": {"zones": ["eu-west-1a"]},
                "alerts": {"webhook": {"secret_arn": _WEBHOOK}},
            },
            f"alerts.webhook.secret_arn: '{_WEBHOOK}' is not allowed; allowed is an ARN of region eu-west-1",
        ),
        (
            {"alerts": {"event_bus": {"name": "aws.partner/x"}}},
            "alerts.event_bus.name: 'aws.partner/x' is not allowed; allowed is an event bus's name: default, or 1 to "
            "256 of a-z A-Z 0-9 _ . -",
        ),
        (
            {"alerts": {"event_bus": {"severities": ["URGENT"]}}},
            "alerts.event_bus.severities.0: 'URGENT' is not allowed; allowed is one of 'LOW', 'MEDIUM' or 'HIGH'",
        ),
        (
            {"network": {"existing": {"vpc": "vpc-1"}}},
            "network.existing.vpc_id: missing; it is required",
        ),
        (
            {"network": {"zones": []}},
            "network.zones: [] is not allowed; allowed is at least 1 of them",
        ),
        (
            {"network": {"peers": ["10.20.8.0/24"]}},
            "network.peers: '10.20.8.0/24' is not allowed; allowed is a network that does not overlap "
            "this one's 10.20.0.0/20",
        ),
        (
            {"network": {"cidr": "10.0.0.0/8"}},
            "network.cidr: '10.0.0.0/8' is not allowed; allowed is an IPv4 network of /16 to /24 in a "
            "private range, such as 10.20.0.0/20",
        ),
        (
            {"network": {"zones": ["eu-west-1a"]}},
            "network.zones: 'eu-west-1a' is not allowed; allowed is a zone of region us-east-1",
        ),
        (
            {"application": {"parallelism": 100}},
            "application.parallelism: 100 is not allowed; allowed is at most 64: application.kpu_quota "
            "= 64 KPUs of 1 each",
        ),
        (
            {"application": {"runtime": "FLINK-1_8"}},
            "application.runtime: 'FLINK-1_8' is not allowed; allowed is one of 'FLINK-1_20'",
        ),
        (
            {"application": {"parallelism": "4"}},
            "application.parallelism: '4' is not allowed; allowed is a whole number",
        ),
        (
            {"application": {"kpu_alarm": 4}},
            "application.kpu_alarm: 4 is not allowed; allowed is at least 5: the 4 KPUs of the "
            "parallelism and the one that orchestrates",
        ),
        (
            {"application": {"checkpoint_pause_seconds": 90}},
            "application.checkpoint_pause_seconds: 90 is not allowed; allowed is at most "
            "application.checkpoint_interval_seconds = 60",
        ),
        (
            {"application": {"properties": {"time": {"watermark_delay": "soon"}}}},
            "application.properties: group 'time', key 'watermark_delay': 'soon' is not allowed; allowed "
            "is a duration from 0 s to 1 h, such as '5 s' (units: ms, s, min, h, d)",
        ),
        (
            {"application": {"properties": {"input": {"stream": "mine"}}}},
            "application.properties.input.stream: 'mine' is not allowed; allowed is not here: the stack sets it",
        ),
        (
            {"application": {"properties": {"local": {"parallelism": "1"}}}},
            "application.properties: group 'local' is refused on the managed service, which sets "
            "parallelism, checkpoints, endpoint and credentials itself; allowed is no such group",
        ),
        (
            {"application": {"properties": {"backfill": {"margin": "3 d"}}}},
            "application.properties.backfill: {'margin': '3 d'} is not allowed; allowed is no such group: "
            "backfill.properties has its keys (margin, delay)",
        ),
        (
            {"backfill": {"properties": {"start": "2026-11-24T00:00:00Z"}}},
            "backfill.properties.start: '2026-11-24T00:00:00Z' is not allowed; allowed is no such key: "
            "margin and delay may be set here",
        ),
        (
            {"backfill": {"properties": {"margin": "a day"}}},
            "backfill.properties: group 'backfill', key 'margin': 'a day' is not allowed; allowed "
            "is a duration from 0 s to 30 d, such as '25 h' (units: ms, s, min, h, d)",
        ),
        (
            {"application": {"kpu_quota": 6}},
            "backfill.parallelism: 4 is not allowed; allowed is at most 2: application.kpu_quota = 6 KPUs, of which "
            "the application takes 4",
        ),
        (
            {"alerts": {"emails": ["team at example.com"]}},
            "alerts.emails.0: 'team at example.com' is not allowed; allowed is an e-mail address, such "
            "as team@example.com",
        ),
        (
            {"search": {"enabled": True, "instances": 2}},
            "network.zones: ['us-east-1a'] is not allowed; allowed is at least 2 zones for "
            "search.instances = 2, or one instance",
        ),
        (
            {"network": {"zones": ["us-east-1a", "us-east-1b"]}, "search": {"enabled": True, "instances": 3}},
            "search.instances: 3 is not allowed; allowed is a multiple of the 2 zones that the nodes are spread over",
        ),
        (
            {"streams": {"input": {"mode": "on_demand"}}},
            "streams.input.mode: 'on_demand' is not allowed; allowed is provisioned, or on_demand with "
            "streams.input.accept_automatic_resharding = true (see docs/deploy.md)",
        ),
        (
            {"streams": {"results": {"expected_kb_per_second": 2000}}},
            "streams.results.shards: 1 is not allowed; allowed is at least 2 for 2000 KB/s and 2 polling readers",
        ),
        (
            {"application": {"properties": {"input": {"poll_interval": "200 ms"}}}},
            "streams.input: '6 reads a second and shard (application 5, firehose 1)' is not allowed; "
            "allowed is at most 5: raise application.properties.input.poll_interval or use enhanced_fan_out",
        ),
        (
            {
                "account": "123456789012",
                "streams": {"input": {"existing_arn": "arn:aws:kinesis:us-east-1:210987654321:stream/clicks"}},
            },
            "streams.input.existing_arn: 'arn:aws:kinesis:us-east-1:210987654321:stream/clicks' is not "
            "allowed; allowed is an ARN of account 123456789012",
        ),
        (
            {"account": "12345"},
            "account: '12345' is not allowed; allowed is 12 digits, or an empty text: synthesizes for any account",
        ),
        (
            {"functions": {"reserved_concurrency": 2}, "streams": {"results": {"shards": 2}}},
            "functions.reserved_concurrency: 2 is not allowed; allowed is at least 3: batches that the shards have in "
            "work at once (alerts 3); fewer would be throttled",
        ),
        (
            {"budget": {"monthly_usd": 100}},
            "budget.monthly_usd: 100 is not allowed; allowed is only with alerts.emails: nobody would be told",
        ),
        (
            {"application": {"log_days": 31}},
            "application.log_days: 31 is not allowed; allowed is one of 1, 3, 5, 7, 14, 30, 60, 90, 120, "
            "150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3653",
        ),
    ],
)
def test_a_setting_that_is_not_allowed_is_one_line(changes: dict[str, Any], line: str) -> None:
    assert f"config/test.toml: {line}" in lines(changes)


@pytest.mark.parametrize("channel", [{"event_bus": {}}, {"webhook": {"secret_arn": _WEBHOOK}}])
def test_an_alert_type_that_no_job_has_is_refused_and_those_of_the_jobs_are_named(channel: dict[str, Any]) -> None:
    ((name, table),) = channel.items()
    (line,) = lines({"alerts": {name: {**table, "alert_types": ["FRAUD_DETECTED", "FRAUD"]}}})
    assert line.startswith(f"config/test.toml: alerts.{name}.alert_types: 'FRAUD' is not allowed; allowed is an alert ")
    assert "FRAUD_DETECTED" in line


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"alerts": {"emails": ["a@example.com", "A@example.com"]}}, "alerts.emails: "),
        ({"alerts": {"categories": ["books", "books"]}}, "alerts.categories: ['books', 'books'] is not allowed"),
        (
            {"alerts": {"categories": ["other"]}},
            "alerts.categories: ['other'] is not allowed; allowed is each category once, and none called other",
        ),
        (
            {"alerts": {"categories": ["caf\u00e9"]}},
            "alerts.categories.0: 'caf\u00e9' is not allowed; allowed is 1 to 64 printable",
        ),
        ({"alerts": {"categories": [f"c{n}" for n in range(21)]}}, "alerts.categories: "),
        ({"alerts": {"gather_seconds": 301}}, "alerts.gather_seconds: 301 is not allowed; allowed is at most 300"),
        ({"alerts": {"no_events_minutes": 1441}}, "alerts.no_events_minutes: 1441 is not allowed"),
        ({"alerts": {"rejected_percent": 0}}, "alerts.rejected_percent: 0 is not allowed"),
        ({"alerts": {"emails": ["a..b@example.com"]}}, "alerts.emails.0: 'a..b@example.com' is not allowed"),
        ({"alerts": {"emails": ["x@-.-"]}}, "alerts.emails.0: 'x@-.-' is not allowed"),
        (
            {"alerts": {"emails": [f"p{n}@example.com" for n in range(11)]}, "budget": {"monthly_usd": 9}},
            "alerts.emails: '11 addresses' is not allowed; allowed is at most 10",
        ),
        ({"tags": {"aws:owner": "me"}}, "tags.aws:owner: 'me' is not allowed"),
        ({"tags": {"": "me"}}, "tags..[key]: '' is not allowed; allowed is 1 to 128 letters and digits of any script"),
        ({"tags": {"owner": "a\tb"}}, "tags.owner: 'a\\tb' is not allowed; allowed is 0 to 256 letters and digits"),
        ({"tags": {"owner": "a,b"}}, "tags.owner: 'a,b' is not allowed"),
        ({"tags": {"owner": "x" * 257}}, "tags.owner: "),
        ({"tags": {"environment": "me"}}, "tags.environment: 'me' is not allowed"),
        ({"tags": {f"t{n}": "x" for n in range(60)}}, "tags: '60 tags' is not allowed; allowed is at most 49"),
        ({"search": {"enabled": True, "instance_type": "foo.bar.search"}}, "search.instance_type: 'foo.bar.search'"),
        (
            {"search": {"enabled": True, "volume_gb": 3000}},
            "search.volume_gb: 3000 is not allowed",
        ),
        ({"region": "cn-north-1"}, "region: 'cn-north-1' is not allowed"),
        ({"region": "us-gov-west-1"}, "region: 'us-gov-west-1' is not allowed"),
    ],
)
def test_what_aws_would_refuse_is_one_line_before_it_does(changes: dict[str, Any], told: str) -> None:
    (line,) = lines(changes)
    assert line.startswith(f"config/test.toml: {told}")


@pytest.mark.parametrize(
    ("name", "value"),
    [("부서", "데이터 분석팀"), ("owner", ""), ("a.b:c/d=e+f-g@h_i", "\u3000１"), ("x" * 128, "y" * 256)],
)
def test_tags_that_aws_takes_are_taken(name: str, value: str) -> None:
    assert parse(merged({"tags": {name: value}}), "config/test.toml").tags == {name: value}


@pytest.mark.parametrize("kind", ["m7g.large.search", "r6g.2xlarge.search", "t3.medium.search", "or1.xlarge.search"])
def test_types_that_opensearch_has_are_taken(kind: str) -> None:
    parse(merged({"search": {"enabled": True, "instance_type": kind}}), "config/test.toml")


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    found = lines(
        {
            "application": {"parallelism": 100},
            "network": {"peers": ["10.20.0.0/24"]},
            "search": {"enabled": True, "instances": 2},
        }
    )
    assert len(found) == 3  # the quota, the overlap, the zones
    assert all(line.startswith("config/test.toml: ") for line in found)


def test_where_no_events_are_archived_nothing_of_a_backfill_is_asked_for() -> None:
    settings = {"lake": {"enabled": False}, "application": {"kpu_quota": 4, "kpu_alarm": 5}}
    assert not parse(merged(settings), "config/test.toml").archives_events


def test_a_mistake_of_the_live_application_is_not_told_again_of_the_backfills() -> None:
    assert len(lines({"application": {"properties": {"time": {"watermark_delay": "soon"}}}})) == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [("account = ", "not TOML"), ('account = "\xff"'.encode("latin-1").decode("latin-1"), "account")],
)
def test_a_file_that_is_not_readable_is_one_line(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "dev.toml").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load("dev", tmp_path)
    assert told in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path.name}/dev.toml: ")


def test_a_file_with_a_byte_order_mark_and_other_line_ends_is_read(tmp_path: Path) -> None:
    (tmp_path / "dev.toml").write_bytes(
        b'\xef\xbb\xbfaccount = "123456789012"\r\n[network]\r\nzones = ["us-east-1a"]\r\n'
    )
    assert load("dev", tmp_path).account == "123456789012"


def test_a_name_without_a_file_is_told_with_those_that_have_one() -> None:
    with pytest.raises(ConfigurationError, match="environment 'staging' is not allowed; allowed are dev, prod"):
        load("staging")


def test_a_name_that_is_too_long_for_names_of_resources_is_refused(tmp_path: Path) -> None:
    (tmp_path / "development.toml").write_text('[network]\nzones = ["us-east-1a"]\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="allowed are 1 to 8 of a-z 0-9"):
        load("development", tmp_path)


@pytest.mark.parametrize("name", environments())
def test_the_environments_of_this_repository_are_good(name: str) -> None:
    assert load(name).name == name


def test_the_command_says_so_in_one_line_and_synthesizes_nothing(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "CDK_CONTEXT_JSON": '{"env": "nowhere"}', "CDK_OUTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == "environment 'nowhere' is not allowed; allowed are dev, prod"
    assert list(tmp_path.iterdir()) == []
