package realtime.analytics.source;

import java.io.IOException;
import java.util.Base64;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import realtime.analytics.intake.BoundedJson;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.MalformedException;

/** Reads a line of the archive (contracts/archive.py): a record as the stream had it. One instance a thread. */
final class ArchivedRecord {
    /** Longest text of a place; shard, stream and sequence number have some hundred characters together. */
    private static final int MAX_PLACE_LENGTH = 256;
    /** The contract's last time: 9999-12-31. */
    private static final long MAX_ARRIVAL = 253_402_300_799_999L;

    private final BoundedJson json = new BoundedJson(EventFile.MAX_LINE_BYTES);
    private String source;
    private String partition;
    private String position;
    private Long arrival;
    private byte[] payload;

    /** The record, not decoded; MalformedException says which field is missing or not as it should be. */
    Intake read(byte[] line) throws MalformedException {
        source = null;
        partition = null;
        position = null;
        arrival = null;
        payload = null;
        json.read(line, this::take);
        place("source", source);
        place("partition", partition);
        place("position", position);
        if (arrival == null || arrival < 0 || arrival > MAX_ARRIVAL) {
            throw new MalformedException("`arrival_time` is not a time in epoch milliseconds");
        }
        if (payload == null) {
            throw new MalformedException("`payload` is not a text in base64");
        }
        return new Intake(source, partition, position, arrival, payload);
    }

    private void take(String name, JsonParser value) throws IOException {
        switch (name) {
            case "source":
                source = text(value);
                break;
            case "partition":
                partition = text(value);
                break;
            case "position":
                position = text(value);
                break;
            case "arrival_time":
                arrival = whole(value);
                break;
            case "payload":
                payload = bytes(value);
                break;
            default:
                break;
        }
    }

    private static String text(JsonParser value) throws IOException {
        return value.currentToken() == JsonToken.VALUE_STRING ? value.getText() : null;
    }

    private static Long whole(JsonParser value) throws IOException {
        boolean fits = value.currentToken() == JsonToken.VALUE_NUMBER_INT && value.getTextLength() <= 18;
        return fits ? value.getLongValue() : null;
    }

    private static byte[] bytes(JsonParser value) throws IOException {
        String text = text(value);
        try {
            return text == null ? null : Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException notBase64) {
            return null;
        }
    }

    private static void place(String name, String text) throws MalformedException {
        if (text == null || text.isEmpty() || text.length() > MAX_PLACE_LENGTH) {
            throw new MalformedException("`" + name + "` is not a text of 1 to " + MAX_PLACE_LENGTH + " characters");
        }
    }
}
