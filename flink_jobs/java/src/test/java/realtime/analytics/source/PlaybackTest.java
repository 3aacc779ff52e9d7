package realtime.analytics.source;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import realtime.analytics.intake.EventContract;
import realtime.analytics.intake.EventDecoder;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.PartitionClock;
import realtime.analytics.intake.OwnFields;
import realtime.analytics.intake.Tolerance;
import realtime.analytics.intake.Reason;

/** Partitions of unequal backlog, merged by event time. */
class PlaybackTest {
    private static final long DELAY = 5;

    private static final class Records implements PartitionReader {
        private final Iterator<Intake> records;
        private long given;

        Records(String partition, Object... times) {
            List<Intake> made = new ArrayList<>();
            for (Object time : times) {
                String payload = "{\"event_time\":" + time + ",\"user_id\":1,\"event_type\":\"view\"}";
                made.add(new Intake("s", partition, "" + made.size(), 1_000, payload.getBytes(StandardCharsets.UTF_8)));
            }
            records = made.iterator();
        }

        Records(Intake only) {
            records = List.of(only).iterator();
        }

        @Override
        public Intake next() {
            if (!records.hasNext()) {
                return null;
            }
            given++;
            return records.next();
        }

        @Override
        public void skip(long count) {
            while (given < count) {
                next();
            }
        }

        @Override
        public long given() {
            return given;
        }

        @Override
        public void close() {}
    }

    private static Playback of(Map<String, Long> skip, PartitionReader a, PartitionReader b) throws IOException {
        Map<String, PartitionReader> readers = new LinkedHashMap<>();
        readers.put("a", a);
        readers.put("b", b);
        EventDecoder decoder = new EventDecoder(new EventContract(new Tolerance(0, 0), new OwnFields("")));
        return new Playback(readers, skip, partition -> new PartitionClock(DELAY), decoder, DELAY);
    }

    /** Partition and position of every record, and the watermark before it. */
    private static List<String> played(Playback playback) throws IOException {
        List<String> seen = new ArrayList<>();
        while (playback.peek() != null) {
            Intake record = playback.peek();
            String mark = playback.watermark() == Long.MIN_VALUE ? "-" : "" + playback.watermark();
            playback.clock().extractTimestamp(record, Long.MIN_VALUE);
            seen.add(record.partition + record.position + (record.accepted() ? "" : " " + record.reason.code) + " " + mark);
            playback.advance();
        }
        return seen;
    }

    @Test
    void theSlowestPartitionComesNextAndItsClockIsTheWatermark() throws IOException {
        Playback playback = of(Map.of(), new Records("a", 10, 20, 100, 30), new Records("b", 15, 40, 90));
        assertEquals(
                List.of("a0 5", "a1 5", "b0 10", "b1 10", "a2 15", "b2 35", "a3 late 95"), played(playback));
        assertEquals(Long.MAX_VALUE, playback.watermark());
        assertEquals(Map.of("a", 4L, "b", 3L), playback.taken());
    }

    @Test
    void whatIsNoEventComesFirstAndNothingIsKnownOfTheTimeBefore() throws IOException {
        Playback playback = of(Map.of(), new Records("a", "\"soon\"", 20), new Records("b", 10));
        assertEquals("a", playback.peek().partition);
        assertEquals(Long.MIN_VALUE, playback.watermark());
        assertEquals(List.of("a0 invalid_time -", "b0 5", "a1 15"), played(playback));
    }

    @Test
    void itGoesOnWhereItWasInterrupted() throws IOException {
        Playback playback = of(Map.of("a", 2L), new Records("a", 10, 20, 30), new Records("b", 15));
        assertEquals(List.of("b0 10", "a2 25"), played(playback));
        assertEquals(Map.of("a", 3L, "b", 1L), playback.taken());
    }

    @Test
    void itTellsWhichPartitionsHaveRecordsLeftAndHowManyWereTaken() throws IOException {
        Playback playback = of(Map.of(), new Records("a", 20, 100), new Records("b", 15));
        assertEquals(Set.of("a", "b"), playback.left());
        for (int record = 0; record < 2; record++) {
            playback.clock().extractTimestamp(playback.peek(), Long.MIN_VALUE);
            playback.advance();
        }
        assertEquals(Set.of("a"), playback.left());
        assertEquals(Map.of("a", 1L, "b", 1L), playback.taken());
    }

    @Test
    void whatIsRejectedAlreadyIsNotDecoded() throws IOException {
        Intake broken = new Intake("s", "a", "0", 0, "{\"event_time\":1,\"user_id\":1,\"event_type\":\"v\"}".getBytes());
        broken.reject(Reason.MALFORMED, "not a line");
        Playback playback = of(Map.of(), new Records(broken), new Records("b", 15));
        assertEquals("not a line", playback.peek().detail);
        assertEquals(List.of("a0 malformed -", "b0 10"), played(playback));
    }

    @Test
    void theLastToBeginIsKnownBeforeTheFirstEvent() throws IOException {
        assertEquals(40, of(Map.of(), new Records("a", 10, 99), new Records("b", 40)).lastToBegin());
    }

    @Test
    void theRestOfAPartitionCanBeLeftOut() throws IOException {
        Playback playback = of(Map.of(), new Records("a", 10, 20), new Records("b", 15));
        playback.drop();
        assertEquals(List.of("b0 10"), played(playback));
    }
}
