"""What only files can do: come late, come twice, be empty, be broken, or go."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contracts.rejections import Reason
from local.oracle import results
from local.oracle.records import LogRecord
from local.standins.moto import Moto
from local.traffic.plan import Planned
from tests.events import HOUR, MINUTE, SECOND, START, Output, event
from tests.jobs import archive_log, other_sources
from tests.jobs.archive_log import ArchiveLog
from tests.jobs.live import Live
from tests.jobs.other_sources import PROBE, OtherLive
from tests.jobs.traffic import CLOSING, FEW, JOBS, events, heartbeat
from tests.oracle import assert_gives, judge

NewLive = Callable[[int], OtherLive]

#: So many events that reading them takes longer than the source's tick.
CROWD = 30_000
#: No field of the contract. A thousand events with it take longer to read than a savepoint to begin.
FILLER = "x" * 10_000
#: At the end of a gzip: its checksum and its length.
CHECKSUM_BYTES = 8


@pytest.fixture
def files(moto: Moto, jar: Path, tmp_path: Path) -> Iterator[NewLive]:
    """A folder of the given number of folders, and the application over it."""
    made: list[OtherLive] = []

    def start(shards: int) -> OtherLive:
        made.append(other_sources.files(moto, jar, tmp_path, f"{tmp_path.name}-{len(made)}".replace("_", "-"), shards))
        return made[-1]

    yield start
    for each in made:
        each.close()


@pytest.fixture
def archived(moto: Moto, jar: Path, tmp_path: Path) -> Iterator[NewLive]:
    """An archive of a stream of the given number of shards, and the application over it."""
    made: list[OtherLive] = []

    def start(shards: int) -> OtherLive:
        name = f"{tmp_path.name}-{len(made)}".replace("_", "-")
        made.append(other_sources.archive(moto, jar, tmp_path, name, shards))
        return made[-1]

    yield start
    for each in made:
        each.close()


@pytest.mark.parametrize("kind", ["files", "archived"])
def test_a_batch_that_is_half_read_goes_on_where_it_stood(kind: str, request: pytest.FixtureRequest) -> None:
    # Given files of two partitions that take a while to read, and an application that is stopped among them
    run: OtherLive = request.getfixturevalue(kind)(2)
    settings = run.settings("aggregation")
    for shard in run.stream.shards():
        filled = (event(number * 7 * SECOND, value=number % 10, filler=FILLER) for number in range(1_000))
        run.stream.put(shard, [PROBE, *filled, heartbeat(CLOSING)])
    judged = judge(run.stream.log, settings)
    wanted = results.expected(judged.events, settings)
    run.start(settings, 1)
    run.until(lambda output: bool(output.rejected), "the first record is read")
    savepoint = run.stop()
    assert len(run.output().results) < len(wanted), "all was read before it was stopped"
    # When it goes on, then no event is counted twice, and none is left out
    run.start(settings, 1, savepoint)
    assert_gives(run.finish(wanted), judged, wanted, run.stream.log)


@pytest.mark.parametrize("kind", ["files", "archived"])
def test_a_partition_whose_next_file_is_not_there_yet_is_waited_for(kind: str, request: pytest.FixtureRequest) -> None:
    # Given a backlog of two partitions, of which one ends in the middle of the other
    run: OtherLive = request.getfixturevalue(kind)(2)
    settings = run.settings("aggregation", "behavior")
    ahead, behind = run.stream.shards()
    run.stream.put(ahead, events(0, 2 * HOUR, CROWD))
    run.stream.put(behind, events(0, HOUR, FEW))
    run.start(settings, 2)
    closed = results.expected(judge(run.stream.log, settings).events, settings)
    run.until_all(i for i, result in closed.items() if result["event_time"] <= START + HOUR - 5 * MINUTE)
    # When the rest of it comes
    run.stream.put(behind, [*events(HOUR, HOUR, FEW), heartbeat(CLOSING)])
    run.stream.put(ahead, [heartbeat(CLOSING)])
    # Then it is in time
    judged = judge(run.stream.log, settings)
    wanted = results.expected(judged.events, settings)
    assert not judged.rejected
    assert_gives(run.finish(wanted), judged, wanted, run.stream.log)


def test_an_archive_that_grows_gives_each_record_once(archived: NewLive, tmp_path: Path) -> None:
    # Given objects of two shards that come while they are read; a record that is no event ends each
    run = archived(2)
    log = ArchiveLog(tmp_path / "archive")
    settings = run.settings(*JOBS)
    objects = [
        log.taken(
            [
                *(Planned(number % 2, payload) for number, payload in enumerate(events(part * HOUR, HOUR, 2_000))),
                Planned(part % 2, PROBE),
            ]
        )
        for part in range(4)
    ]
    run.start(settings, 2)
    for number, records in enumerate(objects[:2]):
        log.write(archive_log.lines(records))
        run.until(lambda output, least=number: len(output.rejected) > least, "the object is read")  # type: ignore[misc]
    # When Firehose writes what it has written: whole, in part, with new records; also after a restore
    log.write(archive_log.lines(objects[0]))
    log.write(archive_log.lines([*objects[1][:700], *objects[2]]))
    run.until(lambda output: len(output.rejected) > 2, "what is new is read")
    savepoint = run.stop()
    log.write(archive_log.lines([*objects[2][900:], *objects[3]]))
    run.start(settings, 2, savepoint)
    run.until(lambda output: len(output.rejected) > 3, "what is new is read after the restore")
    # And an object's gap is filled by another one, in time
    gap = log.taken([Planned(0, payload) for payload in events(4 * HOUR, 3 * SECOND, 3)])
    last = log.taken([Planned(1, PROBE)])
    closing = log.taken([Planned(number, heartbeat(CLOSING)) for number in range(2)])
    log.write(archive_log.lines([gap[0], gap[2], *last]))
    run.until(lambda output: len(output.rejected) > 4, "the object with a gap is read")
    log.write(archive_log.lines([gap[1], *closing]))
    # Then each record counts once
    read = [*(record for records in objects for record in records), gap[0], gap[2], *last, gap[1], *closing]
    judged = judge(read, settings)
    assert set(judged.rejected.values()) == {Reason.MALFORMED}
    wanted = results.expected(judged.events, settings)
    assert_gives(run.finish(wanted), judged, wanted, read)


def test_broken_objects_of_an_archive_stop_nothing(archived: NewLive, tmp_path: Path) -> None:
    # Given objects that are empty, no gzip, cut off, no archive at all, and good ones before and after
    run = archived(1)
    log = ArchiveLog(tmp_path / "archive")
    settings = run.settings(*JOBS)
    first, second, third = (
        log.taken([Planned(0, payload) for payload in events(part * HOUR, HOUR, 500)]) for part in range(3)
    )
    closing = log.taken([Planned(0, heartbeat(CLOSING))])
    log.write(archive_log.lines(first))
    run.start(settings, 2)
    broken = [
        log.put(b""),
        log.put(b"\x1f\x8b no gzip"),
        log.write(b'{"event_time": 1, "user_id": 1, "event_type": "view"}\n'),
        log.put(gzip.compress(archive_log.lines(second))[:-CHECKSUM_BYTES]),
    ]
    log.write(archive_log.lines([*third, *closing]))
    # When all is read
    read = [*first, *second, *third, *closing]
    judged = judge(read, settings)
    wanted = results.expected(judged.events, settings)
    output = run.finish(wanted, 3)
    # Then what cannot be read is rejected under its place, and all else counts
    assert not judged.rejected
    below = [str(path.relative_to(tmp_path / "archive")) for path in broken]
    places = {(".", f"{below[1]}:0"), (".", f"{below[2]}:0"), (".", f"{below[3]}:{len(second)}")}
    assert output.reasons() == dict.fromkeys(places, Reason.MALFORMED)
    assert_gives(Output(output.results, {}), judged, wanted, read)


def test_broken_files_of_a_folder_stop_nothing(files: NewLive, tmp_path: Path) -> None:
    # Given files that are empty, no gzip or cut off between good ones
    run = files(1)
    (shard,) = run.stream.shards()
    settings = run.settings(*JOBS)
    run.stream.put(shard, events(0, HOUR, 500))
    folder = tmp_path / "events" / shard
    cut = list(events(HOUR, HOUR, 500))
    (folder / "00000001.x").write_bytes(b"")
    (folder / "00000001.y").write_bytes(b"\x1f\x8b no gzip")
    (folder / "00000001.z").write_bytes(gzip.compress(b"".join(one + b"\n" for one in cut))[:-CHECKSUM_BYTES])
    lines = [("00000001.y:0", b""), *((f"00000001.z:{n}", line) for n, line in enumerate(cut)), ("00000001.z:500", b"")]
    now = time.time_ns() // 1_000_000
    run.stream.log += [LogRecord(run.stream.name, shard, place, now, payload) for place, payload in lines]
    run.stream.put(shard, [*events(2 * HOUR, HOUR, 500), heartbeat(CLOSING)])
    # When all is read
    run.start(settings, 2)
    judged = judge(run.stream.log, settings)
    wanted = results.expected(judged.events, settings)
    output = run.finish(wanted, 2)
    # Then what cannot be read is rejected under its place, and all else counts
    assert [place for _, place in judged.rejected] == ["00000001.y:0", "00000001.z:500"]
    assert_gives(output, judged, wanted, run.stream.log)


@pytest.mark.parametrize("kind", ["files", "archived"])
def test_an_application_that_changes_to_files_at_their_end_leaves_out_what_is_there(
    kind: str, live: Callable[[int], Live], request: pytest.FixtureRequest
) -> None:
    # Given an application that has read a stream, and files that are older
    before = live(1)
    (stream,) = before.stream.shards()
    before.stream.put(stream, [PROBE])
    before.start(before.settings("aggregation"), 1)
    before.until(lambda output: bool(output.rejected), "the stream is read")
    run: OtherLive = request.getfixturevalue(kind)(1)
    (shard,) = run.stream.shards()
    run.stream.put(shard, [b"old", *events(0, HOUR, 100)])
    # When it is restored to read what comes of the files
    run.start(run.settings("aggregation", start="LATEST"), 1, before.stop())
    run.until_read(shard)
    # Then nothing of the older ones has been read
    assert {row["payload"] for row in run.output().rejections()} == {PROBE.decode()}
