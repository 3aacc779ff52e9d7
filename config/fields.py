"""Kinds of values in an environment's settings: how each is read and, in words, what is allowed."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

#: Log retentions that CloudWatch Logs takes, in days (API reference, PutRetentionPolicy).
LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3653)


#: Capacities that Redshift Serverless has, in RPU: 4, or 8 to 1024 in steps of 8.
_LEAST_RPU, _MOST_RPU = 4, 1024


class Section(BaseModel):
    """A table of the file: unknown keys are errors, texts are not numbers, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _matching(pattern: str, allowed: str) -> Any:
    def check(value: str) -> str:
        if re.fullmatch(pattern, value, re.ASCII) is None:
            raise ValueError(allowed)
        return value

    return AfterValidator(check)


def _tag(least: int, most: int) -> Any:
    allowed = f"{least} to {most} letters and digits of any script, spaces and . : / = + - @ _"

    def check(value: str) -> str:
        known = all(letter in "_.:/=+-@" or unicodedata.category(letter)[0] in "LNZ" for letter in value)
        if not (known and least <= len(value) <= most):
            raise ValueError(allowed)
        return value

    return AfterValidator(check)


def _one_of(*values: int) -> Any:
    def check(value: int) -> int:
        if value not in values:
            raise ValueError(f"one of {', '.join(map(str, values))}")
        return value

    return AfterValidator(check)


def _cidr(value: str) -> str:
    allowed = "an IPv4 network of /16 to /24 in a private range, such as 10.20.0.0/20"
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError as error:
        raise ValueError(allowed) from error
    if not network.is_private or not 16 <= network.prefixlen <= 24:
        raise ValueError(allowed)
    return value


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _rpu(value: int) -> int:
    if value != _LEAST_RPU and (value % 8 or not 8 <= value <= _MOST_RPU):
        raise ValueError(f"4, or a multiple of 8 up to {_MOST_RPU}")
    return value


Account = Annotated[str, _matching(r"(\d{12})?", "12 digits, or an empty text: synthesizes for any account")]
Region = Annotated[
    str,
    _matching(r"(?!cn-|us-gov-|us-iso)[a-z]{2}(-[a-z]+)+-\d", "a commercial AWS region, such as us-east-1"),
]
Zone = Annotated[str, _matching(r"[a-z]{2}(-[a-z]+)+-\d[a-z]", "an availability zone, such as us-east-1a")]
Cidr = Annotated[str, AfterValidator(_cidr)]
Rpu = Annotated[int, AfterValidator(_rpu)]
Email = Annotated[
    str,
    _matching(
        r"(?!.{0,63}\.[.@])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}",
        "an e-mail address, such as team@example.com",
    ),
]
LogDays = Annotated[int, _one_of(*LOG_RETENTION_DAYS)]
VpcId = Annotated[str, _matching(r"vpc-[0-9a-f]{8,17}", "a VPC's id, vpc-...")]
SubnetId = Annotated[str, _matching(r"subnet-[0-9a-f]{8,17}", "a subnet's id, subnet-...")]
PrefixList = Annotated[str, _matching(r"pl-[0-9a-f]{8,17}", "a prefix list's id, pl-...")]
StreamArn = Annotated[
    str,
    _matching(
        r"arn:aws[a-z-]*:kinesis:[a-z0-9-]+:\d{12}:stream/[a-zA-Z0-9_.-]{1,128}",
        "a stream's ARN, arn:aws:kinesis:<region>:<account>:stream/<name>",
    ),
]
KeyArn = Annotated[
    str,
    _matching(
        r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[0-9a-f-]{36}",
        "a key's ARN, arn:aws:kms:<region>:<account>:key/<id>",
    ),
]
SecretArn = Annotated[
    str,
    _matching(
        r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[a-zA-Z0-9/_+=.@-]{1,512}-[a-zA-Z0-9]{6}",
        "a secret's whole ARN, arn:aws:secretsmanager:<region>:<account>:secret:<name>-<6 characters>",
    ),
]
EventBusName = Annotated[
    str, _matching(r"(?!aws\.)[a-zA-Z0-9_.-]{1,256}", "an event bus's name: default, or 1 to 256 of a-z A-Z 0-9 _ . -")
]
ClusterArn = Annotated[
    str,
    _matching(
        r"arn:aws[a-z-]*:kafka:[a-z0-9-]+:\d{12}:cluster/[a-zA-Z0-9-]{1,64}/[0-9a-f-]{36}-[a-z0-9]+",
        "an MSK cluster's ARN, arn:aws:kafka:<region>:<account>:cluster/<name>/<id>",
    ),
]
Topic = Annotated[str, _matching(r"(?!\.{1,2}$)[a-zA-Z0-9_.-]{1,249}", "a topic's name: 1 to 249 of a-z A-Z 0-9 _ . -")]
SecurityGroupId = Annotated[str, _matching(r"sg-[0-9a-f]{8,17}", "a security group's id, sg-...")]
BucketName = Annotated[str, _matching(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "a bucket's name: 3 to 63 of a-z 0-9 . -")]
Folder = Annotated[
    str, _matching(r"([a-zA-Z0-9!_.'()=-]+/)*", "a folder in the bucket that ends with a slash, such as events/")
]
Category = Annotated[
    str, _matching(r"(?!:)[!-~]([ -~]{0,62}[!-~])?", "1 to 64 printable ASCII characters, not beginning with a colon")
]
TimeOfDay = Annotated[str, _matching(r"([01]\d|2[0-3]):[0-5]\d", "a time of day in UTC, such as 06:00")]
Repository = Annotated[str, _matching(r"[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}", "a GitHub repository, owner/name")]
#: Letters of any script, as AWS takes them (tagging guide: letters, numbers and spaces representable in UTF-8).
TagName = Annotated[str, _tag(1, 128)]
TagText = Annotated[str, _tag(0, 256)]
InstanceType = Annotated[
    str, _matching(r"[a-z0-9]+\.[a-z0-9]+\.search", "an OpenSearch instance type, such as t3.small.search")
]
#: A TOML list as a tuple, so that a frozen section stays frozen.
AsTuple = BeforeValidator(_tuple)
