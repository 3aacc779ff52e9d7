"""The environment that a command is for, and the account that it may touch."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from config.load import ConfigurationError, environments, load
from config.model import Environment

_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 5})


class OperationError(Exception):
    """The command cannot go on; the message says why and what to do next."""


@dataclass(frozen=True)
class Target:
    """A deployed (or to be deployed) environment and clients for it."""

    environment: Environment
    session: Any

    def client(self, service: str, config: Config = _CONFIG) -> Any:
        """A boto3 client in the environment's region."""
        return self.session.client(service, region_name=self.environment.region, config=config)

    def check_account(self) -> None:
        """OperationError unless the credentials are for the account that the settings name."""
        file, wanted = f"config/{self.environment.name}.toml", self.environment.account
        try:
            found = self.client("sts").get_caller_identity()["Account"]
        except (BotoCoreError, ClientError) as error:
            raise OperationError(
                f"no AWS credentials that work ({error}): log in, with `aws sso login` or AWS_PROFILE, and try again"
            ) from error
        if not wanted:
            raise OperationError(
                f'{file}: account: not set; the credentials are for {found}: write account = "{found}" if that is meant'
            )
        if found != wanted:
            raise OperationError(
                f"the credentials are for account {found}, {file} is for {wanted}: "
                f"log in to {wanted}, or choose another ENV"
            )


def run(command: Callable[[Target, argparse.Namespace], int], parser: argparse.ArgumentParser) -> int:
    """Runs a command for the environment on the command line: exit code 1 and one line for what is wrong."""
    parser.add_argument("environment", metavar="ENV", help=f"of {', '.join(environments())}")
    arguments = parser.parse_args()
    try:
        target = Target(load(arguments.environment), boto3.session.Session())
        target.check_account()
        return command(target, arguments)
    except (ConfigurationError, OperationError) as error:
        print(error, file=sys.stderr)
        return 1
    except ClientError as error:
        answer = error.response.get("Error", {})
        print(f"{error.operation_name}: {answer.get('Code')}: {answer.get('Message')}", file=sys.stderr)
        return 1
    except (BotoCoreError, WaiterError) as error:
        print(f"AWS did not answer as asked: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def interactive() -> bool:
    """Whether a person can answer."""
    return sys.stdin.isatty() and "CI" not in os.environ
