"""``make deploy ENV=dev``: checks account, code and what would be lost, then deploys every stack and starts the job."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable

from botocore.exceptions import ClientError

from contracts.names import PARTS, stack_name
from operations.environment import OperationError, Target, interactive, run
from operations.replacements import replacements
from scripts.synth import OUT, cdk

#: Version of CDK's bootstrap stack that the assemblies need (manifest.json says so, too).
_BOOTSTRAP = 6
_BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
_SEARCH_ROLE = "AWSServiceRoleForAmazonOpenSearchService"


def check_prerequisites(target: Target) -> None:
    """OperationError for what the account lacks, with the command that makes it."""
    environment = target.environment
    place = f"aws://{environment.account}/{environment.region}"
    try:
        found = target.client("ssm").get_parameter(Name=_BOOTSTRAP_PARAMETER)["Parameter"]["Value"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        found = "0"
    if int(found) < _BOOTSTRAP:
        raise OperationError(f"CDK is not set up in {place}: run `node_modules/.bin/cdk bootstrap {place}` once")
    if environment.search.enabled:
        try:
            target.client("iam").get_role(RoleName=_SEARCH_ROLE)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchEntity":
                raise
            raise OperationError(
                "OpenSearch has no service role in this account yet: run "
                "`aws iam create-service-linked-role --aws-service-name opensearchservice.amazonaws.com` once"
            ) from error


def deployed_stacks(target: Target) -> dict[str, str]:
    """The environment's stacks that are there, with their status."""
    client, found = target.client("cloudformation"), {}
    for part in PARTS:  # by name: listing all of the account's stacks would take rights on all of them
        name = stack_name(target.environment.prefix, part)
        try:
            (stack,) = client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            continue
        found[name] = stack["StackStatus"]
    return found


def check_losses(target: Target, stacks: Iterable[str], accepted: Iterable[str]) -> None:
    """OperationError when a protected environment would lose a resource that holds data and is not ``accepted``."""
    environment = target.environment
    if not environment.protection.retain_data:
        return
    client = target.client("cloudformation")
    lost = []
    for stack in stacks:
        path = OUT / environment.name / f"{stack}.template.json"
        if not path.is_file():  # a part that the settings have switched off: CDK leaves it alone
            continue
        deployed = client.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
        new = json.loads(path.read_text(encoding="utf-8"))
        lost += [
            found for found in replacements(deployed, new, environment.region) if found.logical_id not in set(accepted)
        ]
    if lost:
        told = "\n".join(f"  {found}" for found in lost)
        raise OperationError(
            f"{environment.name} would lose what holds data:\n{told}\n"
            "Undo the change, or accept it by name: make deploy ENV=... ARGS='--replace LOGICAL_ID'"
        )


def left_over(target: Target, stacks: Iterable[str]) -> list[str]:
    """Stacks that are deployed and no longer in the settings."""
    folder = OUT / target.environment.name
    known = {path.name.removesuffix(".template.json") for path in folder.glob("*.template.json")}
    return sorted(set(stacks) - known)


def deploy(target: Target, arguments: argparse.Namespace) -> int:
    """Exit code of the CLI."""
    check_prerequisites(target)
    name = target.environment.name
    if cdk(name, "synth", quiet=True) != 0:
        return 1
    before = deployed_stacks(target)
    check_losses(target, before, arguments.replace)
    approval = "broadening" if interactive() and not arguments.yes else "never"
    code = cdk(name, "deploy", "--all", "--require-approval", approval, "--progress", "events")
    for stack in left_over(target, before):
        print(f"{stack} is deployed and not in config/{name}.toml now: make destroy ENV={name} ARGS='--stack {stack}'")
    return code


def main() -> int:
    """Command line: ``python -m operations.deploy ENV``."""
    parser = argparse.ArgumentParser(prog="python -m operations.deploy", description=__doc__)
    parser.add_argument("--yes", action="store_true", help="do not ask before rights are widened")
    parser.add_argument(
        "--replace", action="append", default=[], metavar="LOGICAL_ID", help="accept that this resource is lost"
    )
    return run(deploy, parser)


if __name__ == "__main__":
    sys.exit(main())
