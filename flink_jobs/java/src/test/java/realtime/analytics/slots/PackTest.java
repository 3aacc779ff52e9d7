package realtime.analytics.slots;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Parts of a lane by user_id, in slots of 10 ms. */
class PackTest {
    private OneInputStreamOperatorTestHarness<Row, Tuple4<Long, Long, Long, byte[]>> operator;

    private void open(Lane lane, int subtask) throws Exception {
        operator = new OneInputStreamOperatorTestHarness<>(new Pack(lane), 2, 2, subtask);
        operator.setup(Part.TYPE.createSerializer(new SerializerConfigImpl()));
        operator.open();
    }

    /** A subtask that need not make the groups known. */
    private void open() throws Exception {
        open(Samples.lane(10, false), 1);
    }

    @AfterEach
    void close() throws Exception {
        operator.close();
    }

    private void event(long time, long user) throws Exception {
        operator.processElement(Samples.event(time, user));
    }

    private void watermark(long time) throws Exception {
        operator.processWatermark(new Watermark(time));
    }

    private static boolean isPart(Object each) {
        return each instanceof StreamRecord && !Part.isWake(part(each));
    }

    @SuppressWarnings("unchecked") // the harness hands over what came as objects
    private static Tuple4<Long, Long, Long, byte[]> part(Object each) {
        return ((StreamRecord<Tuple4<Long, Long, Long, byte[]>>) each).getValue();
    }

    /** What has come out since the last call: parts as "start-end times", those of one watermark sorted; watermarks. */
    private List<Object> out() {
        List<Object> out = new ArrayList<>();
        TreeSet<String> parts = new TreeSet<>();
        for (Object each = operator.getOutput().poll(); each != null; each = operator.getOutput().poll()) {
            if (isPart(each)) {
                Tuple4<Long, Long, Long, byte[]> part = part(each);
                assertEquals(part.f2 - 1, ((StreamRecord<?>) each).getTimestamp());
                parts.add(part.f1 + "-" + part.f2 + " " + Samples.times(part.f3));
            } else {
                out.addAll(parts);
                parts.clear();
                out.add(each instanceof Watermark ? ((Watermark) each).getTimestamp() : "wake");
            }
        }
        out.addAll(parts);
        return out;
    }

    @Test
    void aSlotLeavesWhenTheWatermarkHasPassedItAndNotBefore() throws Exception {
        open();
        event(12, 1);
        event(19, 1);
        event(10, 1);
        event(20, 1);
        watermark(18);
        assertEquals(List.of(9L), out());
        watermark(19);
        assertEquals(List.of("10-20 [12, 19, 10]", 19L), out());
        watermark(28);
        assertEquals(List.of(), out());
        watermark(1_005);
        assertEquals(List.of("20-30 [20]", 999L), out());
    }

    @Test
    void aGroupsEventsAreOnePart() throws Exception {
        open();
        TreeSet<Long> groups = new TreeSet<>();
        for (long user = 0; user < 10; user++) {
            event(5, user);
            event(6, user);
            groups.add((long) Groups.of(user));
        }
        watermark(9);
        TreeSet<Long> found = new TreeSet<>();
        int events = 0;
        for (Object each : operator.getOutput()) {
            if (isPart(each)) {
                assertTrue(found.add(part(each).f0), "a group comes once");
                events += Samples.times(part(each).f3).size();
            }
        }
        assertEquals(groups, found);
        assertEquals(20, events);
    }

    @Test
    void everythingLeavesAheadOfABarrier() throws Exception {
        open();
        event(12, 1);
        event(25, 1);
        operator.prepareSnapshotPreBarrier(1);
        assertEquals(List.of("10-20 [12]", "20-30 [25]"), out());
        event(13, 1);
        watermark(19);
        assertEquals(List.of("10-20 [13]", 19L), out());
    }

    @Test
    void theEndLetsEverythingOut() throws Exception {
        open();
        event(12, 1);
        watermark(Long.MAX_VALUE);
        assertEquals(List.of("10-20 [12]", Long.MAX_VALUE), out());
        event(13, 1);
        operator.getOneInputOperator().finish();
        assertEquals(List.of("10-20 [13]"), out());
    }

