package realtime.analytics.jobs;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.types.Row;
import realtime.analytics.intake.Events;

/**
 * What the Python session function is given: (group, (user_ids, times, event_types, amounts)), the events of a group of
 * users in a minute; and before anything else, at every start, a row without events for each group (see {@link ToRows}).
 *
 * <p>Java, because each call of a Python function costs, and each key whose state it writes costs two round trips more:
 * event by event and keyed by user it took 2,300 events a second and core (measured, see docs/benchmarks).
 */
public final class SessionInput {
    /** Bits of a group's number. Part of the state's layout: a savepoint fits this number only. */
    private static final int GROUP_BITS = 6;

    /** Spreads user ids that follow a pattern: 2^64 divided by the golden ratio (Knuth's multiplicative hash). */
    private static final long SPREAD = 0x9E3779B97F4A7C15L;

    private static final TypeInformation<Tuple4<Long, Long, String, BigDecimal>> EVENT =
            Types.TUPLE(Types.LONG, Types.LONG, Types.STRING, Types.BIG_DEC);
    private static final TypeInformation<Row> TYPE =
            Types.ROW(
                    Types.LONG,
                    Types.ROW(
                            Types.OBJECT_ARRAY(Types.LONG),
                            Types.OBJECT_ARRAY(Types.LONG),
                            Types.OBJECT_ARRAY(Types.STRING),
                            Types.OBJECT_ARRAY(Types.BIG_DEC)));

    private SessionInput() {}

    /** @param slotMillis of the batches; no longer than the session's gap. */
    public static DataStream<Row> attach(DataStream<Row> events, long slotMillis) {
        DataStream<Row> inputs = null;
        // Each part by itself: chained, so that a batch is serialized once, in columns.
        for (DataStream<Row> part : Batching.parts(events)) {
            DataStream<Row> next =
                    Batching.attach(part, "session", new Collect(), slotMillis, Types.LONG, Types.LIST(EVENT))
                            .transform("events of groups", TYPE, new ToRows())
                            .uid("session-input-of-" + part.getTransformation().getUid());
            inputs = inputs == null ? next : inputs.union(next);
        }
        return inputs;
    }

    static long group(long user) {
        return (user * SPREAD) >>> (Long.SIZE - GROUP_BITS);
    }

    private static Row columns(List<Tuple4<Long, Long, String, BigDecimal>> events) {
        int count = events.size();
        Row columns = Row.of(new Long[count], new Long[count], new String[count], new BigDecimal[count]);
        for (int column = 0; column < columns.getArity(); column++) {
            Object[] values = (Object[]) columns.getField(column);
            for (int i = 0; i < count; i++) {
                values[i] = events.get(i).getField(column);
            }
        }
        return columns;
    }

    /**
     * Batches as rows, and ahead of the first row, watermark or status a row without events for each group, so that the
     * function looks at what it has restored and sets its timers again.
     *
     * <p>A timer that a Python function sets reaches the JVM as a mail to the task's thread. When it is a checkpoint that
     * ends the worker's bundle, that mail comes after the snapshot: the state has the change, and the timer is lost with
     * the next restore (AbstractPythonFunctionOperator.prepareSnapshotPreBarrier of Flink 1.20 ends the bundle and drains
     * no timers; tests/jobs/test_savepoints.py shows it). Nothing else would ever look at such a group.
     */
    private static final class ToRows extends AbstractStreamOperator<Row>
            implements OneInputStreamOperator<Tuple3<Long, Long, List<Tuple4<Long, Long, String, BigDecimal>>>, Row> {
        private static final long serialVersionUID = 1L;

        private transient boolean told;

        ToRows() {
            this.chainingStrategy = ChainingStrategy.ALWAYS;
        }

        @Override
        public void processElement(
                StreamRecord<Tuple3<Long, Long, List<Tuple4<Long, Long, String, BigDecimal>>>> element) {
            wake();
            output.collect(element.replace(Row.of(element.getValue().f0, columns(element.getValue().f2))));
        }

        @Override
        public void processWatermark(Watermark mark) throws Exception {
            wake();
            super.processWatermark(mark);
        }

        @Override
        public void processWatermarkStatus(WatermarkStatus status) throws Exception {
            wake();
            super.processWatermarkStatus(status);
        }

        /** One subtask is enough: the function's watermark does not move before this one has spoken. */
        private void wake() {
            if (told) {
                return;
            }
            told = true;
            if (getRuntimeContext().getTaskInfo().getIndexOfThisSubtask() == 0) {
                Row none = columns(List.of());
                for (long group = 0; group < 1L << GROUP_BITS; group++) {
                    output.collect(new StreamRecord<>(Row.of(group, none)));
                }
            }
        }
    }

    private static final class Collect implements Batching.Rule<Long, List<Tuple4<Long, Long, String, BigDecimal>>> {
        private static final long serialVersionUID = 1L;

        @Override
        public Long key(Row event) {
            return group(Events.userId(event));
        }

        @Override
        public List<Tuple4<Long, Long, String, BigDecimal>> begin() {
            return new ArrayList<>();
        }

        @Override
        public boolean add(List<Tuple4<Long, Long, String, BigDecimal>> batch, Row event, long time) {
            batch.add(
                    Tuple4.of(
                            Events.userId(event),
                            time,
                            Events.eventType(event),
                            (BigDecimal) event.getField(Events.AMOUNT)));
            return batch.size() == Batching.MAX_BATCH;
        }
    }
}
