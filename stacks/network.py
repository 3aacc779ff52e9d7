"""Network: private subnets without a way to the internet, endpoints for who runs inside, flow logs, the logs' key."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from config.model import Environment, ExistingVpc, Msk
from contracts.kafka import IAM_PORT
from contracts.lake import BACKFILL
from stacks.constructs.base import EnvironmentStack, resource_of
from stacks.constructs.function import log_group
from stacks.constructs.policies import STREAM_READS, allow, document, key, service_may_use, service_role

#: Where log groups lie that the environment may encrypt with its key.
_LOG_GROUPS = ("/aws/lambda/{0}-*", "/aws/kinesis-analytics/{0}", "/{0}/*")
_SUBNETS = "private"

_REDSHIFT_PORT = 5439


class NetworkStack(EnvironmentStack):
    """``vpc`` and ``subnets`` for what runs inside; ``endpoint_clients`` is the group that endpoints let in."""

    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(scope, "network", environment, "Private network of the real-time analytics pipeline")
        self.logs_key = key(self, "LogsKey", "log groups")
        service_may_use(
            self.logs_key,
            "LogGroupsOfThisEnvironment",
            f"logs.{self.region}.amazonaws.com",
            [
                "kms:Encrypt",
                "kms:Decrypt",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
                "kms:GenerateDataKey",
                "kms:DescribeKey",
            ],
            {
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": [
                        self.arn("logs", f"log-group:{pattern.format(self.prefix)}") for pattern in _LOG_GROUPS
                    ]
                }
            },
        )
        existing = environment.network.existing
        # As the settings have it, and not a reference to the VPC: rules are checked before there is one.
        self._cidr = existing.cidr if existing else environment.network.cidr
        self.vpc = self._existing(environment, existing) if existing else self._new(environment)
        self.subnets = (
            ec2.SubnetSelection(subnets=self.vpc.private_subnets)
            if existing
            else ec2.SubnetSelection(subnet_group_name=_SUBNETS)
        )
        self.application_group = self._group("ApplicationGroup", "the Flink application")
        self.search_group = self._group("SearchGroup", "functions of search") if environment.search.enabled else None
        self.warehouse_group = self._warehouse_group() if environment.warehouse.enabled else None
        self.topic_group: ec2.ISecurityGroup | None = None
        self.brokers_group: ec2.ISecurityGroup | None = None
        if environment.msk is not None:
            self.topic_group, self.brokers_group = self._brokers(environment.msk)
        if existing is None:
            self._endpoints()
        self._allow_s3(existing)

    def _new(self, environment: Environment) -> ec2.IVpc:
        vpc = ec2.Vpc(
            self,
            "Vpc",
            vpc_name=self.prefix,
            ip_addresses=ec2.IpAddresses.cidr(environment.network.cidr),
            availability_zones=list(environment.network.zones),
            nat_gateways=0,
            # Nothing uses the default group; restricting it would take a custom resource with ec2 permissions.
            restrict_default_security_group=False,
            subnet_configuration=[ec2.SubnetConfiguration(name=_SUBNETS, subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)],
        )
        # A domain or a cluster that outlives its stack has interfaces in them, and would hold this stack's end up.
        if environment.search.enabled or environment.makes_cluster:
            for kept in (vpc, *vpc.isolated_subnets):
                resource_of(kept).apply_removal_policy(self.removal_policy)
        for subnet in vpc.isolated_subnets:
            # The settings name the zones, so that a deployment never moves a subnet.
            resource_of(subnet).add_metadata("cfn-lint", {"config": {"ignore_checks": ["W3010"]}})
        group = log_group(
            self, "FlowLogs", f"/{self.prefix}/flow-logs", environment.network.flow_log_days, self.logs_key
        )
        role = service_role(
            self,
            "FlowLogsRole",
            "vpc-flow-logs.amazonaws.com",
            [self.arn("ec2", "vpc-flow-log/*")],
            {
                "logs": document(
                    allow(
                        "WriteFlowLogs",
                        ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                        [group.log_group_arn],
                    ),
                    # The API looks for the group by a prefix and knows no narrower resource than all groups.
                    allow("FindTheGroup", ["logs:DescribeLogGroups"], [self.arn("logs", "log-group:*")]),
                )
            },
        )
        ec2.CfnFlowLog(
            self,
            "FlowLog",
            resource_id=vpc.vpc_id,
            resource_type="VPC",
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_group_name=group.log_group_name,
            deliver_logs_permission_arn=role.role_arn,
            max_aggregation_interval=60,
        )
        return vpc

    def _existing(self, environment: Environment, existing: ExistingVpc) -> ec2.IVpc:
        vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id=existing.vpc_id,
            vpc_cidr_block=existing.cidr,
            availability_zones=list(environment.network.zones),
            private_subnet_ids=list(existing.subnet_ids),
        )
        # Route tables are for endpoints, and none are made in a VPC of the team's own.
        cdk.Annotations.of(vpc).acknowledge_warning("@aws-cdk/aws-ec2:noSubnetRouteTableId", "no endpoint is made here")
        return vpc

    def _group(self, name: str, of: str) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self, name, vpc=self.vpc, description=f"{self.prefix}: {of}", allow_all_outbound=False
        )
        group.add_egress_rule(ec2.Peer.ipv4(self._cidr), ec2.Port.tcp(443), "this network alone")
        return group

    def _brokers(self, topic: Msk) -> tuple[ec2.SecurityGroup, ec2.ISecurityGroup | None]:
        """Groups of who makes the topic, and of the brokers: new ones, or the existing cluster's, where it is named."""
        setup = ec2.SecurityGroup(
            self,
            "TopicGroup",
            vpc=self.vpc,
            description=f"{self.prefix}: set-up of the topic",
            allow_all_outbound=False,
        )
        clients = ((self.application_group, "the Flink application"), (setup, "set-up of the topic"))
        port = ec2.Port.tcp(IAM_PORT)
        for group, _ in clients:
            group.add_egress_rule(ec2.Peer.ipv4(self._cidr), port, "brokers in this network")
        if topic.cluster_arn is None:
            brokers: ec2.ISecurityGroup | None = ec2.SecurityGroup(
                self, "BrokersGroup", vpc=self.vpc, description=f"{self.prefix}: MSK", allow_all_outbound=False
            )
            # A cluster that stays keeps its interfaces; the rules of who may reach it go, and their groups with them.
            resource_of(brokers).apply_removal_policy(self.removal_policy)
        elif topic.security_group_id is not None:
            brokers = ec2.SecurityGroup.from_security_group_id(
                self, "BrokersGroup", topic.security_group_id, allow_all_outbound=True
            )
        else:
            brokers = None
        if brokers is not None:
            for group, who in clients:
                brokers.add_ingress_rule(group, port, f"{self.prefix}: {who}")
        return setup, brokers

    def _warehouse_group(self) -> ec2.SecurityGroup:
        group = self._group("WarehouseGroup", "Redshift")
        group.add_ingress_rule(
            ec2.Peer.ipv4(self._cidr), ec2.Port.tcp(_REDSHIFT_PORT), "clients inside of this network"
        )
        return group

    def _endpoints(self) -> None:
        """Kinesis for the applications' sources and sinks, S3 for backfills, and SQS where the indexer runs inside.

        Lambda's polling, its logs and the managed service's checkpoints do not cross this network.
        """
        group = ec2.SecurityGroup(
            self, "EndpointGroup", vpc=self.vpc, description=f"{self.prefix}: endpoints", allow_all_outbound=False
        )
        group.add_ingress_rule(self.application_group, ec2.Port.tcp(443), "the Flink application")
        if self.warehouse_group is not None:
            group.add_ingress_rule(self.warehouse_group, ec2.Port.tcp(443), "Redshift")
        kinesis_endpoint = ec2.InterfaceVpcEndpoint(
            self,
            "KinesisEndpoint",
            vpc=self.vpc,
            service=ec2.InterfaceVpcEndpointAwsService.KINESIS_STREAMS,
            subnets=self.subnets,
            security_groups=[group],
            private_dns_enabled=True,
            open=False,
        )
        stream = self.environment_settings.kinesis
        reads = stream is not None or self.environment_settings.warehouse.enabled
        input_arn = None if stream is None else stream.existing_arn
        kinesis_endpoint.add_to_policy(
            iam.PolicyStatement(
                sid="StreamsOfThisEnvironment",
                principals=[iam.AnyPrincipal()],
                actions=[*(STREAM_READS if reads else ()), "kinesis:PutRecords"],
                resources=[self.arn("kinesis", f"stream/{self.prefix}-*"), *([input_arn] if input_arn else [])],
                conditions={"StringEquals": {"aws:PrincipalAccount": self.account}},
            )
        )
        if self.warehouse_group is not None:
            kinesis_endpoint.add_to_policy(
                iam.PolicyStatement(
                    sid="RedshiftListsStreams",
                    principals=[iam.AnyPrincipal()],
                    actions=["kinesis:ListStreams"],
                    resources=["*"],  # the call knows no resource: it lists names
                    conditions={"StringEquals": {"aws:PrincipalAccount": self.account}},
                )
            )
        if self.search_group is not None:
            self._queue_endpoint(self.search_group)
        gateway = ec2.GatewayVpcEndpoint(
            self,
            "S3Endpoint",
            vpc=self.vpc,
            service=ec2.GatewayVpcEndpointAwsService.S3,
            subnets=[self.subnets],
        )
        code, bucket = (f"arn:{self.partition}:s3:::{name}" for name in (self._code_bucket(), self.archive_bucket))
        statements = [("CodeOfThisAccount", ["s3:GetObject", "s3:GetObjectVersion"], [f"{code}/*"])]
        if self.environment_settings.archives_events:
            statements += [
                ("BackfillsReadTheArchive", ["s3:GetObject", "s3:ListBucket"], [bucket, f"{bucket}/*"]),
                ("BackfillsWriteFiles", ["s3:PutObject"], [f"{bucket}/{BACKFILL}/*"]),
            ]
        if (files := self.environment_settings.files) is not None:
            events = f"arn:{self.partition}:s3:::{files.bucket}"
            place = [events, f"{events}/{files.place}"]
            statements.append(("FilesWithEvents", ["s3:GetObject", "s3:ListBucket"], place))
        for sid, actions, resources in statements:
            gateway.add_to_policy(
                iam.PolicyStatement(
                    sid=sid,
                    principals=[iam.AnyPrincipal()],
                    actions=actions,
                    resources=resources,
                    conditions={"StringEquals": {"aws:PrincipalAccount": self.account}},
                )
            )

    def _queue_endpoint(self, clients: ec2.ISecurityGroup) -> None:
        """SQS for the indexer, which sends its dead letters from inside."""
        group = ec2.SecurityGroup(
            self,
            "QueueEndpointGroup",
            vpc=self.vpc,
            description=f"{self.prefix}: SQS endpoint",
            allow_all_outbound=False,
        )
        group.add_ingress_rule(clients, ec2.Port.tcp(443), "functions of search")
        endpoint = ec2.InterfaceVpcEndpoint(
            self,
            "QueueEndpoint",
            vpc=self.vpc,
            service=ec2.InterfaceVpcEndpointAwsService.SQS,
            subnets=self.subnets,
            security_groups=[group],
            private_dns_enabled=True,
            open=False,
        )
        endpoint.add_to_policy(
            iam.PolicyStatement(
                sid="QueuesOfThisEnvironment",
                principals=[iam.AnyPrincipal()],
                actions=["sqs:SendMessage"],
                resources=[self.arn("sqs", f"{self.prefix}-*")],
                conditions={"StringEquals": {"aws:PrincipalAccount": self.account}},
            )
        )

    def _allow_s3(self, existing: ExistingVpc | None) -> None:
        """S3's addresses are public; no template can look its prefix list up, so the settings may name it."""
        prefix_list = self.environment_settings.network.s3_prefix_list
        if prefix_list is not None:
            peer: ec2.IPeer = ec2.Peer.prefix_list(prefix_list)
        elif existing is None:
            peer = ec2.Peer.any_ipv4()  # the one route that leaves our own network is the gateway's to S3
        else:
            return
        self.application_group.add_egress_rule(peer, ec2.Port.tcp(443), "S3, through the gateway endpoint")

    def _code_bucket(self) -> str:
        return f"cdk-hnb659fds-assets-{self.account}-{self.region}"
