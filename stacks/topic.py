"""Topic: the MSK cluster that events come from, or the one that is there, its brokers, and the topic itself."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_msk as msk
from aws_cdk.custom_resources import Provider
from constructs import Construct

from config.model import Environment, Msk
from contracts.names import cluster_name
from stacks.code import lambda_code, lambda_digest
from stacks.constructs.base import EnvironmentStack
from stacks.constructs.function import PythonFunction
from stacks.constructs.policies import allow
from stacks.constructs.provider import provider
from stacks.network import NetworkStack

_TOTAL, _STEP = cdk.Duration.minutes(45), cdk.Duration.seconds(20)


class TopicStack(EnvironmentStack):
    """``brokers`` (host:port separated by commas, known when it is deployed), and ARNs: of cluster, topic, groups."""

    def __init__(self, scope: Construct, environment: Environment, network: NetworkStack, settings: Msk) -> None:
        super().__init__(scope, "topic", environment, "Kafka topic that events come from")
        self._network = network
        self.settings = settings
        made = None
        if settings.cluster_arn is None:
            made = self._cluster(network)
            self.cluster_arn = made.attr_arn
        else:
            self.cluster_arn = settings.cluster_arn
        found = self._look_up()
        self.brokers = found.get_att_string("Brokers")
        if made is None:
            path = groups = self.cluster_arn.partition(":cluster/")[2]
        else:
            # Other stacks take it as it is: a function of CloudFormation takes no other stack's output apart.
            path = found.get_att_string("ClusterPath")
            groups = cluster_name(self.prefix)  # cdk-nag names a finding by the resource, which is to be a text
        self.topic_arn = self.arn("kafka", f"topic/{path}/{settings.topic}")
        self.group_arns = self.arn("kafka", f"group/{groups}/*")
        self.setup = None if settings.existing_topic else self._topic()
        if made is not None and environment.archives_events:
            self._let_firehose_in(made)

    def _cluster(self, network: NetworkStack) -> msk.CfnServerlessCluster:
        if network.brokers_group is None:
            raise TypeError("the network made no group for the brokers")
        cluster = msk.CfnServerlessCluster(
            self,
            "Cluster",
            cluster_name=cluster_name(self.prefix),
            client_authentication=msk.CfnServerlessCluster.ClientAuthenticationProperty(
                sasl=msk.CfnServerlessCluster.SaslProperty(iam=msk.CfnServerlessCluster.IamProperty(enabled=True))
            ),
            vpc_configs=[
                msk.CfnServerlessCluster.VpcConfigProperty(
                    subnet_ids=network.vpc.select_subnets(
                        subnet_group_name=network.subnets.subnet_group_name, subnets=network.subnets.subnets
                    ).subnet_ids,
                    security_groups=[network.brokers_group.security_group_id],
                )
            ],
        )
        cluster.apply_removal_policy(self.removal_policy)
        return cluster

    def _look_up(self) -> cdk.CustomResource:
        look_up = self._function(
            "msk_brokers",
            "is_complete",
            "Tells where the cluster's brokers are",
            [allow("FindTheBrokers", ["kafka:GetBootstrapBrokers"], [self.cluster_arn])],
        )
        return self._resource(
            "Brokers",
            self._provider("msk_brokers", look_up),
            {
                "ClusterArn": self.cluster_arn,
                "LookUp": str(self.settings.look_up),
                "Code": lambda_digest("msk_brokers"),
            },
        )

    def _topic(self) -> cdk.CustomResource:
        """From inside of the network; what it may do with the topic is just what it does."""
        make = self._function(
            "topic_setup",
            "is_complete",
            "Makes the topic of events, or brings it to what the settings say",
            [
                allow("SignIn", ["kafka-cluster:Connect"], [self.cluster_arn]),
                allow(
                    "MakeTheTopic",
                    [
                        "kafka-cluster:AlterTopic",
                        "kafka-cluster:AlterTopicDynamicConfiguration",
                        "kafka-cluster:CreateTopic",
                        "kafka-cluster:DescribeTopic",
                        "kafka-cluster:DescribeTopicDynamicConfiguration",
                    ],
                    [self.topic_arn],
                ),
            ],
            inside=True,
        )
        return self._resource(
            "Topic",
            self._provider("topic_setup", make),
            {
                "Brokers": self.brokers,
                "Topic": self.settings.topic,
                "Partitions": str(self.settings.partitions),
                "RetentionHours": str(self.settings.retention_hours),
                "Code": lambda_digest("topic_setup"),
            },
        )

    def _let_firehose_in(self, cluster: msk.CfnServerlessCluster) -> None:
        """Firehose reads a cluster over a connection of its own (its developer guide, "MSK as source").

        The guide has no condition, and says nothing of the source that the service names; what is read over it is bound
        by the delivery's role.
        """
        msk.CfnClusterPolicy(
            self,
            "ClusterPolicy",
            cluster_arn=cluster.attr_arn,
            policy={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "FirehoseConnects",
                        "Effect": "Allow",
                        "Principal": {"Service": "firehose.amazonaws.com"},
                        "Action": "kafka:CreateVpcConnection",
                        "Resource": cluster.attr_arn,
                    }
                ],
            },
        )

    def _provider(self, package: str, is_complete: PythonFunction) -> Provider:
        name = package.title().replace("_", "")
        return provider(
            self,
            f"{name}Provider",
            self._function(package, "on_event", f"Takes the requests for {package}", []),
            is_complete,
            key=self._network.logs_key,
            total=_TOTAL,
            step=_STEP,
        )

    def _resource(self, name: str, made: Provider, properties: dict[str, str]) -> cdk.CustomResource:
        return cdk.CustomResource(
            self,
            name,
            service_token=made.service_token,
            resource_type=f"Custom::{name}",
            properties=properties,
        )

    def _function(
        self, package: str, role: str, description: str, statements: list[iam.PolicyStatement], *, inside: bool = False
    ) -> PythonFunction:
        network = self._network
        return PythonFunction(
            self,
            f"{package}_{role}".title().replace("_", ""),
            package=package,
            called=f"{package}_{role}",
            handler=f"lambdas.{package}.handler.{role}",
            code=lambda_code(package),
            key=network.logs_key,
            description=description,
            timeout=cdk.Duration.minutes(2),
            environment={"LOG_LEVEL": "INFO"},
            statements=statements,
            vpc=network.vpc if inside else None,
            subnets=network.subnets if inside else None,
            security_group=network.topic_group if inside else None,
        )
