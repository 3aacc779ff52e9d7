"""The templates of dev and prod, deployed into moto: what CloudFormation makes of them is there, with its settings.

moto knows a part of the types. What it does not know is taken out before (``_UNKNOWN``, each with the reason), and what
refers to it gets a made-up value. So this proves that the rest can be created in the stacks' order, that references
between stacks arrive, and what then exists; not what AWS would refuse. Of some types moto takes a part of the
properties only (buckets: name, encryption, tags; log groups: no key; functions: no architecture): for the rest, and for
what is left out, the other tests of this folder look into the templates.
"""

from __future__ import annotations

import ast
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.cloudformation.parsing import get_model_map

from contracts.metrics import namespace
from contracts.names import StreamRole, function_name, stream_name
from tests.synth.templates import Assembly

_ACCOUNT = "123456789012"  # moto's own
_NOT_THERE = "moto has no model of it"
_CUSTOM = "moto calls no function, so a custom resource is never made"
#: Types that are not deployed, and why.
_UNKNOWN = {
    "AWS::Athena::NamedQuery": _NOT_THERE,
    "AWS::Athena::WorkGroup": _NOT_THERE,
    "AWS::CloudTrail::Trail": _NOT_THERE,
    "AWS::CloudWatch::Alarm": _NOT_THERE,
    "AWS::CloudWatch::CompositeAlarm": _NOT_THERE,
    "AWS::DynamoDB::GlobalTable": _NOT_THERE,
    "AWS::Glue::Database": _NOT_THERE,
    "AWS::Glue::Table": _NOT_THERE,
    "AWS::KinesisAnalyticsV2::Application": _NOT_THERE,
    "AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption": _NOT_THERE,
    "AWS::KinesisFirehose::DeliveryStream": _NOT_THERE,
    "AWS::Logs::LogStream": _NOT_THERE,
    "AWS::Logs::MetricFilter": _NOT_THERE,
    "AWS::OpenSearchService::Domain": _NOT_THERE,
    "AWS::S3::BucketPolicy": _NOT_THERE,
    "AWS::SNS::TopicPolicy": _NOT_THERE,
    "AWS::SQS::QueuePolicy": _NOT_THERE,
    "Custom::S3AutoDeleteObjects": _CUSTOM,
    "Custom::SearchSetup": _CUSTOM,
    "Custom::SnapshotBefore": _CUSTOM,
    "Custom::StartAfter": _CUSTOM,
}
#: Properties that are left out of types that are deployed, and why.
_UNKNOWN_PROPERTIES = {
    ("AWS::KMS::Key", "Tags"): "moto reads them as the API of KMS writes them (TagKey), not as CloudFormation does",
}
_ENVIRONMENTS = ("dev", "prod")

Template = Mapping[str, Any]


@dataclass
class Deployment:
    """An environment in moto. ``made``: logical id and physical id of each stack's resources."""

    assembly: Assembly
    made: dict[str, dict[str, str]] = field(default_factory=dict)
    outputs: dict[tuple[str, str], str] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """A client in the environment's region."""
        return boto3.client(service, region_name=self.assembly.environment.region)

    def deploy(self) -> None:
        """Every stack, in the order of composition, which is that of their dependencies."""
        self._bootstrap()
        for part, name in self.assembly.stack_names.items():
            template = self.known(part, self.assembly.templates[part])
            self.client("cloudformation").create_stack(
                StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"]
            )
            (stack,) = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
            assert stack["StackStatus"] == "CREATE_COMPLETE"
            for output in stack.get("Outputs", []):
                self.outputs[name, output["OutputKey"]] = output["OutputValue"]
            found = self.client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]
            self.made[part] = {one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in found}

    def known(self, part: str, template: Template) -> dict[str, Any]:
        """The template without what moto does not know, and without references to it."""
        kept = {name: body for name, body in template["Resources"].items() if body["Type"] not in _UNKNOWN}
        dropped = template["Resources"].keys() - kept.keys()
        resources = {}
        for name, body in kept.items():
            needs = body.get("DependsOn", [])
            left = [one for one in (needs if isinstance(needs, list) else [needs]) if one not in dropped]
            resources[name] = {**self._replaced(part, body, dropped), "DependsOn": left}
            for resource_type, key in _UNKNOWN_PROPERTIES:
                if body["Type"] == resource_type:
                    resources[name]["Properties"].pop(key)
        return {
            "Parameters": template.get("Parameters", {}),
            "Resources": resources,
            "Outputs": self._replaced(part, template.get("Outputs", {}), dropped),
        }

    def _replaced(self, part: str, value: Any, dropped: set[str]) -> Any:
        if isinstance(value, list):
            return [self._replaced(part, one, dropped) for one in value]
        if not isinstance(value, dict):
            return value
        reference = value.get("Ref") or (value.get("Fn::GetAtt") or [None])[0]
        if len(value) == 1 and reference in dropped:
            return f"made-up-{part}-{reference}".lower()
        if "Fn::GetStackOutput" in value:
            wanted = value["Fn::GetStackOutput"]
            return self.outputs[wanted["StackName"], wanted["OutputName"]]
        return {key: self._replaced(part, one, dropped) for key, one in value.items()}

    def _bootstrap(self) -> None:
        """What `cdk bootstrap` made, and what `cdk deploy` uploads before it creates a stack."""
        self.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="21", Type="String")
        region = self.assembly.environment.region
        bucket = f"cdk-hnb659fds-assets-{_ACCOUNT}-{region}"
        self.client("s3").create_bucket(Bucket=bucket)
        placeholder = io.BytesIO()
        with zipfile.ZipFile(placeholder, "w") as archive:
            archive.writestr("placeholder.txt", "")
        for path in self.assembly.folder.glob("*.assets.json"):
            for asset in json.loads(path.read_text(encoding="utf-8"))["files"].values():
                for destination in asset["destinations"].values():
                    self.client("s3").put_object(
                        Bucket=bucket, Key=destination["objectKey"], Body=placeholder.getvalue()
                    )