    @Test
    void aWatermarkBeforeTheFirstSlotIsOverTellsNothing() throws Exception {
        open();
        watermark(Long.MIN_VALUE);
        watermark(-5_000);
        watermark(8);
        assertEquals(List.of(), out());
        watermark(9);
        watermark(9);
        assertEquals(List.of(9L), out());
    }

    @Test
    void oneSubtaskMakesEveryGroupKnownAheadOfAnythingElse() throws Exception {
        open(Samples.lane(10, false), 0);
        watermark(9);
        List<Object> out = out();
        assertEquals(Groups.COUNT + 1, out.size());
        assertEquals("wake", out.get(Groups.COUNT - 1));
        assertEquals(9L, out.get(Groups.COUNT));
        event(12, 1);
        watermark(19);
        assertEquals(List.of("10-20 [12]", 19L), out());
    }

    @Test
    void soItDoesWhenItIsIdle() throws Exception {
        open(Samples.lane(10, false), 0);
        operator.processWatermarkStatus(WatermarkStatus.IDLE);
        assertEquals(Groups.COUNT, operator.extractOutputStreamRecords().size());
        for (StreamRecord<? extends Tuple4<Long, Long, Long, byte[]>> each : operator.extractOutputStreamRecords()) {
            assertTrue(Part.isWake(each.getValue()));
        }
    }

    @Test
    void eventsThatNoJobReadsAreNotHeld() throws Exception {
        open(Samples.lane(10, false, "purchase", "refund"), 1);
        operator.processElement(Samples.event(1, 1L, "view", null));
        operator.processElement(Samples.event(2, 1L, "refund", null));
        operator.processElement(Samples.event(3, 1L, "purchase", null));
        operator.processElement(Samples.event(4, null, "purchase", null));
        watermark(9);
        assertEquals(List.of("0-10 [2, 3]", 9L), out());
    }

    @Test
    void noneIsHeldThatLacksWhatEveryJobNeeds() throws Exception {
        open(Samples.laneOfSessions(), 1);
        operator.processElement(Samples.event(1, 1L, "view", null));
        operator.processElement(Samples.event(2, 1L, "view", "s"));
        watermark(Samples.MINUTE - 1);
        assertEquals(List.of("0-60000 [2]", Samples.MINUTE - 1), out());
    }

    @Test
    void noPartIsHuge() throws Exception {
        open();
        for (int i = 0; i < 5_000; i++) {
            event(15, 1);
        }
        List<StreamRecord<? extends Tuple4<Long, Long, Long, byte[]>>> out = operator.extractOutputStreamRecords();
        assertEquals(1, out.size());
        assertEquals(4_096, Samples.times(out.get(0).getValue().f3).size());
        watermark(19);
        assertEquals(904, Samples.times(operator.extractOutputStreamRecords().get(1).getValue().f3).size());
    }

    @Test
    void noMoreEventsAreHeldThanFitInMemory() throws Exception {
        open();
        Random random = new Random(1);
        int in = 0;
        int seen = 0;
        for (int i = 0; i < 120_000; i++) {
            event(random.nextInt(1_000_000), random.nextInt(1_000));
            in++;
            for (Object each = operator.getOutput().poll(); each != null; each = operator.getOutput().poll()) {
                seen += Samples.times(part(each).f3).size();
            }
            assertEquals(in - in % 50_000, seen);
        }
    }

    /** Where events are many the slots get shorter, and a watermark is told at the end of each. */
    @Test
    void slotsShrinkWithTheRate() throws Exception {
        open(Samples.lane(Samples.MINUTE, true), 1);
        for (int i = 0; i <= Grid.MAX_EVENTS; i++) {
            event(i % 1_000, i);
        }
        watermark(Samples.MINUTE - 1);
        out();
        event(Samples.MINUTE + 1, 1);
        event(Samples.MINUTE + 30_001, 1);
        watermark(Samples.MINUTE + 30_000);
        assertEquals(List.of("60000-90000 [60001]", 89_999L), out());
        watermark(2 * Samples.MINUTE - 1);
        assertEquals(List.of("90000-120000 [90001]", 119_999L), out());
    }
}
