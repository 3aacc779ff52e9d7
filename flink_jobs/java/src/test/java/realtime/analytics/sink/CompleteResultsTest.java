package realtime.analytics.sink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.types.Row;
import org.apache.flink.util.FlinkRuntimeException;
import org.junit.jupiter.api.Test;
import realtime.analytics.source.Horizon;

@SuppressWarnings("try") // the harness says that its close may be interrupted
class CompleteResultsTest {
    /** @param knownFrom what the source tells; null: nothing yet. */
    private static OneInputStreamOperatorTestHarness<Row, Row> harness(
            OperatorSubtaskState restored, Long knownFrom, long after, long until) throws Exception {
        OneInputStreamOperatorTestHarness<Row, Row> harness =
                new OneInputStreamOperatorTestHarness<>(
                        new CompleteResults(0, 1, after, until, Types.ROW(Types.LONG, Types.LONG)) {
                            @Override
                            long askedHorizon() {
                                return knownFrom == null ? Horizon.UNKNOWN : knownFrom;
                            }
                        });
        if (restored != null) {
            harness.initializeState(restored);
        }
        harness.open();
        return harness;
    }

    private static OneInputStreamOperatorTestHarness<Row, Row> harness(OperatorSubtaskState restored, Long knownFrom)
            throws Exception {
        return harness(restored, knownFrom, -1, Long.MAX_VALUE);
    }

    /** What of results that need events from the given times on gets through. */
    private static List<Long> through(OneInputStreamOperatorTestHarness<Row, Row> harness, long... needs)
            throws Exception {
        harness.getOutput().clear();
        for (long need : needs) {
            harness.processElement(new StreamRecord<>(Row.of(need, need + 100)));
        }
        return needs(harness);
    }

    @Test
    void whatBeganBeforeTheHorizonIsHeldBack() throws Exception {
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(null, 1_000L)) {
            assertEquals(List.of(1_000L, 1_001L), through(harness, 0, 999, 1_000, 1_001));
        }
    }

    @Test
    void aResultBeforeTheHorizonIsAnError() throws Exception {
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(null, null)) {
            assertThrows(FlinkRuntimeException.class, () -> through(harness, 1_000));
        }
    }

    @Test
    void theHorizonOutlivesARestartOfTheSource() throws Exception {
        OperatorSubtaskState snapshot;
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(null, 1_000L)) {
            harness.processWatermark(new Watermark(0));
            snapshot = harness.snapshot(1, 1);
        }
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(snapshot, 9_000L)) {
            assertEquals(List.of(1_000L), through(harness, 999, 1_000));
        }
    }

    @Test
    void aCheckpointBeforeTheFirstResultHoldsIt() throws Exception {
        OperatorSubtaskState snapshot;
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(null, 1_000L)) {
            snapshot = harness.snapshot(1, 1);
        }
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(snapshot, 9_000L)) {
            assertEquals(List.of(1_000L), through(harness, 999, 1_000));
        }
    }

    @Test
    void aCheckpointBeforeTheSourceHasReadAnythingHoldsNone() throws Exception {
        OperatorSubtaskState snapshot;
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(null, null)) {
            snapshot = harness.snapshot(1, 1);
        }
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(snapshot, 9_000L)) {
            assertEquals(List.of(9_000L), through(harness, 999, 1_000, 9_000));
        }
    }

    @Test
    void aBackfillWritesWhatBecameTrueInItsRange() throws Exception {
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(null, 0L, 1_100, 1_200)) {
            assertEquals(List.of(), through(harness, 1_000, 1_001, 1_100, 1_101));
            harness.processWatermark(new Watermark(1_250));
            assertEquals(List.of(1_001L, 1_100L), needs(harness));
        }
    }

    @Test
    void whatTheEndOfABackfillsInputClosesIsNotWhole() throws Exception {
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(null, 0L, 0, 9_000)) {
            harness.processWatermark(new Watermark(1_150));
            // At or below the watermark, and closed by the next one; then what only the end closes.
            assertEquals(List.of(1_050L), through(harness, 1_050, 1_090));
            harness.processWatermark(new Watermark(1_200));
            assertEquals(List.of(1_050L, 1_090L), needs(harness));
            assertEquals(List.of(), through(harness, 1_500));
            harness.processWatermark(Watermark.MAX_WATERMARK);
            assertEquals(List.of(), needs(harness));
        }
    }

    @Test
    void whatTheEndClosesIsNotWholeAheadOfAnEarlierWatermarkEither() throws Exception {
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(null, 0L, 0, 9_000)) {
            // True at 1,200 and at 1,600: a Python worker's bundle holds both, and the watermark of the first comes last.
            assertEquals(List.of(), through(harness, 1_100, 1_500));
            harness.processWatermark(new Watermark(1_199));
            assertEquals(List.of(1_100L), needs(harness));
            harness.processWatermark(Watermark.MAX_WATERMARK);
            assertEquals(List.of(1_100L), needs(harness));
        }
    }

    @Test
    void whatIsHeldOutlivesARestart() throws Exception {
        OperatorSubtaskState snapshot;
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(null, 0L, 0, 9_000)) {
            through(harness, 1_000);
            snapshot = harness.snapshot(1, 1);
        }
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(snapshot, 0L, 0, 9_000)) {
            harness.processWatermark(new Watermark(1_200));
            assertEquals(List.of(1_000L), needs(harness));
        }
    }

    private static List<Long> needs(OneInputStreamOperatorTestHarness<Row, Row> harness) {
        return harness.extractOutputValues().stream()
                .map(row -> (Long) row.getField(0))
                .collect(Collectors.toList());
    }

    @Test
    void timesComeAsEachLanguageHasThem() {
        assertEquals(1_500, CompleteResults.millis(1_500L));
        assertEquals(1_500, CompleteResults.millis(Instant.ofEpochMilli(1_500)));
        assertEquals(1_500, CompleteResults.millis(LocalDateTime.ofEpochSecond(1, 500_000_000, ZoneOffset.UTC)));
    }

    @Test
    void aJobThatDoesNotSayWhatItNeedsIsRefused() {
        IllegalArgumentException refused =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> CompleteResults.attach(null, "fraud", new String[] {"event_time"}, 0, 1));
        assertEquals(true, refused.getMessage().contains("needs_from"));
    }
}
