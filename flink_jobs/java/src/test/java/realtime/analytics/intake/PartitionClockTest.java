package realtime.analytics.intake;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.Map;
import org.junit.jupiter.api.Test;

class PartitionClockTest {
    private static final long DELAY = 5_000;

    private static Intake record(long time) {
        return record(time, Long.MAX_VALUE);
    }

    private static Intake record(long time, long arrival) {
        Intake record = new Intake("s", "p", "1", arrival, new byte[0]);
        record.eventTime = time;
        return record;
    }

    private static Intake bad() {
        Intake record = record(999_999_999);
        record.reject(Reason.FUTURE, "in the future");
        return record;
    }

    private static Intake judged(PartitionClock clock, Intake record) {
        clock.extractTimestamp(record, Long.MIN_VALUE);
        return record;
    }

    @Test
    void lateIsExactlyTheDelayBehindTheLargest() {
        PartitionClock clock = new PartitionClock(DELAY);
        assertNull(judged(clock, record(100_000)).reason);
        assertNull(judged(clock, record(95_001)).reason);
        assertEquals(Reason.LATE, judged(clock, record(95_000)).reason);
        assertNull(judged(clock, record(100_001)).reason);
        assertEquals(Reason.LATE, judged(clock, record(95_001)).reason);
        assertNull(judged(clock, record(95_002)).reason);
    }

    @Test
    void theWatermarkIsWhatMakesARecordLate() {
        PartitionClock clock = new PartitionClock(DELAY);
        assertNull(clock.getCurrentWatermark());
        judged(clock, record(100_000));
        assertEquals(95_000, clock.getCurrentWatermark().getTimestamp());
        judged(clock, record(97_000));
        assertEquals(95_000, clock.getCurrentWatermark().getTimestamp());
    }

    @Test
    void rejectedRecordsDoNotMoveTheClock() {
        PartitionClock clock = new PartitionClock(DELAY);
        judged(clock, bad());
        assertNull(clock.getCurrentWatermark());
        judged(clock, record(100_000));
        Intake late = judged(clock, record(1));
        Intake future = judged(clock, bad());
        assertEquals(Reason.LATE, late.reason);
        assertEquals(Reason.FUTURE, future.reason);
        assertEquals(95_000, clock.getCurrentWatermark().getTimestamp());
        assertEquals(100_000, late.clock);
        assertEquals(100_000, future.clock);
    }

    @Test
    void timestampsAreTheEventsOwnAndTheClocksForTheRejected() {
        PartitionClock clock = new PartitionClock(DELAY);
        assertEquals(100_000, clock.extractTimestamp(record(100_000), 7));
        assertEquals(96_000, clock.extractTimestamp(record(96_000), 7));
        assertEquals(100_000, clock.extractTimestamp(record(1), 7));
        assertEquals(100_000, clock.extractTimestamp(bad(), 7));
    }

    @Test
    void theFirstRecordIsNeverLate() {
        assertNull(judged(new PartitionClock(DELAY), record(0)).reason);
        assertNull(judged(new PartitionClock(0), record(0)).reason);
    }

    @Test
    void aRestoredClockJudgesAsIfItHadNeverStopped() {
        PartitionClock clock = new PartitionClock(DELAY, Map.of("p", 100_000L, "other", 500_000L));
        assertNull(clock.getCurrentWatermark(), "a watermark before the first record says nothing");
        assertEquals(Reason.LATE, judged(clock, record(95_000)).reason);
        assertNull(judged(clock, record(95_001)).reason);
        assertEquals(95_000, clock.getCurrentWatermark().getTimestamp());
    }

    @Test
    void aRestoredClockOfAnotherPartitionIsNotUsed() {
        assertNull(judged(new PartitionClock(DELAY, Map.of("other", 500_000L)), record(1)).reason);
    }

    @Test
    void aChildGoesOnFromTheNewestOfItsParents() {
        PartitionClock clock = new PartitionClock(DELAY);
        clock.inherit("p", 100_000);
        clock.inherit("p", 90_000);
        assertEquals(Reason.LATE, judged(clock, record(95_000)).reason);
        assertNull(judged(clock, record(95_001)).reason);
    }

    @Test
    void aKnownVerdictIsFollowedNotJudged() {
        PartitionClock clock = new PartitionClock(DELAY);
        assertEquals(100_000, clock.follow(record(100_000)));
        assertEquals(1, clock.follow(record(1)), "accepted live, so it stays");
        assertEquals(100_000, clock.follow(bad()));
        assertEquals(95_000, clock.getCurrentWatermark().getTimestamp());
    }

    @Test
    void anEventAheadOfItsArrivalMovesTheClockToItsArrivalOnly() {
        PartitionClock clock = new PartitionClock(DELAY);
        assertEquals(160_000, clock.extractTimestamp(record(160_000, 100_000), 7), "the event keeps its own time");
        assertEquals(95_000, clock.getCurrentWatermark().getTimestamp());
        assertNull(judged(clock, record(95_001, 100_200)).reason);
        assertEquals(100_000, clock.follow(record(400_000, 99_000)) - 300_000);
        assertEquals(95_000, clock.getCurrentWatermark().getTimestamp());
    }
}
