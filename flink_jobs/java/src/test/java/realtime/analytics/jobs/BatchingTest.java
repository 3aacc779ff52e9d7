package realtime.analytics.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Batches of times, keyed by event_type, in slots of 10 ms. */
class BatchingTest {
    private static final class Times implements Batching.Rule<String, List<Long>> {
        private static final long serialVersionUID = 1L;

        @Override
        public String key(Row event) {
            return (String) event.getField(2);
        }

        @Override
        public List<Long> begin() {
            return new ArrayList<>();
        }

        @Override
        public boolean add(List<Long> batch, Row event, long time) {
            batch.add(time);
            return batch.size() == Batching.MAX_BATCH;
        }
    }

    private OneInputStreamOperatorTestHarness<Row, Tuple3<String, Long, List<Long>>> operator;

    @BeforeEach
    void open() throws Exception {
        operator = new OneInputStreamOperatorTestHarness<>(new Batching<>(new Times(), 10));
        TypeInformation<Tuple3<String, Long, List<Long>>> type =
                Types.TUPLE(Types.STRING, Types.LONG, Types.LIST(Types.LONG));
        operator.setup(type.createSerializer(new SerializerConfigImpl()));
        operator.open();
    }

    @AfterEach
    void close() throws Exception {
        operator.close();
    }

    private void event(String type, long time) throws Exception {
        operator.processElement(new StreamRecord<>(Replay.Input.event(time, 1, type, 1.0, "s").event, time));
    }

    private void watermark(long time) throws Exception {
        operator.processWatermark(new Watermark(time));
    }

    /** What has come out since the last call: batches as text in the order of their keys, watermarks as numbers. */
    @SuppressWarnings("unchecked") // the harness hands over what came as objects
    private List<Object> out() {
        List<Object> out = new ArrayList<>();
        TreeMap<String, Long> batches = new TreeMap<>();
        for (Object each = operator.getOutput().poll(); each != null; each = operator.getOutput().poll()) {
            if (each instanceof Watermark) {
                out.addAll(batches.keySet());
                batches.clear();
                out.add(((Watermark) each).getTimestamp());
            } else {
                StreamRecord<Tuple3<String, Long, List<Long>>> record =
                        (StreamRecord<Tuple3<String, Long, List<Long>>>) each;
                batches.put(record.getValue() + "@" + record.getTimestamp(), 1L);
            }
        }
        out.addAll(batches.keySet());
        return out;
    }

    @Test
    void aSlotComesOutWhenTheWatermarkHasPassedItAndNotBefore() throws Exception {
        event("a", 12);
        event("b", 19);
        event("a", 10);
        event("a", 20);
        watermark(18);
        assertEquals(List.of(9L), out());
        watermark(19);
        assertEquals(List.of("(a,10,[12, 10])@19", "(b,10,[19])@19", 19L), out());
        watermark(28);
        assertEquals(List.of(), out());
        watermark(1_005);
        assertEquals(List.of("(a,20,[20])@29", 999L), out());
    }

    @Test
    void nothingIsHeldWhenACheckpointBegins() throws Exception {
        event("a", 12);
        event("a", 25);
        operator.prepareSnapshotPreBarrier(1);
        assertEquals(List.of("(a,10,[12])@19", "(a,20,[25])@29"), out());
        event("a", 13);
        watermark(19);
        assertEquals(List.of("(a,10,[13])@19", 19L), out());
    }

    @Test
    void theEndLetsEverythingOut() throws Exception {
        event("a", 12);
        watermark(Long.MAX_VALUE);
        assertEquals(List.of("(a,10,[12])@19", Long.MAX_VALUE), out());
        event("a", 13);
        operator.getOneInputOperator().finish();
        assertEquals(List.of("(a,10,[13])@19"), out());
    }

    @Test
    void aWatermarkBeforeTheFirstSlotIsOverTellsNothing() throws Exception {
        watermark(Long.MIN_VALUE);
        watermark(-5_000);
        watermark(8);
        assertEquals(List.of(), out());
        watermark(9);
        assertEquals(List.of(9L), out());
    }

    @Test
    void noSlotStraddlesTheEndOfAPeriod() {
        assertEquals(10_000, Batching.slotOf(10_000));
        assertEquals(7_000, Batching.slotOf(7_000));
        assertEquals(60_000, Batching.slotOf(300_000));
        assertEquals(30_000, Batching.slotOf(90_000));
        assertEquals(1, Batching.slotOf(60_001));
    }

    @Test
    void aFullBatchLeavesAndSkippedEventsAreNotHeld() throws Exception {
        for (int i = 0; i <= Batching.MAX_BATCH; i++) {
            event("a", 15);
            event(null, 15);
        }
        assertEquals(1, operator.getOutput().size());
        out();
        watermark(19);
        assertEquals(List.of("(a,10,[15])@19", 19L), out());
    }

    @Test
    void noMoreEventsAreHeldThanFitInMemory() throws Exception {
        Random random = new Random(1);
        long in = 0;
        long seen = 0;
        for (int i = 0; i < 120_000; i++) {
            event("type-" + random.nextInt(100_000), random.nextInt(1_000_000));
            in++;
            for (Object each = operator.getOutput().poll(); each != null; each = operator.getOutput().poll()) {
                seen += ((List<?>) ((Tuple3<?, ?, ?>) ((StreamRecord<?>) each).getValue()).f2).size();
            }
            assertEquals(in - in % 50_000, seen);
        }
    }
}
