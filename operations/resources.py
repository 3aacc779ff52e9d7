"""Resource types of the templates: which have a line on the bill, which none of their own, and how many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

#: Types without a price of their own: free, paid by use that another line holds, or part of another resource.
FREE = frozenset(
    {
        "AWS::Athena::NamedQuery",
        "AWS::Athena::WorkGroup",
        "AWS::Budgets::Budget",
        "AWS::EC2::FlowLog",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::Events::Rule",
        "AWS::Glue::Database",
        "AWS::Glue::Table",
        "AWS::IAM::OIDCProvider",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "AWS::Logs::LogStream",
        "AWS::Logs::ResourcePolicy",
        "AWS::MSK::ClusterPolicy",
        "AWS::Pipes::Pipe",
        "AWS::RedshiftServerless::Workgroup",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
        "AWS::Scheduler::Schedule",
        "AWS::Scheduler::ScheduleGroup",
        "AWS::StepFunctions::StateMachine",
    }
)
PRICED = frozenset(
    {
        "AWS::CloudTrail::Trail",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::DynamoDB::GlobalTable",
        "AWS::EC2::VPCEndpoint",
        "AWS::KMS::Key",
        "AWS::Kinesis::Stream",
        "AWS::Kinesis::StreamConsumer",
        "AWS::KinesisAnalyticsV2::Application",
        "AWS::KinesisFirehose::DeliveryStream",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Logs::MetricFilter",
        "AWS::MSK::ServerlessCluster",
        "AWS::OpenSearchService::Domain",
        "AWS::RedshiftServerless::Namespace",
        "AWS::SecretsManager::Secret",
    }
)


def counted(templates: Mapping[str, Mapping[str, Any]]) -> Counter[str]:
    """Resources by type; once more under names of their own: interface endpoints, and the metrics that alarms read."""
    found: Counter[str] = Counter()
    for template in templates.values():
        for body in template["Resources"].values():
            found[body["Type"]] += 1
            if body["Type"] == "AWS::EC2::VPCEndpoint" and body["Properties"].get("VpcEndpointType") == "Interface":
                found["interface endpoint"] += 1
            if body["Type"] == "AWS::CloudWatch::Alarm":
                queries = body["Properties"].get("Metrics", [])
                found["alarm metric"] += sum("MetricStat" in query for query in queries) or 1
    return found
