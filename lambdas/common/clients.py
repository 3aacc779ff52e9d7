"""How boto3's clients call a service that takes a call twice where the first answer was lost."""

from __future__ import annotations

from botocore.config import Config

#: boto3 waits a minute for an answer, longer than a function may run: a call that hangs must fail its own records only.
TIMEOUTS = {"connect_timeout": 3, "read_timeout": 5}
#: SNS, SQS and CloudWatch do a call once more for each attempt whose answer was lost. The SDK asks once; an unconfirmed
#: record is delivered again, and is doubled once at most.
ONE_ATTEMPT = Config(**TIMEOUTS, retries={"mode": "standard", "total_max_attempts": 1})
#: Seconds that such a call may hang, and two to answer in. No call begins with less time left.
LONGEST_CALL = 10.0
