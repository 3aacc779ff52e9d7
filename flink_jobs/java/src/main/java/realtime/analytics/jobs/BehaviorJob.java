package realtime.analytics.jobs;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;
import realtime.analytics.intake.Events;

/**
 * Behavior: per session_id and user_id, a session that ends when the next event is 30 minutes away or more. Events are
 * taken in event-time order once the watermark has passed (ties: in the order of the funnel, then by name): event_sequence
 * of the first 100 steps, session_duration in milliseconds, exact total_value, conversion_flag = the steps of the funnel in
 * their order, not adjacent. A session comes out up to a minute of event time after the gap.
 *
 * <p>Java, because SQL has no ordered LISTAGG on a stream and an aggregate over a session window would keep every
 * event of the session.
 */
public final class BehaviorJob
        extends KeyedProcessFunction<
                Tuple2<Long, String>,
                Tuple3<Tuple2<Long, String>, Long, List<Tuple3<Long, String, BigDecimal>>>,
                Row> {
    private static final long serialVersionUID = 1L;

    static final TypeInformation<Tuple2<Long, String>> KEY = Types.TUPLE(Types.LONG, Types.STRING);
    /** Time, event_type, amount. */
    static final TypeInformation<Tuple3<Long, String, BigDecimal>> EVENT =
            Types.TUPLE(Types.LONG, Types.STRING, Types.BIG_DEC);

    private final long gapMillis;
    private final long slotMillis;
    private final int maxSteps;
    private final String separator;
    private final String moreMark;
    private final List<String> funnel;
    /** By time, ties by funnel, then name. */
    private transient Comparator<Tuple3<Long, String, BigDecimal>> order;
    /** Per slot start. */
    private transient SlotBuffer<Tuple3<Long, String, BigDecimal>> pending;

    private transient ValueState<BehaviorState> state;

    /** @param funnel event types that a session must have in this order to be a conversion. */
    BehaviorJob(long gapMillis, int maxSteps, String separator, String moreMark, String[] funnel) {
        this.gapMillis = gapMillis;
        this.slotMillis = slotMillis(gapMillis);
        this.maxSteps = maxSteps;
        this.separator = separator;
        this.moreMark = moreMark;
        this.funnel = Arrays.asList(funnel);
    }

    /** Columns of the output, in order; see contracts/results.py. */
    public static final String[] COLUMNS = {
        "event_time",
        "session_id",
        "user_id",
        "session_start",
        "session_end",
        "event_count",
        "event_sequence",
        "session_duration",
        "total_value",
        "conversion_flag",
        "needs_from"
    };

    static final TypeInformation<Row> OUTPUT =
            Types.ROW_NAMED(
                    COLUMNS,
                    Types.INSTANT,
                    Types.STRING,
                    Types.LONG,
                    Types.INSTANT,
                    Types.INSTANT,
                    Types.LONG,
                    Types.STRING,
                    Types.LONG,
                    Types.BIG_DEC,
                    Types.BOOLEAN,
                    Types.INSTANT);

    public static DataStream<Row> attach(
            DataStream<Row> events,
            long gapMillis,
            int maxSteps,
            String separator,
            String moreMark,
            String[] funnel) {
        return Batching.attach(events, "behavior", new Collect(), slotMillis(gapMillis), KEY, Types.LIST(EVENT))
                .keyBy(batch -> batch.f0, KEY)
                .process(new BehaviorJob(gapMillis, maxSteps, separator, moreMark, funnel))
                .returns(OUTPUT)
                .name("behavior")
                .uid("behavior-sessions");
    }

    /** Events are taken a minute at a time: one timer and one read of the session for all of it. */
    static long slotMillis(long gapMillis) {
        return Math.min(gapMillis, Batching.MAX_SLOT_MILLIS);
    }

    /** The events of a session_id. */
    static final class Collect implements Batching.Rule<Tuple2<Long, String>, List<Tuple3<Long, String, BigDecimal>>> {
        private static final long serialVersionUID = 1L;

        @Override
        public Tuple2<Long, String> key(Row event) {
            String session = (String) event.getField(Events.SESSION_ID);
            return session == null ? null : Tuple2.of(Events.userId(event), session);
        }

        @Override
        public List<Tuple3<Long, String, BigDecimal>> begin() {
            return new ArrayList<>();
        }

        @Override
        public boolean add(List<Tuple3<Long, String, BigDecimal>> batch, Row event, long time) {
            batch.add(Tuple3.of(time, Events.eventType(event), (BigDecimal) event.getField(Events.AMOUNT)));
            return batch.size() == Batching.MAX_BATCH;
        }
    }

    @Override
    public void open(Configuration parameters) {
        order =
                Comparator.<Tuple3<Long, String, BigDecimal>>comparingLong(event -> event.f0)
                        .thenComparingInt(event -> rank(event.f1))
                        .thenComparing(event -> event.f1, Texts.BY_CODE_POINT);
        pending = new SlotBuffer<>(getRuntimeContext(), EVENT);
        state =
                getRuntimeContext()
                        .getState(
                                new ValueStateDescriptor<>(
                                        "session",
                                        Types.POJO(
                                                BehaviorState.class,
                                                java.util.Map.of(
                                                        "start", Types.LONG,
                                                        "last", Types.LONG,
                                                        "count", Types.LONG,
                                                        "total", Types.BIG_DEC,
                                                        "steps", Types.LIST(Types.STRING),
                                                        "moreSteps", Types.BOOLEAN,
                                                        "funnel", Types.INT,
                                                        "timer", Types.LONG))));
    }

    @Override
    public void processElement(
            Tuple3<Tuple2<Long, String>, Long, List<Tuple3<Long, String, BigDecimal>>> batch,
            Context context,
            Collector<Row> out)
            throws Exception {
        if (pending.add(batch.f1, batch.f2)) {
            context.timerService().registerEventTimeTimer(batch.f1 + slotMillis - 1);
        }
    }

    /** Fires at the ends of slots only, so that no session is closed before the events of its last slot are in. */
    @Override
    public void onTimer(long timer, OnTimerContext context, Collector<Row> out) throws Exception {
        BehaviorState session = state.value();
        List<Tuple3<Long, String, BigDecimal>> events = pending.drain(timer + 1 - slotMillis);
        if (events.size() > 1) {
            events.sort(order);
        }
        for (Tuple3<Long, String, BigDecimal> event : events) {
            if (session != null && event.f0 - session.last >= gapMillis) {
                out.collect(close(session, context.getCurrentKey()));
                session = null;
            }
            session = session == null ? new BehaviorState(event.f0) : session;
            session.add(event.f0, event.f1, event.f2, maxSteps, funnel);
        }
        if (session == null) {
            return;
        }
        if (closes(session) <= timer) {
            out.collect(close(session, context.getCurrentKey()));
            state.clear();
            return;
        }
        // One close timer a session, moved when it fires: also when events came in its very slot.
        if (session.timer <= timer) {
            session.timer = closes(session);
            context.timerService().registerEventTimeTimer(session.timer);
        }
        state.update(session);
    }

    /** The end of the slot in which the watermark proves that no event can follow within the gap. */
    private long closes(BehaviorState session) {
        return Math.floorDiv(session.last + gapMillis - 1, slotMillis) * slotMillis + slotMillis - 1;
    }

    private Row close(BehaviorState session, Tuple2<Long, String> key) {
        String sequence = String.join(separator, session.steps);
        return Row.of(
                Instant.ofEpochMilli(session.last + gapMillis),
                key.f1,
                key.f0,
                Instant.ofEpochMilli(session.start),
                Instant.ofEpochMilli(session.last),
                session.count,
                session.moreSteps ? sequence + separator + moreMark : sequence,
                session.last - session.start,
                session.total,
                session.funnel == funnel.size(),
                // An event less than the gap before it would have made it begin earlier.
                Instant.ofEpochMilli(session.start - gapMillis));
    }

    private int rank(String eventType) {
        int rank = funnel.indexOf(eventType);
        return rank < 0 ? funnel.size() : rank;
    }
}
