package realtime.analytics.sink;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import realtime.analytics.intake.Digests;
import realtime.analytics.intake.Intake;

/**
 * Writes a rejected record as the contract has it: the payload as text where it is UTF-8, else base64, cut where the
 * result would not fit into a Kinesis record (1 MiB), so that no input can block the sink.
 */
public final class RejectionEncoder implements MapFunction<Intake, KeyedJson> {
    private static final long serialVersionUID = 1L;

    private static final String TYPE = "rejected";
    /** A text of this many bytes fits even if JSON escapes each byte sixfold. */
    private static final int MAX_TEXT_BYTES = 160_000;
    /** In base64 a third more: 1,000,000 bytes with the rest of the record. */
    private static final int MAX_BYTES = 720_000;

    private final String run;

    RejectionEncoder(String run) {
        this.run = run;
    }

    public static DataStream<KeyedJson> attach(DataStream<Intake> rejected, String run) {
        return rejected.map(new RejectionEncoder(run))
                .returns(TypeInformation.of(KeyedJson.class))
                .name("rejections")
                .uid("rejected-encode");
    }

    @Override
    public KeyedJson map(Intake record) {
        return document(record, run);
    }

    /** The rejection as the contract has it. */
    public static KeyedJson document(Intake record, String run) {
        String id =
                Digests.resultId(
                        TYPE, 0, 0, record.source + '\u001f' + record.partition + '\u001f' + record.position);
        String text = text(record.payload);
        boolean cut = text == null && record.payload.length > MAX_BYTES;
        byte[] bytes = cut ? Arrays.copyOf(record.payload, MAX_BYTES) : record.payload;
        String arrival = JsonText.time(Instant.ofEpochMilli(record.arrival));
        String json =
                JsonText.object(
                        out -> {
                            out.writeStringField("result_type", TYPE);
                            out.writeStringField("result_id", id);
                            out.writeStringField("event_time", arrival);
                            out.writeStringField("run", run);
                            out.writeStringField("reason", record.reason.code);
                            out.writeStringField("detail", record.detail);
                            out.writeStringField(
                                    "payload", text != null ? text : Base64.getEncoder().encodeToString(bytes));
                            out.writeStringField("payload_encoding", text != null ? "utf-8" : "base64");
                            out.writeBooleanField("payload_truncated", cut);
                            out.writeStringField("source", record.source);
                            out.writeStringField("partition", record.partition);
                            out.writeStringField("position", record.position);
                            out.writeStringField("arrival_time", arrival);
                        });
        return new KeyedJson(id, json);
    }

    private static String text(byte[] payload) {
        if (payload.length > MAX_TEXT_BYTES) {
            return null;
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(payload)).toString();
        } catch (CharacterCodingException notText) {
            return null;
        }
    }
}
