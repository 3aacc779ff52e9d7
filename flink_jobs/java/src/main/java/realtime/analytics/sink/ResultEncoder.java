package realtime.analytics.sink;

import java.io.IOException;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonGenerator;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.types.Row;
import realtime.analytics.intake.Digests;

/** Puts a job's row into the envelope: result_type, result_id, event_time, run, then the contract's columns. */
public final class ResultEncoder implements MapFunction<Row, KeyedJson> {
    private static final long serialVersionUID = 1L;

    private static final String EVENT_TIME = "event_time";

    private final String type;
    private final String run;
    private final String[] columns;
    private final int[] positions;
    private final boolean[] times;
    private final int eventTime;
    private final int start;
    private final int end;
    private final int[] key;

    /**
     * @param inputs names of the row's fields in order; holds event_time, the columns, and what the key names.
     * @param columns the contract's columns, in the order they are written.
     * @param times which of the columns are times.
     * @param key fields that, with start and end, make result_id.
     */
    ResultEncoder(
            String type,
            String run,
            String[] inputs,
            String[] columns,
            String[] times,
            String start,
            String end,
            String[] key) {
        this.type = type;
        this.run = run;
        this.columns = columns.clone();
        this.positions = positions(type, inputs, columns);
        this.times = new boolean[columns.length];
        for (int i = 0; i < columns.length; i++) {
            this.times[i] = Arrays.asList(times).contains(columns[i]);
        }
        this.eventTime = positions(type, inputs, EVENT_TIME)[0];
        this.start = positions(type, inputs, start)[0];
        this.end = positions(type, inputs, end)[0];
        this.key = positions(type, inputs, key);
    }

    public static DataStream<KeyedJson> attach(
            DataStream<Row> rows,
            String type,
            String run,
            String[] inputs,
            String[] columns,
            String[] times,
            String start,
            String end,
            String[] key) {
        return rows.map(new ResultEncoder(type, run, inputs, columns, times, start, end, key))
                .returns(TypeInformation.of(KeyedJson.class))
                .name(type + " result")
                .uid(type + "-encode");
    }

    private static int[] positions(String type, String[] inputs, String... names) {
        List<String> all = Arrays.asList(inputs);
        int[] positions = new int[names.length];
        for (int i = 0; i < names.length; i++) {
            positions[i] = all.indexOf(names[i]);
            if (positions[i] < 0) {
                throw new IllegalArgumentException(
                        type + ": the job does not give the column " + names[i] + "; it gives " + all);
            }
        }
        return positions;
    }

    @Override
    public KeyedJson map(Row row) {
        Object[] parts = new Object[key.length];
        for (int i = 0; i < key.length; i++) {
            parts[i] = row.getField(key[i]);
        }
        long from = CompleteResults.millis(row.getField(start));
        String id = Digests.resultId(type, from, CompleteResults.millis(row.getField(end)), parts);
        String json =
                JsonText.object(
                        out -> {
                            out.writeStringField("result_type", type);
                            out.writeStringField("result_id", id);
                            out.writeStringField(EVENT_TIME, time(row.getField(eventTime)));
                            out.writeStringField("run", run);
                            for (int i = 0; i < columns.length; i++) {
                                Object value = row.getField(positions[i]);
                                out.writeFieldName(columns[i]);
                                write(out, times[i] && value != null ? time(value) : value);
                            }
                        });
        return new KeyedJson(Digests.resultId(type, 0, 0, parts), json);
    }

    private static String time(Object time) {
        return JsonText.time(Instant.ofEpochMilli(CompleteResults.millis(time)));
    }

    private static void write(JsonGenerator out, Object value) throws IOException {
        if (value == null) {
            out.writeNull();
        } else if (value instanceof String) {
            out.writeString((String) value);
        } else if (value instanceof Long) {
            out.writeNumber((Long) value);
        } else if (value instanceof Double) {
            out.writeNumber((Double) value);
        } else if (value instanceof BigDecimal) {
            out.writeNumber((BigDecimal) value);
        } else if (value instanceof Boolean) {
            out.writeBoolean((Boolean) value);
        } else if (value instanceof Object[]) {
            out.writeStartArray();
            for (Object each : (Object[]) value) {
                write(out, each);
            }
            out.writeEndArray();
        } else {
            throw new IllegalArgumentException("no JSON for " + value.getClass());
        }
    }
}
