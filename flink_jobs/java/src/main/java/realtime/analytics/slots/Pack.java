package realtime.analytics.slots;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.transformations.UnionTransformation;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.types.Row;
import realtime.analytics.intake.Events;

/**
 * Ahead of the exchange: collects a group's events of one slot of event time on the heap until the watermark has passed
 * the slot, and hands them on as one {@link Part}. So an event is serialized once a lane, in columns.
 *
 * <p>It holds the watermark back to the end of the last whole slot. It has no state: everything leaves before a
 * checkpoint's barrier, and after {@link #MAX_HELD} events, as when one partition runs far ahead. A slot may come in several
 * parts, in any order, from several subtasks.
 *
 * <p>Ahead of anything else, at every start, one subtask makes every group known to whoever holds its state.
 */
final class Pack extends AbstractStreamOperator<Tuple4<Long, Long, Long, byte[]>>
        implements OneInputStreamOperator<Row, Tuple4<Long, Long, Long, byte[]>> {
    private static final long serialVersionUID = 1L;

    /** Events it takes before it hands on what it holds, whatever the watermark; some 10 MB. */
    private static final int MAX_HELD = 50_000;

    /** Events of a part at most, so that no record is huge. */
    private static final int MAX_PART = 4_096;

    private final Lane lane;
    /** By start. */
    private transient TreeMap<Long, Slot> slots;

    private transient Grid grid;
    private transient int held;
    /** End of the last slot that is passed on. */
    private transient long passed;

    private transient boolean told;

    private static final class Slot {
        final long end;
        final EventColumns[] groups = new EventColumns[Groups.COUNT];

        Slot(long end) {
            this.end = end;
        }
    }

    Pack(Lane lane) {
        this.lane = lane;
        this.chainingStrategy = ChainingStrategy.ALWAYS;
    }

    /**
     * The events as parts. A union has no operator of its own: each of its streams is packed by itself, chained to what
     * decodes it, so that no event is serialized on its way.
     */
    static DataStream<Tuple4<Long, Long, Long, byte[]>> attach(DataStream<Row> events, Lane lane) {
        DataStream<Tuple4<Long, Long, Long, byte[]>> parts = null;
        for (DataStream<Row> stream : united(events)) {
            DataStream<Tuple4<Long, Long, Long, byte[]>> next =
                    stream.transform(lane.name + " events", Part.TYPE, new Pack(lane))
                            .uid(lane.name + "-pack-of-" + stream.getTransformation().getUid());
            parts = parts == null ? next : parts.union(next);
        }
        return parts;
    }

    private static List<DataStream<Row>> united(DataStream<Row> events) {
        if (!(events.getTransformation() instanceof UnionTransformation)) {
            return List.of(events);
        }
        List<DataStream<Row>> streams = new ArrayList<>();
        for (Transformation<?> each : events.getTransformation().getInputs()) {
            @SuppressWarnings("unchecked") // a union of rows unites rows
            Transformation<Row> rows = (Transformation<Row>) each;
            streams.add(new DataStream<>(events.getExecutionEnvironment(), rows));
        }
        return streams;
    }

    @Override
    public void open() throws Exception {
        super.open();
        slots = new TreeMap<>();
        grid = new Grid(lane.slotMillis, lane.shrinks);
        passed = Long.MIN_VALUE;
    }

    @Override
    public void processElement(StreamRecord<Row> element) {
        wake();
        Row event = element.getValue();
        if (!isRead(event)) {
            return;
        }
        long time = element.getTimestamp();
        grid.count(time);
        long start = grid.startOf(time);
        Slot slot = slots.get(start);
        if (slot == null) {
            slot = new Slot(start + grid.lengthAt(time));
            slots.put(start, slot);
        }
        int group = Groups.of(event.getField(lane.key));
        EventColumns columns = slot.groups[group];
        if (columns == null) {
            columns = new EventColumns(lane);
            slot.groups[group] = columns;
        }
        columns.add(event);
        held++;
        if (columns.rows() == MAX_PART) {
            slot.groups[group] = null;
            emit(group, start, slot.end, columns);
        }
        if (held >= MAX_HELD) {
            emitAll();
        }
    }

    private boolean isRead(Row event) {
        if (event.getField(lane.key) == null) {
            return false;
        }
        for (int needed : lane.needs) {
            if (event.getField(needed) == null) {
                return false;
            }
        }
        return lane.eventTypes.isEmpty() || lane.eventTypes.contains(Events.eventType(event));
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        wake();
        boolean end = mark.getTimestamp() == Long.MAX_VALUE;
        // Times are of 1970 and later, so before the first slot is over nothing can be told.
        if (mark.getTimestamp() < 0) {
            return;
        }
        long complete = end ? Long.MAX_VALUE : grid.endBefore(mark.getTimestamp() + 1);
        if (complete <= passed || complete <= 0) {
            return;
        }
        passed = complete;
        while (!slots.isEmpty() && slots.firstKey() < complete) {
            emit(slots.pollFirstEntry());
        }
        grid.passed(complete);
        super.processWatermark(end ? mark : new Watermark(complete - 1));
    }

    @Override
    public void processWatermarkStatus(WatermarkStatus status) throws Exception {
        wake();
        super.processWatermarkStatus(status);
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
        while (!slots.isEmpty()) {
            emit(slots.pollFirstEntry());
        }
    }

    private void emit(Map.Entry<Long, Slot> slot) {
        for (int group = 0; group < Groups.COUNT; group++) {
            EventColumns columns = slot.getValue().groups[group];
            if (columns != null) {
                emit(group, slot.getKey(), slot.getValue().end, columns);
            }
        }
    }

    private void emit(long group, long start, long end, EventColumns columns) {
        held -= columns.rows();
        output.collect(new StreamRecord<>(Part.of(group, start, end, columns.encode()), end - 1));
    }

    /** One subtask is enough: no watermark moves behind the exchange before this one has spoken. */
    private void wake() {
        if (told) {
            return;
        }
        told = true;
        if (getRuntimeContext().getTaskInfo().getIndexOfThisSubtask() == 0) {
            for (long group = 0; group < Groups.COUNT; group++) {
                output.collect(new StreamRecord<>(Part.wake(group)));
            }
        }
    }
}
