"""Who reaches the brokers: the application and the set-up of the topic, on the port of IAM, and nobody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from config.load import parse
from contracts.kafka import IAM_PORT
from tests.synth.conftest import Synthesize
from tests.synth.templates import Assembly, Found
from tests.unit.config.sources import CLUSTER, SOURCES, settings

_CLIENTS = ("ApplicationGroup", "TopicGroup")


def _group(assembly: Assembly, name: str) -> Found:
    (found,) = (one for one in assembly.resources("AWS::EC2::SecurityGroup") if one.logical_id.startswith(name))
    return found


def _id(group: Found) -> dict[str, Any]:
    return {"Fn::GetAtt": [group.logical_id, "GroupId"]}


def _ingress(assembly: Assembly, brokers: object) -> list[Any]:
    rules = [one.properties for one in assembly.resources("AWS::EC2::SecurityGroupIngress")]
    return [rule for rule in rules if rule["GroupId"] == brokers]


def _on_the_port(rules: list[Any]) -> list[Any]:
    return [rule for rule in rules if rule["FromPort"] <= IAM_PORT <= rule["ToPort"]]


@pytest.mark.parametrize("name", ["msk", "kafka"])
def test_the_application_and_the_set_up_reach_the_brokers_in_the_network(
    assemblies: Callable[[str], Assembly], name: str
) -> None:
    network = assemblies(name).environment.network
    own = network.existing.cidr if network.existing else network.cidr
    for client in _CLIENTS:
        (rule,) = _on_the_port(_group(assemblies(name), client).properties["SecurityGroupEgress"])
        assert (rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) == (IAM_PORT, IAM_PORT, "tcp")
        assert rule["CidrIp"] == own


@pytest.mark.parametrize("name", ["msk", "kafka"])
def test_the_brokers_let_those_two_in_and_nobody_else(assemblies: Callable[[str], Assembly], name: str) -> None:
    assembly = assemblies(name)
    topic = assembly.environment.msk
    assert topic is not None
    if topic.cluster_arn is None:
        group = _group(assembly, "BrokersGroup")
        assert not group.properties.get("SecurityGroupIngress")
        brokers: object = _id(group)
        (cluster,) = assembly.resources("AWS::MSK::ServerlessCluster")
        (place,) = cluster.properties["VpcConfigs"]
        assert group.logical_id in str(place["SecurityGroups"])
    else:
        brokers = topic.security_group_id
    rules = _ingress(assembly, brokers)
    assert {(rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) for rule in rules} == {(IAM_PORT, IAM_PORT, "tcp")}
    sources = [rule["SourceSecurityGroupId"] for rule in rules]
    assert sorted(sources, key=str) == sorted((_id(_group(assembly, client)) for client in _CLIENTS), key=str)
    (set_up,) = (
        one
        for one in assembly.resources("AWS::Lambda::Function")
        if "VpcConfig" in one.properties and one.part == "topic"
    )
    assert _group(assembly, "TopicGroup").logical_id in str(set_up.properties["VpcConfig"]["SecurityGroupIds"])


def test_a_cluster_whose_group_nobody_named_is_left_as_it_is(synthesize: Synthesize) -> None:
    source = {"kind": "msk", "msk": {"cluster_arn": CLUSTER, "topic": "clicks"}}
    assert SOURCES["msk existing"]["source"]["msk"]["security_group_id"]
    assembly = synthesize(parse(settings("msk existing", name="kafka", source=source), "kafka.toml"))
    rules = [one.properties for one in assembly.resources("AWS::EC2::SecurityGroupIngress")]
    for group in assembly.resources("AWS::EC2::SecurityGroup"):
        rules += group.properties.get("SecurityGroupIngress", [])
    assert not _on_the_port(rules)
