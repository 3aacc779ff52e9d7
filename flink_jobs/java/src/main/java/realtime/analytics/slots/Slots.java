package realtime.analytics.slots;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamUtils;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.types.Row;

/**
 * Tells the Python jobs of a lane what to do (flink_jobs/engine/host.py is the other side): all events of a slot of event
 * time, once the watermark has passed it and in order of slots; ahead of a checkpoint's barrier, to write each group's
 * state; at a start, to read it. So a job needs no timer, no buffer and no watermark.
 *
 * <p>Parts ahead of the watermark are on the heap, bounded by how far a partition may be read ahead (time.look_ahead);
 * only those that came or went since the last checkpoint are written into state.
 *
 * <pre>
 * message   byte kind, long start, long end, int parts; each int group, int length, {@link EventColumns}
 * </pre>
 *
 * The operator and the Python function must be one task ({@link Chain}): then the last message ahead of a barrier is
 * worked off before the function's own snapshot.
 */
public final class Slots extends AbstractStreamOperator<Row>
        implements OneInputStreamOperator<Tuple4<Long, Long, Long, byte[]>, Row> {
    private static final long serialVersionUID = 1L;

    private static final byte SLOT = 0;
    private static final byte WRITE = 1;
    private static final byte READ = 2;

    private static final TypeInformation<Row> KEY = Types.ROW(Types.LONG);
    /** Group and message, as PyFlink's keyed functions take it. */
    private static final TypeInformation<Row> MESSAGE =
            Types.ROW(Types.LONG, PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO);

    /** By start; of one start in the order of their coming. */
    private transient TreeMap<Long, List<Held>> ahead;
    /** Stored parts that have been handed over since the last checkpoint. */
    private transient List<Held> gone;

    private transient TreeSet<Long> groups;
    /** No event before it follows. */
    private transient long passed;

    private transient long nextNumber;
    /** (start, end, number) to columns, per group. */
    private transient MapState<Tuple3<Long, Long, Long>, byte[]> stored;

    private static final class Held {
        final long group;
        final long number;
        final long start;
        final long end;
        final byte[] columns;
        boolean isStored;

        Held(long group, long number, long start, long end, byte[] columns, boolean isStored) {
            this.group = group;
            this.number = number;
            this.start = start;
            this.end = end;
            this.columns = columns;
            this.isStored = isStored;
        }

        Tuple3<Long, Long, Long> key() {
            return Tuple3.of(start, end, number);
        }
    }

    Slots() {
        this.chainingStrategy = ChainingStrategy.ALWAYS;
    }

    /** Messages for the Python function that is to be attached, keyed by group. */
    public static KeyedStream<Row, Row> attach(DataStream<Row> events, Lane lane) {
        DataStream<Row> messages =
                Pack.attach(events, lane)
                        .keyBy(new ByFirstField<Tuple4<Long, Long, Long, byte[]>>(), KEY)
                        .transform(lane.name + " slots", MESSAGE, new Slots())
                        .uid(lane.name + "-slots");
        return DataStreamUtils.reinterpretAsKeyedStream(messages, new ByFirstField<Row>(), KEY);
    }

    private static final class ByFirstField<T> implements KeySelector<T, Row> {
        private static final long serialVersionUID = 1L;

        @Override
        public Row getKey(T value) {
            return Row.of(value instanceof Row ? ((Row) value).getField(0) : ((Tuple4<?, ?, ?, ?>) value).f0);
        }
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        ahead = new TreeMap<>();
        gone = new ArrayList<>();
        groups = new TreeSet<>();
        passed = 0;
        stored =
                context.getKeyedStateStore()
                        .getMapState(
                                new MapStateDescriptor<>(
                                        "ahead",
                                        Types.TUPLE(Types.LONG, Types.LONG, Types.LONG),
                                        PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO));
    }

    @Override
    public void processElement(StreamRecord<Tuple4<Long, Long, Long, byte[]>> element) throws Exception {
        Tuple4<Long, Long, Long, byte[]> part = element.getValue();
        if (groups.add(part.f0)) {
            restore(part.f0);
        }
        if (!Part.isWake(part)) {
            hold(new Held(part.f0, nextNumber++, part.f1, part.f2, part.f3, false));
        }
    }

    private void restore(long group) throws Exception {
        setCurrentKey(Row.of(group));
        for (Map.Entry<Tuple3<Long, Long, Long>, byte[]> each : stored.entries()) {
            Tuple3<Long, Long, Long> key = each.getKey();
            hold(new Held(group, key.f2, key.f0, key.f1, each.getValue(), true));
            nextNumber = Math.max(nextNumber, key.f2 + 1);
        }
        emit(READ, 0, 0, group, List.of());
    }

    private void hold(Held part) {
        ahead.computeIfAbsent(part.start, ignored -> new ArrayList<>()).add(part);
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        // A subtask may have no group: there are as many as 64, and it has no state then.
        if (groups.isEmpty()) {
            super.processWatermark(mark);
            return;
        }
        long complete = mark.getTimestamp() == Long.MAX_VALUE ? Long.MAX_VALUE : mark.getTimestamp() + 1;
        long told = passed;
        for (long end = endOfFirst(); !ahead.isEmpty() && end <= complete; end = endOfFirst()) {
            handOver(end);
            told = end;
        }
        // One that has begun waits, and time with it: other subtasks may have cut it into shorter ones.
        long until = ahead.isEmpty() ? complete : Math.min(complete, ahead.firstKey());
        if (told < until) {
            emit(SLOT, until, until, groups.first(), List.of());
        }
        if (passed < until) {
            passed = until;
            super.processWatermark(until == complete ? mark : new Watermark(until - 1));
        }
    }

    /** The end of the first slot, and of those that it overlaps, as when subtasks cut time by different rates. */
    private long endOfFirst() {
        long end = Long.MIN_VALUE;
        for (Map.Entry<Long, List<Held>> each : ahead.entrySet()) {
            if (end != Long.MIN_VALUE && each.getKey() >= end) {
                break;
            }
            for (Held part : each.getValue()) {
                end = Math.max(end, part.end);
            }
        }
        return end;
    }

    /** The first slot and those that it overlaps, which end at {@code end}, as one. */
    private void handOver(long end) throws Exception {
        long start = ahead.firstKey();
        List<Held> parts = new ArrayList<>();
        while (!ahead.isEmpty() && ahead.firstKey() < end) {
            for (Held part : ahead.pollFirstEntry().getValue()) {
                parts.add(part);
                if (part.isStored) {
                    gone.add(part);
                }
            }
        }
        emit(SLOT, start, end, groups.first(), parts);
    }

    @Override
    public void prepareSnapshotPreBarrier(long checkpointId) {
        for (long group : groups) {
            emit(WRITE, 0, 0, group, List.of());
        }
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        for (Held part : gone) {
            setCurrentKey(Row.of(part.group));
            stored.remove(part.key());
        }
        gone.clear();
        for (List<Held> parts : ahead.values()) {
            for (Held part : parts) {
                if (!part.isStored) {
                    setCurrentKey(Row.of(part.group));
                    stored.put(part.key(), part.columns);
                    part.isStored = true;
                }
            }
        }
    }

    private void emit(byte kind, long start, long end, long group, List<Held> parts) {
        int length = 1 + 2 * Long.BYTES + Integer.BYTES;
        for (Held part : parts) {
            length += 2 * Integer.BYTES + part.columns.length;
        }
        ByteBuffer out = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        out.put(kind).putLong(start).putLong(end).putInt(parts.size());
        for (Held part : parts) {
            out.putInt((int) part.group).putInt(part.columns.length).put(part.columns);
        }
        output.collect(new StreamRecord<>(Row.of(group, out.array()), Math.max(0, end - 1)));
    }
}
