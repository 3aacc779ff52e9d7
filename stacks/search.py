"""Search: OpenSearch in the VPC, the function that fills it, and the one that sets it up on deploy."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_opensearchservice as opensearch
from constructs import Construct

from config.model import Environment
from contracts.event_sources import INDEXER_OF_RESULTS
from contracts.metrics import namespace
from contracts.rejections import REJECTED
from stacks.code import lambda_code, lambda_digest
from stacks.constructs.base import EnvironmentStack, resource_of
from stacks.constructs.function import PythonFunction, log_group
from stacks.constructs.policies import allow
from stacks.constructs.provider import provider
from stacks.constructs.stream_reader import failures_queue, read, reading, reading_statements
from stacks.network import NetworkStack
from stacks.streams import StreamsStack

ENGINE = "OpenSearch_2.19"
_SETUP_TOTAL = cdk.Duration.minutes(45)
_SETUP_STEP = cdk.Duration.seconds(20)
_Domain = opensearch.CfnDomain
#: Kinds of log that the domain publishes, and the setting's name.
_LOGS = {"ES_APPLICATION_LOGS": "application", "INDEX_SLOW_LOGS": "index-slow", "SEARCH_SLOW_LOGS": "search-slow"}


class SearchStack(EnvironmentStack):
    """``domain`` holds an index per result type; ``indexer`` fills it; ``failures`` takes what it gives up."""

    def __init__(
        self, scope: Construct, environment: Environment, network: NetworkStack, streams: StreamsStack
    ) -> None:
        super().__init__(scope, "search", environment, "OpenSearch index of the results")
        self.domain_name = self.prefix  # at most 28 characters: 1 to 8 of the environment's name fit
        self.domain_arn = self.arn("es", f"domain/{self.domain_name}")
        self._network, self._key = network, streams.data_key
        if network.search_group is None:
            raise ValueError("the network was made without a group for search")
        self._functions_group = network.search_group
        domain_group = ec2.SecurityGroup(
            self, "DomainGroup", vpc=network.vpc, description=f"{self.prefix}: OpenSearch", allow_all_outbound=False
        )
        resource_of(domain_group).apply_removal_policy(self.removal_policy)  # a domain that stays keeps its interfaces
        domain_group.add_ingress_rule(self._functions_group, ec2.Port.tcp(443), "functions of search")
        # The set-up's role is the master user, so it is made before the domain and must not wait for it.
        setup_event = self._setup_function("on_event", [])
        self.setup = self._setup_function(
            "is_complete",
            [allow("SetUp", ["es:ESHttpGet", "es:ESHttpPut", "es:ESHttpPost"], [f"{self.domain_arn}/*"])],
        )
        self.domain = self._domain(environment, domain_group, self.setup.role)
        self.failures = failures_queue(self, "Search-Failures", streams.data_key)
        self.indexer = self._indexer(environment, streams)
        setup = provider(
            self,
            "SetupProvider",
            setup_event,
            self.setup,
            key=network.logs_key,
            total=_SETUP_TOTAL,
            step=_SETUP_STEP,
        )
        resource = cdk.CustomResource(
            self,
            "Setup",
            service_token=setup.service_token,
            resource_type="Custom::SearchSetup",
            properties={
                "Endpoint": self._endpoint,
                "IndexPrefix": INDEX_PREFIX,
                "IndexerRoleArn": self.indexer.role.role_arn,
                "ForgetRoleArn": self._forget().role.role_arn,
                "RetentionDays": str(environment.search.index_days),
                "Code": lambda_digest("search_setup"),
            },
        )
        self.mapping.node.add_dependency(resource)

    @property
    def _endpoint(self) -> str:
        return f"https://{self.domain.attr_domain_endpoint}"

    @property
    def _inside(self) -> dict[str, Any]:
        """Where the functions of search run."""
        network = self._network
        return {"vpc": network.vpc, "subnets": network.subnets, "security_group": self._functions_group}

    @property
    def _index(self) -> dict[str, str]:
        """What a function must know to reach the indices."""
        return {"OPENSEARCH_ENDPOINT": self._endpoint, "INDEX_PREFIX": INDEX_PREFIX}

    def _setup_function(self, role: str, statements: list[iam.PolicyStatement]) -> PythonFunction:
        return PythonFunction(
            self,
            f"Setup{role.title().replace('_', '')}",
            package="search_setup",
            called=f"search_setup_{role}",
            handler=f"lambdas.search_setup.handler.{role}",
            code=lambda_code("search_setup"),
            key=self._network.logs_key,
            description="Role mapping, index templates and retention of OpenSearch, on every deployment",
            timeout=cdk.Duration.minutes(2),
            environment={"LOG_LEVEL": "INFO"},
            statements=statements,
            **self._inside,
        )

    def _indexer(self, environment: Environment, streams: StreamsStack) -> PythonFunction:
        results = reading(self, "Indexer-Results", streams.results, environment.streams.results, INDEXER_OF_RESULTS)
        indexer = PythonFunction(
            self,
            "Indexer",
            package="search_indexer",
            handler="lambdas.search_indexer.handler.handler",
            code=lambda_code("search_indexer"),
            key=self._network.logs_key,
            description="Results into OpenSearch, each under its result_id",
            timeout=cdk.Duration.seconds(60),
            reserved_concurrency=environment.functions.reserved_concurrency,
            environment={
                **self._index,
                "METRIC_NAMESPACE": namespace(environment.name),
                "DEAD_LETTER_QUEUE_URL": self.failures.queue_url,
                "LOG_LEVEL": "INFO",
            },
            statements=[
                *reading_statements([results], self._key, self.failures),
                allow("Index", ["es:ESHttpPost"], [f"{self.domain_arn}/_bulk"]),
            ],
            **self._inside,
        )
        self.mapping = read(self, "ReadResults", indexer.function, results, self.failures)
        return indexer

    def _forget(self) -> PythonFunction:
        return PythonFunction(
            self,
            "Forget",
            package="search_forget",
            handler="lambdas.search_forget.handler.handler",
            code=lambda_code("search_forget"),
            key=self._network.logs_key,
            description="Deletes a person's documents from the index (make forget)",
            timeout=cdk.Duration.minutes(5),
            environment={
                **self._index,
                "LOG_LEVEL": "INFO",
            },
            statements=[
                allow("DeleteByQuery", ["es:ESHttpPost"], [f"{self.domain_arn}/{INDEX_PREFIX}-*/_delete_by_query"]),
                allow("CountRejections", ["es:ESHttpPost"], [f"{self.domain_arn}/{INDEX_PREFIX}-{REJECTED}-*/_count"]),
            ],
            **self._inside,
        )

    def _domain(self, environment: Environment, group: ec2.SecurityGroup, master: iam.IRole) -> _Domain:
        search, network = environment.search, self._network
        zones = min(len(environment.network.zones), search.instances)
        subnets = network.vpc.select_subnets(
            subnet_group_name=network.subnets.subnet_group_name, subnets=network.subnets.subnets
        ).subnet_ids[:zones]
        publishing, log_policy = self._domain_logs(network.logs_key)
        domain = _Domain(
            self,
            "Domain",
            domain_name=self.domain_name,
            engine_version=ENGINE,
            cluster_config=_Domain.ClusterConfigProperty(
                instance_type=search.instance_type,
                instance_count=search.instances,
                zone_awareness_enabled=zones > 1,
                zone_awareness_config=(
                    _Domain.ZoneAwarenessConfigProperty(availability_zone_count=zones) if zones > 1 else None
                ),
            ),
            ebs_options=_Domain.EBSOptionsProperty(ebs_enabled=True, volume_type="gp3", volume_size=search.volume_gb),
            vpc_options=_Domain.VPCOptionsProperty(subnet_ids=subnets, security_group_ids=[group.security_group_id]),
            encryption_at_rest_options=_Domain.EncryptionAtRestOptionsProperty(
                enabled=True, kms_key_id=self._key.key_arn
            ),
            node_to_node_encryption_options=_Domain.NodeToNodeEncryptionOptionsProperty(enabled=True),
            domain_endpoint_options=_Domain.DomainEndpointOptionsProperty(
                enforce_https=True, tls_security_policy="Policy-Min-TLS-1-2-PFS-2023-10"
            ),
            advanced_security_options=_Domain.AdvancedSecurityOptionsInputProperty(
                enabled=True,
                internal_user_database_enabled=False,
                master_user_options=_Domain.MasterUserOptionsProperty(master_user_arn=master.role_arn),
            ),
            access_policies={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:{self.partition}:iam::{self.account}:root"},
                        "Action": "es:ESHttp*",
                        "Resource": f"{self.domain_arn}/*",
                    }
                ],
            },
            log_publishing_options=publishing,
            off_peak_window_options=_Domain.OffPeakWindowOptionsProperty(enabled=True),
            software_update_options=_Domain.SoftwareUpdateOptionsProperty(auto_software_update_enabled=True),
        )
        domain.apply_removal_policy(self.removal_policy)
        domain.node.add_dependency(log_policy)
        return domain

    def _domain_logs(self, key: kms.IKey) -> tuple[dict[str, _Domain.LogPublishingOptionProperty], Construct]:
        days = self.environment_settings.lambda_log_days
        groups = {
            kind: log_group(self, f"{name.title().replace('-', '')}Logs", f"/{self.prefix}/search/{name}", days, key)
            for kind, name in _LOGS.items()
        }
        policy = logs.CfnResourcePolicy(
            self,
            "DomainLogsPolicy",
            policy_name=f"{self.prefix}-search",
            policy_document=self.to_json_string(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "es.amazonaws.com"},
                            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                            "Resource": [group.log_group_arn for group in groups.values()],
                            "Condition": {
                                "StringEquals": {"aws:SourceAccount": self.account},
                                "ArnLike": {"aws:SourceArn": self.domain_arn},
                            },
                        }
                    ],
                }
            ),
        )
        options = {
            kind: _Domain.LogPublishingOptionProperty(enabled=True, cloud_watch_logs_log_group_arn=group.log_group_arn)
            for kind, group in groups.items()
        }
        return options, policy


#: What every index's name begins with; the domain is the environment's own, so it needs no environment in it.
INDEX_PREFIX = "realtime-analytics"
