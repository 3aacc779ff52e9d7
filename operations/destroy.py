"""``make destroy ENV=dev``: stops the application and deletes the stacks; what the settings retain stays."""

from __future__ import annotations

import argparse
import sys

from contracts.names import cluster_name, stack_name
from operations.deploy import deployed_stacks, left_over
from operations.environment import OperationError, Target, interactive, run
from scripts.synth import cdk


def destroy(target: Target, arguments: argparse.Namespace) -> int:
    """Exit code of the CLI; OperationError for a protected environment or without a confirmation."""
    environment = target.environment
    if environment.protection.termination_protection:
        raise OperationError(
            f"{environment.name} is protected: set protection.termination_protection = false in "
            f"config/{environment.name}.toml, deploy that, and destroy then"
        )
    there = deployed_stacks(target)
    chosen = [arguments.stack] if arguments.stack else sorted(there)
    missing = set(chosen) - set(there)
    if missing or not there:
        raise OperationError(f"nothing to destroy: {', '.join(sorted(missing)) or environment.prefix} is not deployed")
    if (
        environment.protection.retain_data
        and environment.makes_cluster
        and stack_name(environment.prefix, "topic") in chosen
    ):
        print(
            f"stays, and costs some 550 USD a month before traffic: the MSK cluster {cluster_name(environment.prefix)} "
            "(docs/deploy.md, Tear down: how to delete it)"
        )
    if not arguments.yes:
        if not interactive():
            raise OperationError("nobody to ask: say --yes to delete without a question")
        kept = "keeps its data" if environment.protection.retain_data else "AND ALL ITS DATA"
        print(f"Deletes {', '.join(chosen)} in account {environment.account} {kept}.")
        if input(f"Write {environment.name} to go on: ").strip() != environment.name:
            raise OperationError("not confirmed: nothing was deleted")
    if arguments.stack:
        _delete(target, arguments.stack)  # by name, whether or not the settings still have it
        return 0
    if cdk(environment.name, "synth", quiet=True) != 0:
        return 1
    for stack in left_over(target, there):  # their network interfaces would hold the network
        _delete(target, stack)
    code = cdk(environment.name, "destroy", "--all", "--force")
    left = deployed_stacks(target)
    if code == 0 and left:
        raise OperationError(f"still there: {', '.join(sorted(left))}; look at their events in CloudFormation")
    return code


def _delete(target: Target, stack: str) -> None:
    client = target.client("cloudformation")
    client.delete_stack(StackName=stack)
    client.get_waiter("stack_delete_complete").wait(StackName=stack)
    print(f"{stack} is deleted")


def main() -> int:
    """Command line: ``python -m operations.destroy ENV``."""
    parser = argparse.ArgumentParser(prog="python -m operations.destroy", description=__doc__)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--stack", help="only this one, by its full name")
    return run(destroy, parser)


if __name__ == "__main__":
    sys.exit(main())