@pytest.fixture(scope="module", params=_ENVIRONMENTS)
def deployment(request: pytest.FixtureRequest, assemblies: Callable[[str], Assembly]) -> Iterator[Deployment]:
    made = Deployment(assemblies(request.param))
    with mock_aws():
        made.deploy()
        yield made


def test_everything_that_moto_knows_was_made(deployment: Deployment) -> None:
    for part, template in deployment.assembly.templates.items():
        kept = {name: body["Type"] for name, body in template["Resources"].items() if body["Type"] not in _UNKNOWN}
        assert kept.keys() == deployment.made[part].keys()
        # A rule of a group has no id in moto; that it is there is seen at the group, below.
        nameless = {kept[name] for name, physical in deployment.made[part].items() if not physical}
        assert nameless <= {"AWS::EC2::SecurityGroupIngress"}


def test_what_is_left_out_is_what_moto_does_not_know(assemblies: Callable[[str], Assembly]) -> None:
    deployed = {found.type for name in _ENVIRONMENTS for found in assemblies(name).resources()}
    assert set(_UNKNOWN) <= deployed, "listed, and in no template"
    models = get_model_map()
    assert {name for name in deployed if name not in models} == set(_UNKNOWN)


def test_streams(deployment: Deployment) -> None:
    environment, kinesis = deployment.assembly.environment, deployment.client("kinesis")
    for role, settings in (
        (StreamRole.INPUT, environment.streams.input),
        (StreamRole.RESULTS, environment.streams.results),
        (StreamRole.REJECTED, environment.streams.rejected),
    ):
        name = stream_name(environment.prefix, role)
        stream = kinesis.describe_stream(StreamName=name)["StreamDescription"]
        assert len(stream["Shards"]) == settings.shards
        assert stream["RetentionPeriodHours"] == settings.retention_hours
        assert stream["StreamStatus"] == "ACTIVE"


def test_topics_and_queues(deployment: Deployment) -> None:
    environment = deployment.assembly.environment
    topics = {one["TopicArn"].rpartition(":")[2] for one in deployment.client("sns").list_topics()["Topics"]}
    assert f"{environment.prefix}-alerts" in topics
    sqs = deployment.client("sqs")
    queues = {url.rpartition("/")[2]: url for url in sqs.list_queues()["QueueUrls"]}
    wanted = {f"{environment.prefix}-alerts-failures"}
    if environment.search.enabled:
        wanted.add(f"{environment.prefix}-search-failures")
    assert set(queues) == wanted
    for url in queues.values():
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert attributes["MessageRetentionPeriod"] == str(14 * 24 * 3600)
        assert attributes["KmsMasterKeyId"].startswith(f"arn:aws:kms:{environment.region}:{_ACCOUNT}:key/")


def test_functions_have_their_roles_and_environments(deployment: Deployment) -> None:
    environment = deployment.assembly.environment
    iam = deployment.client("iam")
    roles = {role["Arn"] for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]}
    pages = deployment.client("lambda").get_paginator("list_functions").paginate()
    functions = {one["FunctionName"]: one for page in pages for one in page["Functions"]}
    assert len(functions) == sum(1 for _ in deployment.assembly.resources("AWS::Lambda::Function"))
    for function in functions.values():
        assert function["Role"] in roles
    alerts = functions[function_name(environment.prefix, "alerts")]
    assert (alerts["Runtime"], alerts["Handler"]) == ("python3.11", "lambdas.alerts.handler.handler")
    variables = alerts["Environment"]["Variables"]
    topic = f"arn:aws:sns:{environment.region}:{_ACCOUNT}:{environment.prefix}-alerts"
    assert variables["ALERT_TOPIC_ARN"] == topic
    assert variables["METRIC_NAMESPACE"] == namespace(environment.name)


