"""Deployed functions: their code is there, and their environment is what their settings take."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from typing import Any

from config.rules import polling_readers
from lambdas.alerts.settings import Settings as AlertsSettings
from lambdas.search_indexer.settings import Settings as IndexerSettings
from stacks.search import INDEX_PREFIX
from tests.synth.templates import Assembly, Found

_ACCOUNT = "123456789012"


def _ours(assembly: Assembly) -> list[Found]:
    found = [
        one
        for one in assembly.resources("AWS::Lambda::Function")
        if str(one.properties["Handler"]).startswith("lambdas.")
    ]
    assert len(found) >= 5
    return found


def _environment(assembly: Assembly, name: str) -> dict[str, str]:
    """A function's environment as Lambda sets it, with made-up values where the template refers to a resource."""
    function = next(one for one in _ours(assembly) if one.properties["FunctionName"].endswith(name))
    region = assembly.environment.region
    values = {
        name: value if isinstance(value, str) else _made_up(value, region)
        for name, value in function.properties["Environment"]["Variables"].items()
    }
    return {**values, "AWS_REGION": region}


def _made_up(value: Mapping[str, Any], region: str) -> str:
    text = json.dumps(value)
    for name, made_up in (("Processed", "processed"), ("Failures", "https://sqs.example/failures")):
        if value.get("Ref", "").startswith(("Processed", "AlertsFailures", "SearchFailures")) and name in text:
            return made_up
    if "Fn::Join" in value:  # https://<domain endpoint>
        return "".join(part if isinstance(part, str) else "vpc-x.es.amazonaws.com" for part in value["Fn::Join"][1])
    assert "Alerts" in text, text
    return f"arn:aws:sns:{region}:{_ACCOUNT}:{text.count('Alerts') and 'alerts'}"


def test_every_handler_is_in_the_folder_that_is_deployed(assembly: Assembly) -> None:
    manifest = {
        key: asset["source"]["path"]
        for path in assembly.folder.glob("*.assets.json")
        for key, asset in json.loads(path.read_text(encoding="utf-8"))["files"].items()
    }
    for function in _ours(assembly):
        module, _, name = function.properties["Handler"].rpartition(".")
        assert callable(getattr(importlib.import_module(module), name))
        folder = assembly.folder / manifest[function.properties["Code"]["S3Key"].removesuffix(".zip")]
        assert folder.joinpath(*module.split(".")).with_suffix(".py").is_file(), function


def test_functions_run_on_the_python_of_the_tests_and_on_arm(assembly: Assembly) -> None:
    for function in _ours(assembly):
        assert function.properties["Runtime"] == "python3.11"
        assert function.properties["Architectures"] == ["arm64"]


def test_the_alerts_function_takes_its_environment(assembly: Assembly) -> None:
    settings = AlertsSettings.from_env(_environment(assembly, "-alerts"))
    assert settings.namespace == f"RealTimeAnalytics/{assembly.environment.name}"
    assert settings.max_age == assembly.environment.alerts.max_age_hours * 3600
    assert settings.digest_above == assembly.environment.alerts.digest_above


def test_a_result_is_remembered_longer_than_its_stream_can_deliver_it(assembly: Assembly) -> None:
    settings = AlertsSettings.from_env(_environment(assembly, "-alerts"))
    streams = assembly.environment.streams
    assert settings.remember >= max(streams.results.retention_hours, streams.rejected.retention_hours) * 3600 + 86_400


def test_the_indexer_takes_its_environment(assembly: Assembly) -> None:
    if not assembly.environment.search.enabled:
        assert not [one for one in _ours(assembly) if "search" in one.properties["FunctionName"]]
        return
    settings = IndexerSettings.from_env(_environment(assembly, "-search-indexer"))
    assert settings.prefix == INDEX_PREFIX
    assert settings.endpoint == "https://vpc-x.es.amazonaws.com"


def _stream_mappings(assembly: Assembly) -> list[Found]:
    """The mappings that read Kinesis; the others read the queues of the alerts' channels."""
    mappings = assembly.resources("AWS::Lambda::EventSourceMapping")
    return [mapping for mapping in mappings if "Queue" not in json.dumps(mapping.properties["EventSourceArn"])]


def test_readers_of_streams_lose_nothing_and_are_held_up_by_nothing(assembly: Assembly) -> None:
    mappings = _stream_mappings(assembly)
    assert len(mappings) >= 2
    for mapping in mappings:
        settings = mapping.properties
        assert settings["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert settings["BisectBatchOnFunctionError"] is True
        assert settings["StartingPosition"] == "TRIM_HORIZON"
        assert settings["DestinationConfig"]["OnFailure"]["Destination"]
        # What is tried again is an outage: the record's age ends it, no number of attempts before.
        assert "MaximumRetryAttempts" not in settings
        retention = assembly.environment.streams.results.retention_hours * 3600
        assert 3600 <= settings["MaximumRecordAgeInSeconds"] < retention


def test_each_reader_of_the_settings_is_one_of_the_template(assembly: Assembly) -> None:
    """What config.rules adds up against the shards' limits is what is deployed."""
    polled = polling_readers(assembly.environment)
    deployed = sum(
        delivery.properties["DeliveryStreamType"] == "KinesisStreamAsSource"
        for delivery in assembly.resources("AWS::KinesisFirehose::DeliveryStream")
    )
    deployed += sum(
        1
        for mapping in _stream_mappings(assembly)
        if "Consumer" not in json.dumps(mapping.properties["EventSourceArn"])
    )
    application = assembly.environment.kinesis is not None
    assert deployed + application == sum(len(readers) for readers in polled.values())
