package realtime.analytics.slots;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.metrics.Counter;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.Reason;

/**
 * Rows by job from what the Python jobs of a lane gave: blocks of int job, {@link ResultColumns}. A block of job -1 holds the
 * events on which a job failed: they become rejections, and are counted.
 */
public final class Unpack extends ProcessFunction<byte[], Row> {
    private static final long serialVersionUID = 1L;

    private static final OutputTag<Intake> FAILED = new OutputTag<>("failed", TypeInformation.of(Intake.class));
    private static final int FAILURES = -1;
    /** Job, digest of the key, place of the event among the key's, detail, payload, event_time. */
    private static final String FAILURE = "sssssq";

    private final String[] kinds;
    private final List<OutputTag<Row>> tags;
    private transient Counter failed;

    private Unpack(String[] kinds, List<OutputTag<Row>> tags) {
        this.kinds = kinds.clone();
        this.tags = tags;
    }

    /** The rows of a lane's jobs, and the events that they failed on. */
    public static final class Unpacked {
        private final Map<String, DataStream<Row>> rows;
        private final DataStream<Intake> failed;

        private Unpacked(Map<String, DataStream<Row>> rows, DataStream<Intake> failed) {
            this.rows = rows;
            this.failed = failed;
        }

        public DataStream<Row> rows(String job) {
            return rows.get(job);
        }

        public DataStream<Intake> failed() {
            return failed;
        }
    }

    /** @param kinds of each job's columns, a letter a column. */
    public static Unpacked attach(
            DataStream<byte[]> packed, String lane, String[] jobs, String[] kinds, String[][] columns) {
        List<OutputTag<Row>> tags = new ArrayList<>();
        for (int i = 0; i < jobs.length; i++) {
            TypeInformation<?>[] types =
                    kinds[i].chars()
                            .mapToObj(kind -> ResultColumns.type((char) kind))
                            .toArray(TypeInformation<?>[]::new);
            tags.add(new OutputTag<>(jobs[i], Types.ROW_NAMED(columns[i], types)));
        }
        SingleOutputStreamOperator<Row> unpacked =
                packed.process(new Unpack(kinds, tags))
                        .returns(Types.ROW(Types.LONG))
                        .name(lane + " rows")
                        .uid(lane + "-rows");
        Map<String, DataStream<Row>> rows = new HashMap<>();
        for (int i = 0; i < jobs.length; i++) {
            rows.put(jobs[i], unpacked.getSideOutput(tags.get(i)));
        }
        return new Unpacked(rows, unpacked.getSideOutput(FAILED));
    }

    @Override
    public void open(Configuration parameters) {
        failed = getRuntimeContext().getMetricGroup().counter(Reason.RULE_FAILED.code);
    }

    @Override
    public void processElement(byte[] packed, Context context, Collector<Row> out) {
        ByteBuffer in = ByteBuffer.wrap(packed).order(ByteOrder.LITTLE_ENDIAN);
        while (in.hasRemaining()) {
            int job = in.getInt();
            if (job == FAILURES) {
                ResultColumns.read(in, FAILURE, row -> context.output(FAILED, rejected(row)));
            } else {
                ResultColumns.read(in, kinds[job], row -> context.output(tags.get(job), row));
            }
        }
    }

    private Intake rejected(Row row) {
        failed.inc();
        // The event as the job was given it: where it stood in its log is not known behind the exchange.
        Intake record =
                new Intake(
                        (String) row.getField(0),
                        (String) row.getField(1),
                        (String) row.getField(2),
                        (Long) row.getField(5),
                        ((String) row.getField(4)).getBytes(StandardCharsets.UTF_8));
        record.reject(Reason.RULE_FAILED, (String) row.getField(3));
        return record;
    }
}
