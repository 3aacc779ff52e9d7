"""What `make fuzz` makes of Jazzer's output."""

from __future__ import annotations

from scripts.fuzz import outcome, targets

_OUTPUT = """\
#4096	pulse  cov: 812 ft: 2210 corp: 91/5Kb lim: 43 exec/s: 2048 rss: 136Mb
#9000	DONE   cov: 950 ft: 3100 corp: 120/9Kb lim: 80 exec/s: 900 rss: 183Mb
Done 9000 runs in 10 second(s)
"""


def test_given_a_run_to_its_end_then_it_is_counted() -> None:
    found = outcome("a.B", _OUTPUT, 0)
    assert (found.inputs, found.seconds, found.covered, found.failure) == (9_000, 10, 950, None)


def test_given_an_input_that_fails_then_the_end_of_the_output_is_kept() -> None:
    found = outcome("a.B", "x\n" * 100 + "== Java Exception: java.lang.IllegalStateException\n", 77)
    assert found.failure is not None
    assert "IllegalStateException" in found.failure
    assert len(found.failure.splitlines()) == 40


def test_given_a_run_that_never_began_then_it_has_failed() -> None:
    assert outcome("a.B", "ERROR: Unknown arguments\n", 0).failure is not None


def test_given_the_tests_then_every_reader_of_foreign_bytes_is_a_target() -> None:
    assert [name.rpartition(".")[2] for name in targets()] == [
        "DecoderFuzz",
        "ArchivedRecordFuzz",
        "EventFileFuzz",
        "LiveRejectionsFuzz",
        "PackedRecordsFuzz",
    ]
