package realtime.analytics.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.streaming.api.functions.source.SourceFunction.SourceContext;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.junit.jupiter.api.Test;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.PartitionClock;
import realtime.analytics.intake.Reason;

class PartitionLogTest {
    /** What left the source, in order: records and watermarks. */
    private static final class Output implements SourceContext<Intake> {
        final List<Object> left = new ArrayList<>();
        private final Object lock = new Object();

        @Override
        public void collect(Intake record) {
            throw new AssertionError("without a timestamp");
        }

        @Override
        public void collectWithTimestamp(Intake record, long timestamp) {
            assertTrue(Thread.holdsLock(lock), "a checkpoint must not come between a record and its clock");
            left.add(record);
        }

        @Override
        public void emitWatermark(Watermark mark) {
            left.add(mark);
        }

        @Override
        public void markAsTemporarilyIdle() {
            left.add("idle");
        }

        @Override
        public Object getCheckpointLock() {
            return lock;
        }

        @Override
        public void close() {}
    }

    private final Output output = new Output();
    private final PartitionLog log =
            new PartitionLog(output, Map.of("restored", new PartitionLog.Partition(42)), Long.MIN_VALUE);
    private final PartitionClock fast = new PartitionClock(5_000);
    private final PartitionClock idle = new PartitionClock(5_000);

    private Intake record(String partition, long time) {
        Intake record = new Intake("s", partition, "1", Long.MAX_VALUE, new byte[0]);
        record.eventTime = time;
        return record;
    }

    private Intake sent(PartitionClock clock, Intake record) {
        log.collectWithTimestamp(record, clock.extractTimestamp(record, Long.MIN_VALUE));
        return record;
    }

    private Map<String, Long> clocks() {
        Map<String, Long> clocks = new HashMap<>();
        log.partitions().forEach((name, partition) -> clocks.put(name, partition.clock));
        return clocks;
    }

    private boolean hasDelivered(String partition) {
        return log.partition(partition).delivered;
    }

    @Test
    void whatIsAtOrBelowTheWatermarkThatLeftIsLateAfterIdle() {
        sent(idle, record("idle", 10_000));
        sent(fast, record("fast", 100_000));
        log.emitWatermark(new Watermark(95_000));
        assertEquals(Reason.LATE_AFTER_IDLE, sent(idle, record("idle", 20_000)).reason);
        assertEquals(Reason.LATE_AFTER_IDLE, sent(idle, record("idle", 95_000)).reason);
        assertNull(sent(idle, record("idle", 95_001)).reason);
        assertEquals(6, output.left.size(), "rejected records leave, too");
    }

    @Test
    void aWatermarkThatFallsBackChangesNothing() {
        log.emitWatermark(new Watermark(95_000));
        log.emitWatermark(new Watermark(1));
        assertEquals(Reason.LATE_AFTER_IDLE, sent(fast, record("fast", 95_000)).reason);
    }

    @Test
    void theClocksAreThoseOfWhatLeft() {
        assertEquals(Map.of("restored", 42L), clocks());
        Intake judgedOnly = record("fast", 100_000);
        fast.extractTimestamp(judgedOnly, Long.MIN_VALUE);
        assertEquals(Map.of("restored", 42L), clocks(), "judged, but not yet left");
        log.collectWithTimestamp(judgedOnly, 100_000);
        sent(fast, record("fast", 99_000));
        sent(fast, record("fast", 1));
        assertEquals(Map.of("restored", 42L, "fast", 100_000L), clocks());
    }

    @Test
    void onlyAcceptedRecordsCountAsDelivered() {
        Intake bad = record("fast", 0);
        bad.reject(Reason.MALFORMED, "bad");
        sent(fast, bad);
        assertFalse(hasDelivered("fast"));
        assertFalse(hasDelivered("restored"));
        sent(fast, record("fast", 1));
        assertTrue(hasDelivered("fast"));
    }

    @Test
    void aRejectedRecordMovesNoClock() {
        Intake bad = record("fast", 0);
        bad.reject(Reason.MALFORMED, "bad");
        sent(fast, bad);
        assertEquals(Map.of("restored", 42L, "fast", PartitionLog.NONE), clocks());
    }

    @Test
    void aLateRecordAfterARestoreDoesNotReopenWhatHadClosed() {
        PartitionLog restored = new PartitionLog(output, Map.of(), 95_000);
        Intake late = record("fast", 95_000);
        restored.collectWithTimestamp(late, fast.extractTimestamp(late, Long.MIN_VALUE));
        assertEquals(Reason.LATE_AFTER_IDLE, late.reason);
        assertEquals(95_000, restored.watermark());
    }

    @Test
    void theSourceIsNeverIdle() {
        log.markAsTemporarilyIdle();
        assertEquals(List.of(), output.left);
    }

    @Test
    void partitionsThatTheStreamNoLongerListsAreForgotten() {
        sent(fast, record("fast", 1));
        log.retain("fast"::equals);
        assertEquals(Map.of("fast", 1L), clocks());
    }
}
