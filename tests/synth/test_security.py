"""Every promise about security, one test each, on every environment and variant."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contracts.kafka import IAM_PORT
from tests.synth.templates import Assembly, Found, Statement, text_of

ROOT = Path(__file__).resolve().parents[2]
_WORLD = ("0.0.0.0/0", "::/0")


def _all(found: Iterator[Found], at_least: int = 1) -> list[Found]:
    resources = list(found)
    assert len(resources) >= at_least
    return resources


def test_streams_are_encrypted_with_a_key_of_ours(assembly: Assembly) -> None:
    for stream in _all(assembly.resources("AWS::Kinesis::Stream"), 2):
        encryption = stream.properties["StreamEncryption"]
        assert encryption["EncryptionType"] == "KMS"
        assert "alias/aws/" not in text_of(encryption["KeyId"])


def test_keys_rotate_and_no_policy_of_a_key_lets_a_service_in_without_a_condition(assembly: Assembly) -> None:
    for key in _all(assembly.resources("AWS::KMS::Key"), 3):
        assert key.properties["EnableKeyRotation"] is True
        for statement in key.properties["KeyPolicy"]["Statement"]:
            if "Service" in statement["Principal"]:
                assert statement["Condition"], key
                assert "kms:*" not in statement["Action"], key


def test_log_groups_are_encrypted_and_end(assembly: Assembly) -> None:
    for group in _all(assembly.resources("AWS::Logs::LogGroup"), 5):
        assert group.properties["KmsKeyId"], group
        assert group.properties["RetentionInDays"] > 0, group


def test_every_function_writes_to_such_a_group(assembly: Assembly) -> None:
    for function in _all(assembly.resources("AWS::Lambda::Function"), 5):
        group = function.properties["LoggingConfig"]["LogGroup"]
        assert assembly.templates[function.part]["Resources"][group["Ref"]]["Type"] == "AWS::Logs::LogGroup", function


def test_buckets_are_private_encrypted_versioned_and_end(assembly: Assembly) -> None:
    for bucket in assembly.resources("AWS::S3::Bucket"):
        assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}, bucket
        assert bucket.properties["BucketEncryption"], bucket
        assert bucket.properties["VersioningConfiguration"] == {"Status": "Enabled"}, bucket
        rules = bucket.properties["LifecycleConfiguration"]["Rules"]
        assert all(rule["ExpirationInDays"] > 0 for rule in rules if rule["Status"] == "Enabled"), bucket
        controls = bucket.properties["OwnershipControls"]["Rules"]
        assert controls == [{"ObjectOwnership": "BucketOwnerEnforced"}], bucket


def test_buckets_queues_and_topics_refuse_what_is_not_tls(assembly: Assembly) -> None:
    policies = _all(assembly.resources("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"), 3)
    for policy in policies:
        assert any(
            statement["Effect"] == "Deny"
            and statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") == "false"
            for statement in policy.properties["PolicyDocument"]["Statement"]
        ), policy
    holders = _all(assembly.resources("AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SNS::Topic"), 3)
    assert len(holders) == len(policies)


def test_queues_and_topics_are_encrypted_with_a_key_of_ours(assembly: Assembly) -> None:
    for holder in _all(assembly.resources("AWS::SQS::Queue", "AWS::SNS::Topic"), 3):
        assert "alias/aws/" not in text_of(holder.properties["KmsMasterKeyId"]), holder


def test_the_table_is_encrypted_with_a_key_of_ours_ends_and_can_be_restored(assembly: Assembly) -> None:
    table = assembly.one("AWS::DynamoDB::GlobalTable").properties
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    assert table["TimeToLiveSpecification"]["Enabled"] is True
    for replica in table["Replicas"]:
        assert replica["SSESpecification"]["KMSMasterKeyId"]
        assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


def test_the_archive_is_written_encrypted_with_a_key_of_ours(assembly: Assembly) -> None:
    for delivery in assembly.resources("AWS::KinesisFirehose::DeliveryStream"):
        target = delivery.properties["ExtendedS3DestinationConfiguration"]
        assert target["EncryptionConfiguration"]["KMSEncryptionConfig"]["AWSKMSKeyARN"], delivery


def test_nothing_has_a_way_to_or_from_the_internet(assembly: Assembly) -> None:
    assert not list(assembly.resources("AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::EIP"))
    assert not [route for route in assembly.resources("AWS::EC2::Route") if "GatewayId" in route.properties]
    for subnet in assembly.resources("AWS::EC2::Subnet"):
        assert subnet.properties["MapPublicIpOnLaunch"] is False


def test_no_security_group_lets_the_world_in(assembly: Assembly) -> None:
    rules: list[Any] = [rule.properties for rule in assembly.resources("AWS::EC2::SecurityGroupIngress")]
    for group in _all(assembly.resources("AWS::EC2::SecurityGroup"), 2):
        rules += group.properties.get("SecurityGroupIngress", [])
    assert rules
    for rule in rules:
        assert rule.get("CidrIp") not in _WORLD
        assert rule.get("CidrIpv6") not in _WORLD
        # TLS; Redshift's and Kafka's ports, for clients inside of the network
        assert (rule["FromPort"], rule["ToPort"]) in ((443, 443), (5439, 5439), (IAM_PORT, IAM_PORT))


def test_the_application_reaches_its_network_and_s3_and_nothing_else(assembly: Assembly) -> None:
    network = assembly.environment.network
    own = network.existing.cidr if network.existing else network.cidr
    (group,) = (
        one for one in assembly.resources("AWS::EC2::SecurityGroup") if one.logical_id.startswith("ApplicationGroup")
    )
    rules = [
        *group.properties["SecurityGroupEgress"],
        *(  # a prefix list's rule is a resource of its own
            one.properties
            for one in assembly.resources("AWS::EC2::SecurityGroupEgress")
            if one.properties["GroupId"]["Fn::GetAtt"][0] == group.logical_id
        ),
    ]
    brokers = [rule for rule in rules if rule["FromPort"] == IAM_PORT]
    assert len(brokers) == (assembly.environment.msk is not None)
    assert all((rule["ToPort"], rule["CidrIp"]) == (IAM_PORT, own) for rule in brokers)
    rules = [rule for rule in rules if rule not in brokers]
    to = [rule.get("DestinationPrefixListId", rule.get("CidrIp")) for rule in rules]
    if network.s3_prefix_list is not None:
        s3 = [network.s3_prefix_list]
    else:  # in a network of ours the one route that leaves it is the gateway's to S3
        s3 = [_WORLD[0]] if network.existing is None else []
    assert len(to) == 1 + len(s3)
    assert to[1:] == s3
    assert {(rule["FromPort"], rule["ToPort"]) for rule in rules} == {(443, 443)}


def test_the_network_of_ours_is_logged(assembly: Assembly) -> None:
    if assembly.environment.network.existing is not None:  # the team's own network is the team's to log
        assert not list(assembly.resources("AWS::EC2::FlowLog", "AWS::EC2::VPC"))
        return
    assert assembly.one("AWS::EC2::FlowLog").properties["TrafficType"] == "ALL"


def test_endpoints_serve_this_account_and_its_own_resources_only(assembly: Assembly) -> None:
    own = assembly.environment.network.existing is None
    for endpoint in _all(assembly.resources("AWS::EC2::VPCEndpoint"), 2 if own else 0):
        for statement in endpoint.properties["PolicyDocument"]["Statement"]:
            assert "aws:PrincipalAccount" in statement["Condition"]["StringEquals"], endpoint
            assert "*" not in statement["Action"]
            if statement["Action"] == "kinesis:ListStreams":  # has no resource level; Redshift's external schema asks
                assert assembly.environment.warehouse.enabled
                continue
            resources = statement["Resource"]
            for resource in resources if isinstance(resources, list) else [resources]:
                assert resource != "*"
                own_or_named = r"realtime-analytics-|cdk-hnb659fds-assets-|/clicks|::clicks-of"
                assert re.search(own_or_named, text_of(resource)), resource


def test_no_identity_has_a_wildcard_action(assembly: Assembly) -> None:
    statements = list(assembly.statements())
    assert len(statements) > 20
    for statement in statements:
        assert not [action for action in statement.actions if "*" in action], statement


#: Calls without a resource level (service authorization reference), by action: the only ones that may name "*".
_NO_RESOURCE_LEVEL = {
    "cloudwatch:PutMetricData": "a condition names the namespace",
    "ec2:DescribeDhcpOptions": "describes",
    "ec2:DescribeNetworkInterfaces": "describes",
    "ec2:DescribeSecurityGroups": "describes",
    "ec2:DescribeSubnets": "describes",
    "ec2:DescribeVpcs": "describes",
    "kinesis:ListStreams": "lists names",
    "redshift-data:DescribeStatement": "a condition names the caller's own statements",
}


def test_only_calls_without_a_resource_level_name_every_resource(assembly: Assembly) -> None:
    for statement in assembly.statements():
        if "*" in statement.resources:
            assert set(statement.actions) <= set(_NO_RESOURCE_LEVEL), statement
    for statement in assembly.statements():
        if "cloudwatch:PutMetricData" in statement.actions:
            assert statement.body["Condition"]["StringEquals"]["cloudwatch:namespace"].startswith("RealTimeAnalytics/")


#: Resources that are a pattern, and why no name can be given.
_PATTERNS = {
    r":log-group:\*$": "logs:DescribeLogGroups looks for groups by a prefix",
    r":(network-interface|subnet|security-group)/\*$": "a network interface is named when it is made",
    r"(events|results|rejected|backfill)/\*$": "objects of one prefix of one bucket",
    r"domain/realtime-analytics-[a-z0-9]+/\*$": "paths of one domain's API",
    r":group/realtime-analytics-[a-z0-9]+/\*$|:group/clicks/[0-9a-f-]+/\*$": "Firehose names its consumer group itself",
    r"/realtime-analytics-\*/_delete_by_query$": "the request's own path, over the kit's indices",
    r"/realtime-analytics-rejected-\*/_count$": "the request's own path, over the indices of rejections",
    r":stack/realtime-analytics-[a-z]+-[a-z]+/\*$": "a stack's ARN ends in an id that it is given when it is made",
    r":usage-limit/\*$": "a usage limit is named when it is made",
    r":(\*)?$": "streams of one log group: its ARN ends so",
}


def _ends(resource: Any) -> str:
    """The last literal of a resource: what a pattern would be in."""
    if isinstance(resource, str):
        return resource
    joined = resource.get("Fn::Join")
    if joined is None:
        return ""
    last = joined[1][-1]
    return last if isinstance(last, str) else ""


def test_every_pattern_in_a_resource_has_its_reason(assembly: Assembly) -> None:
    for statement in assembly.statements():
        for resource in statement.resources:
            end = _ends(resource)
            if resource != "*" and "*" in end:
                assert any(re.search(pattern, end) for pattern in _PATTERNS), (statement.sid, end)
            if resource != "*":
                assert "*" not in text_of(resource).replace(end, ""), (statement.sid, resource)


#: Services that take a role over only for resources of its own account, and document no source condition.
_NO_SOURCE_CONDITION = {"lambda.amazonaws.com", "states.amazonaws.com"}


def test_services_take_roles_over_for_our_resources_only(assembly: Assembly) -> None:
    seen = set()
    for role in _all(assembly.resources("AWS::IAM::Role"), 8):
        for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]:
            service = statement["Principal"].get("Service")
            if service is None:
                assert "token.actions.githubusercontent.com:sub" in text_of(statement["Condition"])
                continue
            # States' principal is regional in some partitions: CDK writes it as a text or an intrinsic function.
            if any(name in text_of(service) for name in _NO_SOURCE_CONDITION):
                continue
            seen.add(service)
            assert statement["Condition"]["StringEquals"]["aws:SourceAccount"], role
            assert statement["Condition"]["ArnLike"]["aws:SourceArn"], role
    assert "kinesisanalytics.amazonaws.com" in seen


def test_each_function_and_the_application_has_a_role_of_its_own(assembly: Assembly) -> None:
    roles: dict[str, list[str]] = {}
    for function in assembly.resources("AWS::Lambda::Function"):
        role = f"{function.part}/{function.properties['Role']['Fn::GetAtt'][0]}"
        roles.setdefault(role, []).append(function.logical_id)
    shared = {role: functions for role, functions in roles.items() if len(functions) > 1}
    # CDK's framework: isComplete and onTimeout are one piece of code with one purpose.
    assert all("framework" in name for functions in shared.values() for name in functions), shared
    for found in assembly.resources("AWS::IAM::Role"):
        assert "ManagedPolicyArns" not in found.properties, found


def test_services_in_resource_policies_are_tied_to_this_account(assembly: Assembly) -> None:
    types = ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy")
    for policy in _all(assembly.resources(*types), 3):
        for statement in policy.properties["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow" and "Service" in statement["Principal"]:
                assert re.search("aws:Source(Account|Arn)", text_of(statement["Condition"])), policy


def test_opensearch_is_private_encrypted_and_asks_who_it_is(assembly: Assembly) -> None:
    if not assembly.environment.search.enabled:
        assert not list(assembly.resources("AWS::OpenSearchService::Domain"))
        return
    domain = assembly.one("AWS::OpenSearchService::Domain").properties
    assert domain["EngineVersion"] == "OpenSearch_2.19"
    assert domain["VPCOptions"]["SecurityGroupIds"]
    assert domain["EncryptionAtRestOptions"]["Enabled"] is True
    assert domain["EncryptionAtRestOptions"]["KmsKeyId"]
    assert domain["NodeToNodeEncryptionOptions"] == {"Enabled": True}
    assert domain["DomainEndpointOptions"]["EnforceHTTPS"] is True
    assert domain["DomainEndpointOptions"]["TLSSecurityPolicy"] == "Policy-Min-TLS-1-2-PFS-2023-10"
    security = domain["AdvancedSecurityOptions"]
    assert security["Enabled"] is True
    assert security["InternalUserDatabaseEnabled"] is False
    master = security["MasterUserOptions"]["MasterUserARN"]["Fn::GetAtt"][0]
    assert master == "SetupIsCompleteRole8D373FFD"


def test_the_trail_is_validated_encrypted_and_its_bucket_is_locked(assembly: Assembly) -> None:
    if not assembly.environment.audit.enabled:
        assert not list(assembly.resources("AWS::CloudTrail::Trail"))
        return
    trail = assembly.one("AWS::CloudTrail::Trail").properties
    assert trail["EnableLogFileValidation"] is True
    assert trail["IsMultiRegionTrail"] is True
    assert trail["KMSKeyId"]
    selectors = text_of(trail["AdvancedEventSelectors"])
    assert "Management" in selectors
    assert ("AWS::S3::Object" in selectors) == assembly.environment.lake.enabled
    bucket = assembly.one("AWS::S3::Bucket", "audit")
    lock = bucket.properties["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert lock == {"Mode": "COMPLIANCE", "Days": assembly.environment.audit.days}
    assert bucket.body["DeletionPolicy"] == "RetainExceptOnCreate"


#: Types that hold data, or what data cannot be read without.
_STATEFUL = (
    "AWS::DynamoDB::GlobalTable",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::KinesisAnalyticsV2::Application",
    "AWS::Logs::LogGroup",
    "AWS::MSK::ServerlessCluster",
    "AWS::OpenSearchService::Domain",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
)


def test_what_holds_data_says_what_becomes_of_it(assembly: Assembly) -> None:
    for resource in _all(assembly.resources(*_STATEFUL), 8):
        if (resource.part, resource.type) == ("backfill", "AWS::KinesisAnalyticsV2::Application"):
            continue  # it has no snapshots, and nothing else that would be lost
        retained = assembly.environment.protection.retain_data or resource.part == "audit"
        # What a first deployment made and rolled back goes: its name must be free for the second.
        assert resource.body["DeletionPolicy"] == ("RetainExceptOnCreate" if retained else "Delete"), resource
        assert resource.body["UpdateReplacePolicy"] == ("Retain" if retained else "Delete"), resource


#: What has interfaces in the network and outlives its stack, with the group that they are in.
_IN_THE_NETWORK = {
    "AWS::MSK::ServerlessCluster": "BrokersGroup",
    "AWS::OpenSearchService::Domain": "DomainGroup",
}


def test_what_a_retained_domain_or_cluster_stands_in_is_retained_with_it(assembly: Assembly) -> None:
    standing = {one.type for one in assembly.resources(*_IN_THE_NETWORK)}
    if not assembly.environment.protection.retain_data:
        return
    network = [*assembly.resources("AWS::EC2::VPC", "AWS::EC2::Subnet")]
    assert network or assembly.environment.network.existing
    for kind in standing:
        name = _IN_THE_NETWORK[kind]
        (group,) = (one for one in assembly.resources("AWS::EC2::SecurityGroup") if one.logical_id.startswith(name))
        for resource in (*network, group):
            assert resource.body["DeletionPolicy"] == "RetainExceptOnCreate", resource
        # Rules of its own: one inside of it would name a group that could not be deleted, as it is named.
        assert "SourceSecurityGroupId" not in text_of(group.properties.get("SecurityGroupIngress", [])), group
        rules = [
            rule
            for rule in assembly.resources("AWS::EC2::SecurityGroupIngress")
            if group.logical_id in text_of(rule.properties["GroupId"])
        ]
        assert rules
        assert all(rule.body.get("DeletionPolicy", "Delete") == "Delete" for rule in rules)


def test_cloudtrails_bucket_needs_no_right_to_decrypt(assembly: Assembly) -> None:
    for bucket in assembly.resources("AWS::S3::Bucket"):
        (rule,) = bucket.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        if bucket.part == "audit":
            assert rule.get("BucketKeyEnabled", False) is False


def test_the_workflow_that_deploys_is_the_one_that_the_role_trusts(assembly: Assembly) -> None:
    if "delivery" not in assembly.stack_names:
        return
    (statement,) = assembly.one("AWS::IAM::Role", "delivery").properties["AssumeRolePolicyDocument"]["Statement"]
    subject = statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
    assert subject == f"repo:{assembly.environment.pipeline.github_repository}:environment:{assembly.environment.name}"
    workflow = (ROOT / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8")
    assert "environment: ${{ inputs.environment }}" in workflow
    seconds = int(re.findall(r"role-duration-seconds: (\d+)", workflow)[0])
    assert assembly.one("AWS::IAM::Role", "delivery").properties["MaxSessionDuration"] == seconds


def test_stacks_of_a_protected_environment_cannot_be_deleted_by_mistake(assembly: Assembly) -> None:
    manifest = json.loads((assembly.folder / "manifest.json").read_text(encoding="utf-8"))
    for name in assembly.stack_names.values():
        protected = manifest["artifacts"][name]["properties"].get("terminationProtection", False)
        assert protected == assembly.environment.protection.termination_protection


#: Properties that name a resource for people; each must say which environment it is.
_NAMES = (
    "AlarmName",
    "ApplicationName",
    "DashboardName",
    "DeliveryStreamName",
    "DomainName",
    "FunctionName",
    "LogGroupName",
    "QueueName",
    "StateMachineName",
    "TableName",
    "TopicName",
    "TrailName",
)


def test_names_carry_the_environment(assembly: Assembly) -> None:
    named = 0
    for resource in assembly.resources():
        for key in _NAMES:
            name = resource.properties.get(key)
            if isinstance(name, str):
                named += 1
                assert assembly.environment.prefix in name, resource
    assert named > 20


def test_tags_tell_environment_and_owner(assembly: Assembly) -> None:
    for stream in _all(assembly.resources("AWS::Kinesis::Stream", "AWS::Lambda::Function", "AWS::KMS::Key"), 5):
        if stream.logical_id.startswith("CustomS3AutoDelete"):
            continue
        tags = {tag["Key"]: tag["Value"] for tag in stream.properties["Tags"]}
        assert {**assembly.environment.tags, "environment": assembly.environment.name}.items() <= tags.items(), stream


def test_statements_have_names_that_reviewers_can_speak_of(assembly: Assembly) -> None:
    ours: list[Statement] = [one for one in assembly.statements() if one.holder.type == "AWS::IAM::Role"]
    assert all(statement.sid for statement in ours)
