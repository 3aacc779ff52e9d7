"""Deploying: the right account, a prepared account, and no loss in a protected environment."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import boto3
import pytest

from operations import deploy, destroy
from operations.environment import OperationError
from tests.unit.operations.conftest import ACCOUNT, target

STACK = "realtime-analytics-test-streams"


def a_template(name: str = "one") -> str:
    stream = {"Type": "AWS::Kinesis::Stream", "Properties": {"Name": name, "ShardCount": 1}}
    return json.dumps({"Resources": {"Events": stream}})


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the synthesized templates of the environment lie."""
    monkeypatch.setattr(deploy, "OUT", tmp_path)
    folder = tmp_path / "test"
    folder.mkdir()
    return folder


def bootstrapped(version: str = "21") -> None:
    target().client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value=version, Type="String")


def test_the_account_of_the_settings_is_let_through() -> None:
    target().check_account()


def test_another_account_is_refused() -> None:
    with pytest.raises(OperationError, match=f"account {ACCOUNT}, config/test.toml is for 210987654321: log in"):
        target(account="210987654321").check_account()


def test_an_environment_without_an_account_is_not_deployed_anywhere() -> None:
    with pytest.raises(
        OperationError, match=f'account: not set; the credentials are for {ACCOUNT}: write account = "{ACCOUNT}"'
    ):
        target(account="").check_account()


def test_an_account_without_bootstrap_is_told_the_command() -> None:
    with pytest.raises(OperationError, match=f"cdk bootstrap aws://{ACCOUNT}/us-east-1"):
        deploy.check_prerequisites(target())
    bootstrapped("5")
    with pytest.raises(OperationError, match="CDK is not set up"):
        deploy.check_prerequisites(target())


def test_an_account_without_opensearchs_role_is_told_the_command() -> None:
    bootstrapped()
    deploy.check_prerequisites(target())
    with pytest.raises(OperationError, match="create-service-linked-role --aws-service-name opensearchservice"):
        deploy.check_prerequisites(target(search={"enabled": True}))
    target().client("iam").create_role(
        RoleName="AWSServiceRoleForAmazonOpenSearchService", AssumeRolePolicyDocument="{}", Path="/aws-service-role/"
    )
    deploy.check_prerequisites(target(search={"enabled": True}))


def test_a_protected_environment_loses_no_stream_unless_it_is_accepted_by_name(out: Path) -> None:
    target().client("cloudformation").create_stack(StackName=STACK, TemplateBody=a_template())
    (out / f"{STACK}.template.json").write_text(a_template("two"), encoding="utf-8")
    stacks = deploy.deployed_stacks(target())
    assert stacks == {STACK: "CREATE_COMPLETE"}
    with pytest.raises(
        OperationError, match=r"would lose what holds data:\n  Events \(AWS::Kinesis::Stream\): Name is set"
    ):
        deploy.check_losses(target(), stacks, [])
    deploy.check_losses(target(), stacks, ["Events"])
    deploy.check_losses(target(protection={"retain_data": False}), stacks, [])
    (out / f"{STACK}.template.json").write_text(a_template(), encoding="utf-8")
    deploy.check_losses(target(), stacks, [])


def test_a_part_that_was_switched_off_is_told_and_not_lost(out: Path) -> None:
    target().client("cloudformation").create_stack(StackName=STACK, TemplateBody=a_template())
    stacks = deploy.deployed_stacks(target())
    deploy.check_losses(target(), stacks, [])
    assert deploy.left_over(target(), stacks) == [STACK]


def test_stacks_of_another_environment_are_not_ours() -> None:
    target().client("cloudformation").create_stack(
        StackName="realtime-analytics-other-streams", TemplateBody=a_template()
    )
    assert deploy.deployed_stacks(target()) == {}


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, out: Path) -> list[tuple[str, ...]]:
    """What the CLI was called with; a synth leaves the template of a stream."""
    called: list[tuple[str, ...]] = []

    def cdk(environment: str, *arguments: str, quiet: bool = False) -> int:
        called.append((environment, *arguments))
        if "destroy" in arguments:
            boto3.client("cloudformation", region_name="us-east-1").delete_stack(StackName=STACK)
        (out / f"{STACK}.template.json").write_text(a_template(), encoding="utf-8")
        return 0

    monkeypatch.setattr(deploy, "cdk", cdk)
    monkeypatch.setattr(destroy, "cdk", cdk)
    return called


def test_a_deployment_synthesizes_checks_and_deploys_every_stack(commands: list[tuple[str, ...]]) -> None:
    bootstrapped()
    assert deploy.deploy(target(), Namespace(yes=True, replace=[])) == 0
    assert commands == [
        ("test", "synth"),
        ("test", "deploy", "--all", "--require-approval", "never", "--progress", "events"),
    ]


