package realtime.analytics.jobs;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.types.Row;

/**
 * Feeds one job, from the events to its rows, in Flink's harness, and stops and restores it wherever a test wants.
 *
 * @param <B> what crosses the keyed exchange
 */
final class Replay<K, B> {
    /** An event with its time, or a watermark. */
    static final class Input {
        final Row event;
        final long time;

        private Input(Row event, long time) {
            this.event = event;
            this.time = time;
        }

        static Input event(long time, long user, String type, Double value, String session) {
            BigDecimal amount = value == null ? null : new BigDecimal(value).setScale(6, java.math.RoundingMode.HALF_UP);
            return new Input(Row.of(time, user, type, value, amount, session, session, "ref-" + time + "-" + user), time);
        }

        static Input watermark(long time) {
            return new Input(null, time);
        }
    }

    private final Supplier<OneInputStreamOperator<Row, B>> front;
    private final TypeSerializer<B> between;
    private final Supplier<KeyedProcessFunction<K, B, Row>> job;
    private final KeySelector<B, K> key;
    private final TypeInformation<K> keyType;
    private final TypeSerializer<Row> output;

    private OneInputStreamOperatorTestHarness<Row, B> first;
    private KeyedOneInputStreamOperatorTestHarness<K, B, Row> second;

    /** Keyed state entries and timers after the last input. */
    int entries;

    int timers;
    /** Size of a snapshot of the keyed state, in bytes. */
    long bytes;

    /** @param front what stands before the keyed exchange; it has no state. */
    Replay(
            Supplier<OneInputStreamOperator<Row, B>> front,
            TypeInformation<B> between,
            Supplier<KeyedProcessFunction<K, B, Row>> job,
            KeySelector<B, K> key,
            TypeInformation<K> keyType,
            TypeInformation<Row> output) {
        this.front = front;
        this.between = between.createSerializer(new SerializerConfigImpl());
        this.job = job;
        this.key = key;
        this.keyType = keyType;
        this.output = output.createSerializer(new SerializerConfigImpl());
    }

    /** With batches ahead of the exchange. */
    static <K, C> Replay<K, Tuple3<K, Long, C>> batched(
            Batching.Rule<K, C> rule,
            long slotMillis,
            TypeInformation<K> keyType,
            TypeInformation<C> content,
            Supplier<KeyedProcessFunction<K, Tuple3<K, Long, C>, Row>> job,
            TypeInformation<Row> output) {
        return new Replay<>(
                () -> new Batching<>(rule, slotMillis),
                Types.TUPLE(keyType, Types.LONG, content),
                job,
                batch -> batch.f0,
                keyType,
                output);
    }

    /** Everything that comes out, in order; a savepoint and new operators before each input of {@code stops}. */
    List<Row> run(Iterable<Input> inputs, Integer... stops) throws Exception {
        List<Row> out = new ArrayList<>();
        List<Integer> stopping = List.of(stops);
        open(null);
        try {
            int i = 0;
            for (Input input : inputs) {
                if (stopping.contains(i)) {
                    OperatorSubtaskState snapshot = snapshot(i);
                    out.addAll(results());
                    close();
                    open(snapshot);
                }
                i++;
                if (input.event == null) {
                    first.processWatermark(new Watermark(input.time));
                } else {
                    first.processElement(new StreamRecord<>(input.event, input.time));
                }
                passOn();
            }
            out.addAll(results());
            entries = second.numKeyedStateEntries();
            timers = second.numEventTimeTimers();
            bytes = snapshot(i).getManagedKeyedState().iterator().next().getStateSize();
        } finally {
            close();
        }
        return out;
    }

    private OperatorSubtaskState snapshot(int number) throws Exception {
        first.prepareSnapshotPreBarrier(number);
        passOn();
        return second.snapshot(number, number);
    }

    @SuppressWarnings("unchecked") // what is neither a watermark nor a status is a record
    private void passOn() throws Exception {
        for (Object each = first.getOutput().poll(); each != null; each = first.getOutput().poll()) {
            if (each instanceof Watermark) {
                second.processWatermark((Watermark) each);
            } else {
                second.processElement((StreamRecord<B>) each);
            }
        }
    }

    private void open(OperatorSubtaskState snapshot) throws Exception {
        first = new OneInputStreamOperatorTestHarness<>(front.get());
        first.setup(between);
        first.open();
        second = new KeyedOneInputStreamOperatorTestHarness<>(new KeyedProcessOperator<>(job.get()), key, keyType);
        second.setup(output);
        if (snapshot != null) {
            second.initializeState(snapshot);
        }
        second.open();
    }

    private void close() throws Exception {
        first.close();
        second.close();
    }

    private List<Row> results() {
        return second.extractOutputStreamRecords().stream().map(StreamRecord::getValue).collect(Collectors.toList());
    }
}
