package realtime.analytics.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Set;
import org.apache.flink.streaming.api.functions.source.SourceFunction.SourceContext;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.junit.jupiter.api.Test;
import realtime.analytics.intake.EventContract;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.OwnFields;
import realtime.analytics.intake.Tolerance;
import realtime.analytics.source.PartitionLog.Partition;

/** Who holds the watermark while nothing of it is read. The timeouts are none, or never over. */
class SilenceTest {
    private static final long DELAY = 5;
    private static final long NEVER = 3_600_000;
    private static final long NONE = Long.MIN_VALUE;
    private static final Set<String> NOBODY = Set.of();

    private static final class Nowhere implements SourceContext<Intake> {
        @Override
        public void collect(Intake record) {}

        @Override
        public void collectWithTimestamp(Intake record, long timestamp) {}

        @Override
        public void emitWatermark(Watermark mark) {}

        @Override
        public void markAsTemporarilyIdle() {}

        @Override
        public Object getCheckpointLock() {
            return this;
        }

        @Override
        public void close() {}
    }

    private static PartitionLog log(long watermark, Object... newest) {
        PartitionLog log = new PartitionLog(new Nowhere(), Map.of(), watermark);
        for (int index = 0; index < newest.length; index += 2) {
            log.partition((String) newest[index]).clock = (Long) newest[index + 1];
        }
        return log;
    }

    private static Silence silence(PartitionLog log, long startGrace, long idleTimeout) {
        EventContract contract = new EventContract(new Tolerance(0, 0), new OwnFields(""));
        return new Silence(log, new SourceTimes(DELAY, startGrace, idleTimeout, 0, contract));
    }

    /** After each of the partitions has had an event in this run. */
    private static Silence delivered(PartitionLog log, long idleTimeout) {
        Silence silence = silence(log, 0, idleTimeout);
        for (Partition each : log.partitions().values()) {
            each.delivered = true;
            each.acceptedAt = System.nanoTime();
        }
        return silence;
    }

    @Test
    void thatOneIsReadToItsEndDoesNotLetTimeGoOn() {
        Silence silence = delivered(log(NONE, "a", 100L, "b", 50L), NEVER);
        assertEquals(45, silence.watermark(Set.of("a")));
        assertEquals(95, silence.watermark(Set.of("b")));
        assertEquals(45, silence.watermark(NOBODY));
        assertEquals(Long.MAX_VALUE, silence.watermark(Set.of("a", "b")));
    }

    @Test
    void oneIsIdleWhenAListingAfterItsTimeoutHasNoFileOfIt() {
        Silence silence = delivered(log(NONE, "a", 100L, "b", 50L), 0);
        assertEquals(45, silence.watermark(Set.of("a")));
        assertTrue(silence.asksForListing(Set.of("a")));
        silence.listed(System.nanoTime(), Set.of("b"));
        assertFalse(silence.asksForListing(Set.of("a")));
        assertEquals(45, silence.watermark(Set.of("a")));
        silence.listed(System.nanoTime(), NOBODY);
        assertEquals(Long.MAX_VALUE, silence.watermark(Set.of("a")));
        // Nobody holds it and nothing is read: where the foremost stopped.
        assertEquals(95, silence.watermark(NOBODY));
    }

    @Test
    void noListingIsAskedForBeforeATimeoutOrOfWhatIsRead() {
        assertFalse(delivered(log(NONE, "a", 100L), NEVER).asksForListing(NOBODY));
        assertFalse(delivered(log(NONE, "a", 100L), 0).asksForListing(Set.of("a")));
    }

    @Test
    void afterARestoreTheActiveAreWaitedForAndThoseThatWereIdleAreNot() {
        Silence silence = silence(log(80, "active", 85L, "idle", 84L), 0, NEVER);
        assertEquals(80, silence.watermark(NOBODY));
        assertEquals(80, silence.watermark(Set.of("idle")));
        assertEquals(Long.MAX_VALUE, silence.watermark(Set.of("active")));
    }

    @Test
    void oneThatHasNotHadAnEventHoldsEverybodyForTheStartGrace() {
        assertEquals(NONE, silence(log(NONE, "a", 100L, "new", NONE), NEVER, 0).watermark(Set.of("a")));
        assertEquals(Long.MAX_VALUE, silence(log(NONE, "a", 100L, "new", NONE), 0, 0).watermark(Set.of("a")));
        assertFalse(silence(log(NONE), NEVER, 0).graceIsOver());
        assertTrue(silence(log(NONE), 0, 0).graceIsOver());
    }
}
