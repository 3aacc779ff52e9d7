package realtime.analytics.sink;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.metrics.Counter;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.types.Row;
import org.apache.flink.util.FlinkRuntimeException;
import realtime.analytics.source.Horizon;

/**
 * Lets only complete results through: none that depends on events from before the application knew the log, so that no
 * partial window takes a complete one's id, and in a backfill none beyond its range.
 *
 * <p>The end of a backfill's input closes whatever is open, as if nothing could follow. So in a backfill a result is held
 * until the source's own watermark has passed it, and dropped where none did: an archive that ends before the range does
 * gives what it is complete for, and no more.
 *
 * <p>A job that is there for the first time, after the source had read on without it, has a horizon of its own, which
 * is checkpointed. What is held back is counted as {@code partial_results}.
 */
public class CompleteResults extends AbstractStreamOperator<Row> implements OneInputStreamOperator<Row, Row> {
    private static final long serialVersionUID = 1L;

    /** Field that each job adds to its rows: the earliest event time that can change the result. */
    public static final String NEEDS_FROM = "needs_from";

    private final int needsFrom;
    private final int eventTime;
    private final long after;
    private final long until;
    private final TypeInformation<Row> type;
    private transient ListState<Long> horizonState;
    private transient ListState<Row> heldState;
    /** Results of a backfill that no watermark has confirmed yet. */
    private transient List<StreamRecord<Row>> held;
    /** The source's own watermark, as far as it has come. */
    private transient long confirmed;
    private transient long horizon;
    private transient Counter partial;

    CompleteResults(int needsFrom, int eventTime, long after, long until, TypeInformation<Row> type) {
        this.needsFrom = needsFrom;
        this.eventTime = eventTime;
        this.after = after;
        this.until = until;
        this.type = type;
        this.chainingStrategy = ChainingStrategy.ALWAYS;
    }

    /**
     * @param inputs names of the row's fields in order; {@link #NEEDS_FROM} and event_time are among them.
     * @param after results with an event_time at or before are left out, epoch milliseconds.
     * @param until so are those with an event_time after it.
     */
    public static DataStream<Row> attach(DataStream<Row> rows, String type, String[] inputs, long after, long until) {
        List<String> names = Arrays.asList(inputs);
        if (!names.contains(NEEDS_FROM)) {
            throw new IllegalArgumentException(
                    type + ": the job does not give the column " + NEEDS_FROM + ", the earliest event time that can"
                            + " change its result; it gives " + names);
        }
        return rows.transform(
                        type + " complete",
                        rows.getType(),
                        new CompleteResults(
                                names.indexOf(NEEDS_FROM), names.indexOf("event_time"), after, until, rows.getType()))
                .uid(type + "-complete");
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        horizonState =
                context.getOperatorStateStore().getUnionListState(new ListStateDescriptor<>("horizon", Types.LONG));
        horizon = Horizon.UNKNOWN;
        for (Long restored : horizonState.get()) {
            horizon = Math.max(horizon, restored);
        }
        confirmed = Long.MIN_VALUE;
        held = new ArrayList<>();
        if (isBounded()) {
            heldState = context.getOperatorStateStore().getListState(new ListStateDescriptor<>("held", type));
            for (Row restored : heldState.get()) {
                held.add(new StreamRecord<>(restored, millis(restored.getField(eventTime))));
            }
        }
    }

    private boolean isBounded() {
        return until != Long.MAX_VALUE;
    }

    @Override
    public void open() throws Exception {
        super.open();
        partial = getMetricGroup().counter("partial_results");
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        // Asked for before any checkpoint: the job of a later run could not tell that it had been there.
        horizon = horizon == Horizon.UNKNOWN ? askedHorizon() : horizon;
        horizonState.clear();
        if (horizon != Horizon.UNKNOWN) {
            horizonState.add(horizon);
        }
        if (isBounded()) {
            heldState.clear();
            for (StreamRecord<Row> each : held) {
                heldState.add(each.getValue());
            }
        }
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        settle();
        if (mark.getTimestamp() == Long.MAX_VALUE) {
            partial.inc(held.size());
            held.clear();
        } else {
            confirmed = mark.getTimestamp();
            // Not all: a Python function may give what the end of the input closes ahead of a watermark from before it.
            held.removeIf(this::releaseIfConfirmed);
        }
        super.processWatermark(mark);
    }

    private boolean releaseIfConfirmed(StreamRecord<Row> result) {
        boolean release = isConfirmed(millis(result.getValue().getField(eventTime)));
        if (release) {
            output.collect(result);
        }
        return release;
    }

    /** A watermark says that no event at its time or before follows, so what becomes true just after it is true. */
    private boolean isConfirmed(long becameTrue) {
        return becameTrue - 1 <= confirmed;
    }

    @Override
    public void processElement(StreamRecord<Row> result) {
        long becameTrue = millis(result.getValue().getField(eventTime));
        settle();
        boolean complete = millis(result.getValue().getField(needsFrom)) >= horizon;
        if (!complete || becameTrue <= after || becameTrue > until) {
            partial.inc();
        } else if (!isBounded() || isConfirmed(becameTrue)) {
            output.collect(result);
        } else {
            held.add(new StreamRecord<>(Row.copy(result.getValue()), result.getTimestamp()));
        }
    }

    /** The source agrees upon its horizon before its first watermark, and results come with watermarks. */
    private void settle() {
        if (horizon == Horizon.UNKNOWN) {
            horizon = askedHorizon();
            if (horizon == Horizon.UNKNOWN) {
                throw new FlinkRuntimeException("a result came before the source told from when on it knows the log");
            }
        }
    }

    /** {@link Horizon#UNKNOWN} while there is none. */
    long askedHorizon() {
        return Horizon.ask(getRuntimeContext().getGlobalAggregateManager());
    }

    /** SQL gives LocalDateTime in UTC or Instant, rules epoch milliseconds. */
    static long millis(Object time) {
        if (time instanceof Instant) {
            return ((Instant) time).toEpochMilli();
        }
        if (time instanceof Long) {
            return (Long) time;
        }
        return ((LocalDateTime) time).toInstant(ZoneOffset.UTC).toEpochMilli();
    }
}
