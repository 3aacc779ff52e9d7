package realtime.analytics.jobs;

import java.time.Instant;
import java.util.Set;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;
import realtime.analytics.intake.Events;

/**
 * Fraud: events of some types, purchases unless set otherwise, of a user in any window (t - 5 min, t]. An alert at the 11th
 * (LOW), 21st (MEDIUM) and 51st (HIGH);
 * risk_score = that count; a level re-arms after 5 minutes below it.
 *
 * <p>Java, because no SQL window slides with every event without walking its buffer, and a tumbling one misses the
 * burst that straddles its edge.
 */
public final class FraudJob extends KeyedProcessFunction<Long, Long, Row> {
    private static final long serialVersionUID = 1L;

    private final long windowMillis;
    private final int[] thresholds;
    private final String[] levels;
    private final String activity;
    /** Purchases ahead of the watermark: time to count. */
    private transient MapState<Long, Integer> pending;

    private transient ValueState<FraudState> state;

    FraudJob(long windowMillis, int[] thresholds, String[] levels, String activity) {
        this.windowMillis = windowMillis;
        this.thresholds = thresholds.clone();
        this.levels = levels.clone();
        this.activity = activity;
    }

    /** Columns of the output, in order; see contracts/results.py. */
    public static final String[] COLUMNS = {
        "event_time",
        "window_start",
        "window_end",
        "user_id",
        "suspicious_activity",
        "risk_score",
        "alert_level",
        "needs_from"
    };

    static final TypeInformation<Row> OUTPUT =
            Types.ROW_NAMED(
                    COLUMNS,
                    Types.INSTANT,
                    Types.INSTANT,
                    Types.INSTANT,
                    Types.LONG,
                    Types.STRING,
                    Types.DOUBLE,
                    Types.STRING,
                    Types.INSTANT);

    public static DataStream<Row> attach(
            DataStream<Row> events,
            String[] eventTypes,
            long windowMillis,
            int[] thresholds,
            String[] levels,
            String activity) {
        DataStream<Long> users = null;
        // Each part by itself: chained to what decodes it, so that only what counts is serialized, and of it the user.
        for (DataStream<Row> part : Batching.parts(events)) {
            DataStream<Long> next =
                    part.flatMap(new Counted(Set.of(eventTypes)))
                            .name("counted events")
                            .uid("fraud-purchases-of-" + part.getTransformation().getUid());
            users = users == null ? next : users.union(next);
        }
        return users.keyBy(user -> user)
                .process(new FraudJob(windowMillis, thresholds, levels, activity))
                .returns(OUTPUT)
                .name("fraud")
                .uid("fraud-detect");
    }

    /** The users of the events that count; their time is the record's. */
    static final class Counted implements FlatMapFunction<Row, Long> {
        private static final long serialVersionUID = 1L;

        private final Set<String> eventTypes;

        Counted(Set<String> eventTypes) {
            this.eventTypes = eventTypes;
        }

        @Override
        public void flatMap(Row event, Collector<Long> out) {
            if (eventTypes.contains(Events.eventType(event))) {
                out.collect(Events.userId(event));
            }
        }
    }

    @Override
    public void open(Configuration parameters) {
        pending = getRuntimeContext().getMapState(new MapStateDescriptor<>("pending", Types.LONG, Types.INT));
        state = getRuntimeContext().getState(new ValueStateDescriptor<>("fraud", FraudState.class));
    }

    @Override
    public void processElement(Long user, Context context, Collector<Row> out) throws Exception {
        long time = context.timestamp();
        Integer count = pending.get(time);
        pending.put(time, count == null ? 1 : count + 1);
        if (count == null) {
            context.timerService().registerEventTimeTimer(time);
        }
    }

    @Override
    public void onTimer(long time, OnTimerContext context, Collector<Row> out) throws Exception {
        FraudState fraud = state.value();
        Integer count = pending.get(time);
        if (count != null) {
            pending.remove(time);
            fraud = fraud == null ? new FraudState(thresholds.length) : fraud;
            for (int i = 0; i < count; i++) {
                int level = fraud.purchase(time, thresholds, windowMillis);
                if (level >= 0) {
                    out.collect(alert(time, context.getCurrentKey(), level));
                }
            }
        }
        if (fraud == null) {
            return;
        }
        if (fraud.expires(windowMillis) <= time) {
            state.clear();
            return;
        }
        // One expiry timer a user, moved when it fires: one a purchase would be state that grows with the rate.
        if (fraud.timer <= time) {
            fraud.timer = fraud.expires(windowMillis);
            context.timerService().registerEventTimeTimer(fraud.timer);
        }
        state.update(fraud);
    }

    private Row alert(long time, long user, int level) {
        Instant reached = Instant.ofEpochMilli(time);
        return Row.of(
                reached,
                reached.minusMillis(windowMillis),
                reached,
                user,
                activity,
                (double) thresholds[level],
                levels[level],
                // Whether the level was armed follows from the counts of the window before.
                reached.minusMillis(2 * windowMillis));
    }
}
