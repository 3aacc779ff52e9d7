"""cdk-nag: the AwsSolutions rules are the gate of every synth."""

from __future__ import annotations

import aws_cdk as cdk
import cdk_nag


def add_checks(app: cdk.App) -> None:
    """A finding that nobody has acknowledged with a reason fails the synth."""
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
