package realtime.analytics.jobs;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.types.Row;

/** Feeds one keyed function in Flink's harness, and stops and restores it wherever a test wants. */
final class Replay<K> {
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

    interface Factory<K> {
        KeyedProcessFunction<K, Row, Row> create();
    }

    private final Factory<K> factory;
    private final KeySelector<Row, K> key;
    private final TypeInformation<K> keyType;
    private final TypeSerializer<Row> output;
    /** Keyed state entries and timers after the last input. */
    int entries;

    int timers;
    /** Size of a snapshot of the keyed state, in bytes. */
    long bytes;

    Replay(Factory<K> factory, KeySelector<Row, K> key, TypeInformation<K> keyType, TypeInformation<Row> output) {
        this.factory = factory;
        this.key = key;
        this.keyType = keyType;
        this.output = output.createSerializer(new SerializerConfigImpl());
    }

    /** Everything that comes out, in order; a savepoint and a new operator before each input of {@code stops}. */
    List<Row> run(Iterable<Input> inputs, Integer... stops) throws Exception {
        List<Row> out = new ArrayList<>();
        List<Integer> stopping = List.of(stops);
        KeyedOneInputStreamOperatorTestHarness<K, Row, Row> harness = open(null);
        try {
            int i = 0;
            for (Input input : inputs) {
                if (stopping.contains(i)) {
                    out.addAll(results(harness));
                    OperatorSubtaskState snapshot = harness.snapshot(i, i);
                    harness.close();
                    harness = open(snapshot);
                }
                i++;
                if (input.event == null) {
                    harness.processWatermark(new Watermark(input.time));
                } else {
                    harness.processElement(new StreamRecord<>(input.event, input.time));
                }
            }
            out.addAll(results(harness));
            entries = harness.numKeyedStateEntries();
            timers = harness.numEventTimeTimers();
            bytes = harness.snapshot(i, i).getManagedKeyedState().iterator().next().getStateSize();
        } finally {
            harness.close();
        }
        return out;
    }

    private KeyedOneInputStreamOperatorTestHarness<K, Row, Row> open(OperatorSubtaskState snapshot) throws Exception {
        KeyedOneInputStreamOperatorTestHarness<K, Row, Row> harness =
                new KeyedOneInputStreamOperatorTestHarness<>(new KeyedProcessOperator<>(factory.create()), key, keyType);
        harness.setup(output);
        if (snapshot != null) {
            harness.initializeState(snapshot);
        }
        harness.open();
        return harness;
    }

    private static <K> List<Row> results(KeyedOneInputStreamOperatorTestHarness<K, Row, Row> harness) {
        return harness.extractOutputStreamRecords().stream().map(StreamRecord::getValue).collect(Collectors.toList());
    }
}
