"""The archive of a demo's run: what Firehose keeps of it in S3 on AWS, in the run's folder, for a backfill."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flink_jobs.settings import KINESIS
from lambdas.archive_transform.function import transform
from local.delivery_stream import DeliveryStream
from local.demo import application
from local.standins.moto import Moto

EVENTS, REJECTED = "events", "rejected"


class Archive:
    """The delivery streams of a run."""

    def __init__(self, streams: list[DeliveryStream]) -> None:
        self._streams = streams

    def finish(self) -> None:
        """Archives what is left in the streams, and ends."""
        for stream in self._streams:
            stream.finish()


def archive_of(run_dir: Path) -> Path:
    """Where the archive of a run is: ``events/`` and ``rejected/`` below it."""
    return run_dir / "archive"


@contextmanager
def archiving(moto: Moto, run_dir: Path, source: str) -> Iterator[Archive]:
    """Archives the input (as far as it is a Kinesis stream) and the rejections of a run, in place of an earlier one."""
    folder = archive_of(run_dir)
    shutil.rmtree(folder, ignore_errors=True)
    kinesis = moto.client("kinesis")
    streams = [DeliveryStream(kinesis, application.REJECTED_STREAM, folder / REJECTED)]
    if source == KINESIS:
        streams.append(DeliveryStream(kinesis, application.INPUT_STREAM, folder / EVENTS, transform))
    with ExitStack() as stack:
        for stream in streams:
            stack.enter_context(stream)
        yield Archive(streams)
