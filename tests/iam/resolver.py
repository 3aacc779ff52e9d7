"""From intrinsic functions to the texts they become: ARNs and names in a made-up account.

Ids that AWS would choose are made from the resource's place in its template, so the same resource has the same ARN
wherever it is named. Anything that our policies do not use raises :class:`UnresolvedError`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.synth.templates import Assembly, Found

#: moto's own account, and that of the variants.
ACCOUNT = "123456789012"
_PARTITION = "aws"

#: What AWS appends to the name of a new MSK cluster in its ARN.
CLUSTER_ID = "01234567-89ab-cdef-0123-456789abcdef-s1"

#: ARN by type: service, whether region and account are part of it, and how the resource is written.
_ARNS = {
    "AWS::IAM::Role": "arn:{partition}:iam::{account}:role/{name}",
    "AWS::KMS::Key": "arn:{partition}:kms:{region}:{account}:key/{name}",
    "AWS::Kinesis::Stream": "arn:{partition}:kinesis:{region}:{account}:stream/{name}",
    "AWS::Lambda::Function": "arn:{partition}:lambda:{region}:{account}:function:{name}",
    "AWS::Logs::LogGroup": "arn:{partition}:logs:{region}:{account}:log-group:{name}:*",
    "AWS::OpenSearchService::Domain": "arn:{partition}:es:{region}:{account}:domain/{name}",
    "AWS::MSK::ServerlessCluster": "arn:{partition}:kafka:{region}:{account}:cluster/{name}/" + CLUSTER_ID,
    "AWS::RedshiftServerless::Workgroup": "arn:{partition}:redshift-serverless:{region}:{account}:workgroup/{name}",
    "AWS::SecretsManager::Secret": "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}",
    "AWS::S3::Bucket": "arn:{partition}:s3:::{name}",
    "AWS::SNS::Topic": "arn:{partition}:sns:{region}:{account}:{name}",
    "AWS::DynamoDB::GlobalTable": "arn:{partition}:dynamodb:{region}:{account}:table/{name}",
    "AWS::SQS::Queue": "arn:{partition}:sqs:{region}:{account}:{name}",
    "AWS::StepFunctions::StateMachine": "arn:{partition}:states:{region}:{account}:stateMachine:{name}",
}
_NAMES = (
    "BucketName",
    "ClusterName",
    "DomainName",
    "FunctionName",
    "LogGroupName",
    "Name",
    "QueueName",
    "StateMachineName",
    "TableName",
    "WorkgroupName",
)
#: Types whose Ref is their ARN.
_REF_IS_ARN = {"AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::StepFunctions::StateMachine"}
_HASH = re.compile(r"[0-9A-F]{8}$")


class UnresolvedError(Exception):
    """An intrinsic function, type or attribute that the resolver does not know."""


def plain(logical_id: str) -> str:
    """A logical id without the hash that CDK appends."""
    return _HASH.sub("", logical_id)


@dataclass(frozen=True)
class Resolver:
    """Resolves the values of one environment's templates."""

    assembly: Assembly

    @property
    def account(self) -> str:
        """The environment's account, or the made-up one."""
        return self.assembly.environment.account or ACCOUNT

    @property
    def region(self) -> str:
        """The environment's region."""
        return self.assembly.environment.region

    def value(self, part: str, value: Any) -> Any:
        """``value`` as it is after the part's stack is deployed."""
        if isinstance(value, list):
            return [self.value(part, one) for one in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function == "Ref":
                return self._ref(part, argument)
            if function == "Fn::GetAtt":
                return self._attribute(self.find(part, argument[0]), argument[1])
            if function == "Fn::Join":
                return argument[0].join(self.value(part, argument[1]))
            if function == "Fn::Sub" and isinstance(argument, str):
                return re.sub(r"\$\{([^}]+)\}", lambda match: str(self._ref(part, match[1])), argument)
            if function == "Fn::GetStackOutput":
                return self._output(argument)
            if function.startswith("Fn::"):
                raise UnresolvedError(f"{function} in {part}")
        return {key: self.value(part, one) for key, one in value.items()}

    def find(self, part: str, logical_id: str) -> Found:
        """The resource of that logical id."""
        body = self.assembly.templates[part]["Resources"][logical_id]
        return Found(part, logical_id, body["Type"], body)

    def named(self, part: str, name: str) -> Found | None:
        """The resource whose logical id is ``name`` and CDK's hash; None where the environment has none."""
        resources = self.assembly.templates.get(part, {}).get("Resources", {})
        found = [logical_id for logical_id in resources if plain(logical_id) == name]
        if len(found) > 1:
            raise UnresolvedError(f"{part}/{name} is {found}")
        return self.find(part, found[0]) if found else None

    def arn(self, found: Found) -> str:
        """ARN of a resource."""
        if found.type == "AWS::Kinesis::StreamConsumer":
            stream = self.value(found.part, found.properties["StreamARN"])
            return f"{stream}/consumer/{found.properties['ConsumerName']}:1"
        if found.type not in _ARNS:
            raise UnresolvedError(f"the ARN of {found}")
        return _ARNS[found.type].format(
            partition=_PARTITION, region=self.region, account=self.account, name=self.name(found)
        )

    def name(self, found: Found) -> str:
        """Physical name or id of a resource."""
        for key in _NAMES:
            if key in found.properties:
                return str(self.value(found.part, found.properties[key]))
        return f"{found.part}-{plain(found.logical_id)}"

    def stack_id(self, part: str) -> str:
        """ARN of the part's stack."""
        name = self.assembly.stack_names[part]
        return f"arn:{_PARTITION}:cloudformation:{self.region}:{self.account}:stack/{name}/0"

    def _ref(self, part: str, name: str) -> str:
        pseudo: Mapping[str, str] = {
            "AWS::AccountId": self.account,
            "AWS::Partition": _PARTITION,
            "AWS::Region": self.region,
            "AWS::StackId": self.stack_id(part),
            "AWS::URLSuffix": "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        found = self.find(part, name)
        if found.type == "AWS::SQS::Queue":
            return f"https://sqs.{self.region}.amazonaws.com/{self.account}/{self.name(found)}"
        return self.arn(found) if found.type in _REF_IS_ARN else self.name(found)

    def _attribute(self, found: Found, attribute: str) -> str:
        if attribute in ("Arn", "ConsumerARN", "TopicArn", "Workgroup.WorkgroupArn"):
            return self.arn(found)
        if found.type == "Custom::Brokers":
            return self._of_cluster(found, attribute)
        if attribute == "DomainEndpoint":
            return f"vpc-{self.name(found)}.{self.region}.es.amazonaws.com"
        raise UnresolvedError(f"{attribute} of {found}")

    def _of_cluster(self, found: Found, attribute: str) -> str:
        """What the look-up of brokers answers."""
        if attribute == "Brokers":
            return "b-1.example.com:9098,b-2.example.com:9098"
        return str(self.value(found.part, found.properties["ClusterArn"])).partition(":cluster/")[2]

    def _output(self, argument: Mapping[str, str]) -> Any:
        if argument["Region"] != self.region:
            raise UnresolvedError(f"output of another region: {argument}")
        part = {name: part for part, name in self.assembly.stack_names.items()}[argument["StackName"]]
        return self.value(part, self.assembly.templates[part]["Outputs"][argument["OutputName"]]["Value"])
