"""The deployed application on the laptop: the template's own property groups start it, and a canary comes through."""

from __future__ import annotations

import tomllib
from pathlib import Path

from config.load import FOLDER, parse
from config.model import Environment
from flink_jobs import properties
from flink_jobs.properties import Groups
from flink_jobs.settings import LOCAL_GROUP
from local.demo import application
from local.processes import Supervisor
from local.standins.flink import FlinkCluster
from local.standins.moto import Moto
from operations.canary import CANARY, Canary
from stacks.main import make_app
from tests.synth.templates import Assembly

# After stacks.main, which chooses the Node.js that aws_cdk starts.
from stacks.composition import compose  # isort: skip

_PATIENCE_SECONDS = 120.0


def a_dev_environment_with_a_short_window() -> Environment:
    """The committed settings of dev; only the window is one that closes while a test watches."""
    content = tomllib.loads((FOLDER / "dev.toml").read_text(encoding="utf-8"))
    content["application"]["properties"]["aggregation"] = {"window": "10 s"}
    return parse({**content, "name": "dev"}, "config/dev.toml")


def synthesized(environment: Environment, folder: Path) -> Assembly:
    app = make_app(environment, outdir=str(folder))
    parts = compose(app, environment)
    app.synth()
    return Assembly(environment, folder, {part: stack.stack_name for part, stack in parts.items()})


def groups_of(assembly: Assembly) -> Groups:
    """The property groups as the service would hand them over."""
    configuration = assembly.one("AWS::KinesisAnalyticsV2::Application", "analytics").properties[
        "ApplicationConfiguration"
    ]
    return {
        group["PropertyGroupId"]: group["PropertyMap"]
        for group in configuration["EnvironmentProperties"]["PropertyGroups"]
    }


def test_the_synthesized_property_groups_start_the_application_and_a_canary_comes_through(
    run_dir: Path, tmp_path: Path
) -> None:
    # Given the template of dev, and streams as it makes them
    assembly = synthesized(a_dev_environment_with_a_short_window(), tmp_path / "cdk.out")
    groups = groups_of(assembly)
    streams = {found.properties["Name"]: found.properties for found in assembly.resources("AWS::Kinesis::Stream")}
    prefix = assembly.environment.prefix
    with Supervisor(run_dir) as supervisor:
        moto = Moto.start(supervisor)
        kinesis = moto.client("kinesis")
        for name, settings in streams.items():
            kinesis.create_stream(StreamName=name, ShardCount=settings["ShardCount"])
        # When the application is started with these groups, the endpoint swapped and nothing else
        groups[LOCAL_GROUP] = {
            "endpoint": moto.endpoint,
            "access_key": "testing",
            "secret_key": "testing",
            "checkpoint_interval": "1 s",
        }
        home = supervisor.scratch("application")
        application.unpack(home)
        file = run_dir / "application_properties.json"
        file.write_text(properties.dump(groups), encoding="utf-8")
        flink = FlinkCluster.start(supervisor, slots=1)
        job = flink.submit(application.run_arguments(home, groups), env=application.environment(file))
        # Then what `make smoke` does finds its result
        told: list[str] = []
        canary = Canary(kinesis, f"{prefix}-events", f"{prefix}-results", f"{prefix}-rejected", told.append)
        result = canary.fly(_PATIENCE_SECONDS)
        flink.cancel(job)
    assert (result["event_type"], result["event_count"], result["run"]) == (CANARY, 1, "live")
    assert result["avg_value"] == 1.0
