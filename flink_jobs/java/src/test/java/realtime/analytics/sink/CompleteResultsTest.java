package realtime.analytics.sink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.Test;

@SuppressWarnings("try") // the harness says that its close may be interrupted
class CompleteResultsTest {
    private static OneInputStreamOperatorTestHarness<Row, Row> harness(
            OperatorSubtaskState restored, long after, long until) throws Exception {
        OneInputStreamOperatorTestHarness<Row, Row> harness =
                new OneInputStreamOperatorTestHarness<>(new CompleteResults(0, 1, after, until));
        if (restored != null) {
            harness.initializeState(restored);
        }
        harness.open();
        return harness;
    }

    private static OneInputStreamOperatorTestHarness<Row, Row> harness(OperatorSubtaskState restored) throws Exception {
        return harness(restored, -1, Long.MAX_VALUE);
    }

    /** What of results that need events from the given times on gets through. */
    private static List<Long> through(OneInputStreamOperatorTestHarness<Row, Row> harness, long... needs)
            throws Exception {
        harness.getOutput().clear();
        for (long need : needs) {
            harness.processElement(new StreamRecord<>(Row.of(need, need + 100)));
        }
        return harness.extractOutputValues().stream()
                .map(row -> (Long) row.getField(0))
                .collect(Collectors.toList());
    }

    private static Watermark knownFrom(long time) {
        return new Watermark(-1 - time);
    }

    @Test
    void whatBeganBeforeTheHorizonIsHeldBack() throws Exception {
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(null)) {
            harness.processWatermark(knownFrom(1_000));
            harness.processWatermark(knownFrom(500));
            harness.processWatermark(new Watermark(2_000));
            assertEquals(List.of(1_000L, 1_001L), through(harness, 0, 999, 1_000, 1_001));
        }
    }

    @Test
    void nothingIsCompleteBeforeTheHorizonIsKnown() throws Exception {
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(null)) {
            assertEquals(List.of(), through(harness, 1_000));
        }
    }

    @Test
    void theHorizonOutlivesARestartOfTheSource() throws Exception {
        OperatorSubtaskState snapshot;
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(null)) {
            harness.processWatermark(knownFrom(1_000));
            snapshot = harness.snapshot(1, 1);
        }
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(snapshot)) {
            harness.processWatermark(knownFrom(9_000));
            harness.processWatermark(knownFrom(1_000));
            assertEquals(List.of(1_000L), through(harness, 999, 1_000));
        }
    }

    @Test
    void aJobThatWasThereBeforeTheHorizonWasToldTakesTheSourcesOwn() throws Exception {
        OperatorSubtaskState snapshot;
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(null)) {
            snapshot = harness.snapshot(1, 1);
        }
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(snapshot)) {
            harness.processWatermark(knownFrom(9_000));
            harness.processWatermark(knownFrom(1_000));
            harness.processWatermark(new Watermark(9_500));
            assertEquals(List.of(1_000L, 8_999L), through(harness, 999, 1_000, 8_999));
        }
    }

    @Test
    void aBackfillWritesWhatBecameTrueInItsRange() throws Exception {
        try (OneInputStreamOperatorTestHarness<Row, Row> harness = harness(null, 1_100, 1_200)) {
            harness.processWatermark(knownFrom(0));
            assertEquals(List.of(1_001L, 1_100L), through(harness, 1_000, 1_001, 1_100, 1_101));
        }
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