def test_a_loss_stops_a_deployment_before_the_cli_changes_anything(commands: list[tuple[str, ...]]) -> None:
    bootstrapped()
    target().client("cloudformation").create_stack(StackName=STACK, TemplateBody=a_template("old"))
    with pytest.raises(OperationError, match="would lose"):
        deploy.deploy(target(), Namespace(yes=True, replace=[]))
    assert commands == [("test", "synth")]


def test_a_protected_environment_is_not_destroyed(commands: list[tuple[str, ...]]) -> None:
    with pytest.raises(OperationError, match="termination_protection = false"):
        destroy.destroy(target(), Namespace(yes=True, stack=None))
    assert commands == []


def test_nobody_to_ask_and_no_yes_destroys_nothing(
    commands: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destroy, "interactive", lambda: False)
    open_target = target(protection={"termination_protection": False})
    open_target.client("cloudformation").create_stack(StackName=STACK, TemplateBody=a_template())
    with pytest.raises(OperationError, match="nobody to ask"):
        destroy.destroy(open_target, Namespace(yes=False, stack=None))
    assert commands == []


@pytest.mark.parametrize(("answer", "destroyed"), [("test", True), ("yes", False), ("", False)])
def test_only_the_environments_name_confirms(
    commands: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, answer: str, destroyed: bool
) -> None:
    monkeypatch.setattr(destroy, "interactive", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    open_target = target(protection={"termination_protection": False})
    open_target.client("cloudformation").create_stack(StackName=STACK, TemplateBody=a_template())
    if destroyed:
        assert destroy.destroy(open_target, Namespace(yes=False, stack=None)) == 0
        assert commands == [("test", "synth"), ("test", "destroy", "--all", "--force")]
    else:
        with pytest.raises(OperationError, match="not confirmed"):
            destroy.destroy(open_target, Namespace(yes=False, stack=None))
        assert commands == []


def test_a_part_that_was_switched_off_is_destroyed_with_the_others(commands: list[tuple[str, ...]]) -> None:
    # Given the streams, which the settings have, and a search that they no longer have
    open_target = target(protection={"termination_protection": False})
    client = open_target.client("cloudformation")
    client.create_stack(StackName=STACK, TemplateBody=a_template())
    client.create_stack(StackName="realtime-analytics-test-search", TemplateBody=a_template("other"))
    # When the environment is destroyed, nothing of it is left
    assert destroy.destroy(open_target, Namespace(yes=True, stack=None)) == 0
    assert deploy.deployed_stacks(open_target) == {}
    assert commands[-1] == ("test", "destroy", "--all", "--force")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"source": {"kind": "msk"}}, True),
        ({"source": {"kind": "msk"}, "protection": {"retain_data": False, "termination_protection": False}}, False),
        ({}, False),
    ],
)
def test_a_cluster_that_stays_is_named_with_what_it_costs(
    commands: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str], changes: dict[str, Any], told: bool
) -> None:
    protection = {"protection": {"termination_protection": False}}
    open_target = target(network={"zones": ["us-east-1a", "us-east-1b"]}, **{**protection, **changes})
    client = open_target.client("cloudformation")
    client.create_stack(StackName="realtime-analytics-test-topic", TemplateBody=a_template())
    assert destroy.destroy(open_target, Namespace(yes=True, stack=None)) == 0
    assert (
        "550 USD a month before traffic: the MSK cluster realtime-analytics-test" in capsys.readouterr().out
    ) is told
    assert commands


def test_what_is_still_there_afterwards_is_an_error(
    commands: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    open_target = target(protection={"termination_protection": False})
    open_target.client("cloudformation").create_stack(StackName=STACK, TemplateBody=a_template())
    monkeypatch.setattr(destroy, "left_over", lambda *_: [])
    monkeypatch.setattr(destroy, "cdk", lambda *_, **__: 0)
    with pytest.raises(OperationError, match=f"still there: {STACK}"):
        destroy.destroy(open_target, Namespace(yes=True, stack=None))


def test_one_stack_that_the_settings_no_longer_have_is_destroyed_by_name(commands: list[tuple[str, ...]]) -> None:
    open_target = target(protection={"termination_protection": False})
    open_target.client("cloudformation").create_stack(StackName=STACK, TemplateBody=a_template())
    assert destroy.destroy(open_target, Namespace(yes=True, stack=STACK)) == 0
    assert deploy.deployed_stacks(open_target) == {}
    with pytest.raises(OperationError, match=f"nothing to destroy: {STACK} is not deployed"):
        destroy.destroy(open_target, Namespace(yes=True, stack=STACK))
    assert commands == []