def test_policies_name_what_was_made(deployment: Deployment) -> None:
    """A reference to another stack has arrived in the role: the alerts' function may read the streams that exist."""
    environment, iam = deployment.assembly.environment, deployment.client("iam")
    function = deployment.client("lambda").get_function(FunctionName=function_name(environment.prefix, "alerts"))
    role = function["Configuration"]["Role"].rpartition("/")[2]
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    found = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    document = ast.literal_eval(found)  # moto hands it out as Python writes it
    (reads,) = (one for one in document["Statement"] if one["Sid"] == "ReadTheStreams")
    kinesis = deployment.client("kinesis")
    streams = [stream_name(environment.prefix, role) for role in (StreamRole.REJECTED, StreamRole.RESULTS)]
    arns = [kinesis.describe_stream(StreamName=name)["StreamDescription"]["StreamARN"] for name in streams]
    assert sorted(reads["Resource"]) == sorted(arns)


def test_streams_reach_their_functions(deployment: Deployment) -> None:
    environment = deployment.assembly.environment
    mappings = deployment.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    found = set()
    for mapping in mappings:
        found.add((mapping["EventSourceArn"].rpartition("/")[2], mapping["FunctionArn"].rpartition(":")[2]))
        assert mapping["BatchSize"] == 500
        assert mapping["BisectBatchOnFunctionError"] is True
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["DestinationConfig"]["OnFailure"]["Destination"].endswith("-failures")
    results, rejected = (stream_name(environment.prefix, role) for role in (StreamRole.RESULTS, StreamRole.REJECTED))
    alerts = function_name(environment.prefix, "alerts")
    wanted = {(results, alerts), (rejected, alerts)}
    if environment.search.enabled:
        wanted.add((results, function_name(environment.prefix, "search_indexer")))
    assert found == wanted


def test_log_groups_end(deployment: Deployment) -> None:
    pages = deployment.client("logs").get_paginator("describe_log_groups").paginate()
    groups = {group["logGroupName"]: group for page in pages for group in page["logGroups"]}
    assert len(groups) == sum(1 for _ in deployment.assembly.resources("AWS::Logs::LogGroup"))
    for group in groups.values():
        assert group["retentionInDays"] > 0, group


def test_the_dashboard_is_one_that_can_be_read(deployment: Deployment) -> None:
    cloudwatch = deployment.client("cloudwatch")
    (entry,) = cloudwatch.list_dashboards()["DashboardEntries"]
    assert deployment.assembly.environment.prefix in entry["DashboardName"]
    body = json.loads(cloudwatch.get_dashboard(DashboardName=entry["DashboardName"])["DashboardBody"])
    assert len(body["widgets"]) > 5


def test_buckets_are_encrypted(deployment: Deployment) -> None:
    s3, environment = deployment.client("s3"), deployment.assembly.environment
    names = {one["Name"] for one in s3.list_buckets()["Buckets"] if one["Name"].startswith(environment.prefix)}
    assert f"{environment.prefix}-archive-{_ACCOUNT}-{environment.region}" in names
    assert len(names) == sum(1 for _ in deployment.assembly.resources("AWS::S3::Bucket"))
    for name in names:
        rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
        algorithm = rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
        assert algorithm == ("AES256" if "-logs-" in name else "aws:kms"), name


def test_the_network_has_its_zones_and_endpoints_and_no_way_out(deployment: Deployment) -> None:
    environment, ec2 = deployment.assembly.environment, deployment.client("ec2")
    (vpc,) = (one for one in ec2.describe_vpcs()["Vpcs"] if one["CidrBlock"] == environment.network.cidr)
    here = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    subnets = ec2.describe_subnets(Filters=here)["Subnets"]
    assert sorted(one["AvailabilityZone"] for one in subnets) == sorted(environment.network.zones)
    endpoints = ec2.describe_vpc_endpoints(Filters=here)["VpcEndpoints"]
    services = {one["ServiceName"].rpartition(".")[2]: one for one in endpoints}
    searched = {"sqs"} if environment.search.enabled else set()
    assert set(services) == {"kinesis-streams", "s3"} | searched
    assert sorted(services["kinesis-streams"]["SubnetIds"]) == sorted(one["SubnetId"] for one in subnets)
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc["VpcId"]]}]
    assert ec2.describe_internet_gateways(Filters=attached)["InternetGateways"] == []
    assert ec2.describe_nat_gateways(Filters=here)["NatGateways"] == []


def test_endpoints_let_the_application_in(deployment: Deployment) -> None:
    groups = deployment.client("ec2").describe_security_groups()["SecurityGroups"]
    by_purpose = {one["Description"].partition(": ")[2]: one for one in groups}
    application, endpoints = by_purpose["the Flink application"], by_purpose["endpoints"]
    (rule,) = endpoints["IpPermissions"]
    assert (rule["FromPort"], rule["ToPort"]) == (443, 443)
    assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [application["GroupId"]]


def test_waiters_call_functions_that_exist(deployment: Deployment) -> None:
    states, functions = deployment.client("stepfunctions"), deployment.client("lambda")
    machines = states.list_state_machines()["stateMachines"]
    assert len(machines) == sum(1 for _ in deployment.assembly.resources("AWS::StepFunctions::StateMachine"))
    for machine in machines:
        definition = json.loads(states.describe_state_machine(stateMachineArn=machine["stateMachineArn"])["definition"])
        for state in definition["States"].values():
            assert functions.get_function(FunctionName=state["Resource"])["Configuration"]
