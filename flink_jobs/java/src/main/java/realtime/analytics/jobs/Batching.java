package realtime.analytics.jobs;

import java.io.Serializable;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.transformations.UnionTransformation;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.types.Row;

/**
 * Ahead of a keyed exchange: collects a key's events of one slot of event time on the heap until the watermark has
 * passed the slot, and hands them on as one batch. So what costs per record behind it (serializing, network, state,
 * timers, and for a Python function the way to its worker) is paid once a batch.
 *
 * <p>Nothing of it shows in a result: a slot may come in several batches, in any order, from several subtasks. It holds
 * the watermark back to the end of the last whole slot, so that no batch is late; the jobs behind it act at the ends of
 * slots. It has no state: everything leaves before a checkpoint's barrier, and after {@link #MAX_EVENTS}, as when one
 * shard runs far ahead.
 *
 * <p>Out: key, slot start, and what was collected.
 *
 * @param <K> the key
 * @param <C> a collection of events, or a sum of them
 */
final class Batching<K, C> extends AbstractStreamOperator<Tuple3<K, Long, C>>
        implements OneInputStreamOperator<Row, Tuple3<K, Long, C>> {
    private static final long serialVersionUID = 1L;

    /** No job's watermark stays further behind the source's than this; it is also the latency that a batch may cost. */
    static final long MAX_SLOT_MILLIS = 60_000;

    /** Events an operator takes before it hands on what it holds, whatever the watermark; some 10 MB. */
    private static final int MAX_EVENTS = 50_000;

    /** Events a batch holds at most, so that no record is huge. */
    static final int MAX_BATCH = 256;

    /** What a job collects. */
    interface Rule<K, C> extends Serializable {
        /** The key, null for an event that the job skips. */
        K key(Row event);

        /** An empty collection. */
        C begin();

        /** Adds the event; true when the batch is full. */
        boolean add(C batch, Row event, long time);
    }

    private final Rule<K, C> rule;
    private final long slotMillis;
    /** By start. */
    private transient TreeMap<Long, Slot<K, C>> slots;
    /** Events in all slots. */
    private transient int held;
    /** The watermark that has been passed on. */
    private transient long passed;

    private static final class Slot<K, C> {
        final Map<K, C> batches = new HashMap<>();
        int events;
    }

    Batching(Rule<K, C> rule, long slotMillis) {
        this.rule = rule;
        this.slotMillis = slotMillis;
        this.chainingStrategy = ChainingStrategy.ALWAYS;
    }

    /**
     * The events as batches. A union has no operator of its own: each of its parts is batched by itself, chained to
     * what decodes it, so that no event is serialized on its way.
     */
    static <K, C> DataStream<Tuple3<K, Long, C>> attach(
            DataStream<Row> events,
            String job,
            Rule<K, C> rule,
            long slotMillis,
            TypeInformation<K> key,
            TypeInformation<C> content) {
        TypeInformation<Tuple3<K, Long, C>> type = Types.TUPLE(key, Types.LONG, content);
        DataStream<Tuple3<K, Long, C>> batches = null;
        for (DataStream<Row> part : parts(events)) {
            DataStream<Tuple3<K, Long, C>> next =
                    part.transform(job + " batches", type, new Batching<>(rule, slotMillis))
                            .uid(job + "-batches-of-" + part.getTransformation().getUid());
            batches = batches == null ? next : batches.union(next);
        }
        return batches;
    }

    /** The longest slot of which the period is a multiple. */
    static long slotOf(long periodMillis) {
        return periodMillis <= MAX_SLOT_MILLIS
                ? periodMillis
                : BigInteger.valueOf(periodMillis).gcd(BigInteger.valueOf(MAX_SLOT_MILLIS)).longValue();
    }

    /** The streams that {@code events} unites, or itself. */
    static List<DataStream<Row>> parts(DataStream<Row> events) {
        List<DataStream<Row>> parts = new ArrayList<>();
        if (events.getTransformation() instanceof UnionTransformation) {
            for (Transformation<?> part : events.getTransformation().getInputs()) {
                @SuppressWarnings("unchecked") // a union of rows unites rows
                Transformation<Row> rows = (Transformation<Row>) part;
                parts.add(new DataStream<>(events.getExecutionEnvironment(), rows));
            }
        } else {
            parts.add(events);
        }
        return parts;
    }

    @Override
    public void open() throws Exception {
        super.open();
        slots = new TreeMap<>();
        passed = Long.MIN_VALUE;
    }

    @Override
    public void processElement(StreamRecord<Row> element) {
        Row event = element.getValue();
        long time = element.getTimestamp();
        K key = rule.key(event);
        if (key == null) {
            return;
        }
        long start = Math.floorDiv(time, slotMillis) * slotMillis;
        Slot<K, C> slot = slots.get(start);
        if (slot == null) {
            slot = new Slot<>();
            slots.put(start, slot);
        }
        C batch = slot.batches.get(key);
        if (batch == null) {
            batch = rule.begin();
            slot.batches.put(key, batch);
        }
        if (rule.add(batch, event, time)) {
            slot.batches.remove(key);
            emit(start, key, batch);
        }
        slot.events++;
        held++;
        if (held >= MAX_EVENTS) {
            emitAll();
        }
    }

    /** Times are of 1970 and later, so before the first slot is over nothing can be told. */
    @Override
    public void processWatermark(Watermark mark) throws Exception {
        long time = mark.getTimestamp();
        if (time < slotMillis - 1) {
            return;
        }
        boolean end = time == Long.MAX_VALUE;
        long complete = end ? time : time - Math.floorMod(time + 1, slotMillis);
        if (complete <= passed) {
            return;
        }
        passed = complete;
        while (!slots.isEmpty() && slots.firstKey() <= complete) {
            Map.Entry<Long, Slot<K, C>> first = slots.pollFirstEntry();
            held -= first.getValue().events;
            emit(first.getKey(), first.getValue());
        }
        super.processWatermark(end ? mark : new Watermark(complete));
    }

    @Override
    public void prepareSnapshotPreBarrier(long checkpointId) {
        emitAll();
    }

    @Override
    public void finish() throws Exception {
        emitAll();
        super.finish();
    }

    private void emitAll() {
        slots.forEach(this::emit);
        slots.clear();
        held = 0;
    }

    private void emit(long start, Slot<K, C> slot) {
        slot.batches.forEach((key, batch) -> emit(start, key, batch));
    }

    private void emit(long start, K key, C batch) {
        output.collect(new StreamRecord<>(Tuple3.of(key, start, batch), start + slotMillis - 1));
    }
}
