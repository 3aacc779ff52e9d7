package realtime.analytics.source;

import java.io.IOException;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import realtime.analytics.intake.BoundedJson;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.MalformedException;
import realtime.analytics.intake.Reason;

/**
 * What the live run rejected for reasons that the archive of events alone does not show: a time behind others', a
 * duplicate in another partition. Read from the archive of rejections, JSON lines with partition, position and reason.
 */
final class LiveRejections {
    private static final Set<Reason> NOT_IN_THE_PAYLOAD =
            EnumSet.of(Reason.LATE, Reason.LATE_AFTER_IDLE, Reason.DUPLICATE);

    private final BoundedJson json = new BoundedJson(EventFile.MAX_LINE_BYTES);
    private final Map<String, Reason> reasons = new HashMap<>();
    private String partition;
    private String position;
    private String reason;

    /**
     * Takes a file in.
     *
     * @throws IOException when the file cannot be read, or a line of it is no rejection: without that line the backfill would
     *     count what the live run rejected.
     */
    void add(String path) throws IOException {
        long line = 0;
        try (EventFile file = new EventFile(path)) {
            for (byte[] text = file.next(); text != null; text = file.next()) {
                line++;
                if (!EventFile.isBlank(text)) {
                    take(text);
                }
            }
        } catch (BrokenFileException | MalformedException broken) {
            throw new IOException(
                    path + ": line " + line + " is not a rejection (" + broken.getMessage() + "). Without it the backfill"
                            + " would count a rejected record: remove the line, or leave `backfill.rejections` out.",
                    broken);
        }
    }

    /** Takes a line in. */
    void take(byte[] text) throws MalformedException {
        partition = "";
        position = "";
        reason = "";
        json.read(text, this::take);
        Reason why = Reason.of(reason);
        if (why == null || partition.isEmpty() || position.isEmpty()) {
            throw new MalformedException("it has no `reason` of the contract, `partition` and `position`");
        }
        if (NOT_IN_THE_PAYLOAD.contains(why)) {
            reasons.put(place(partition, position), why);
        }
    }

    private void take(String name, JsonParser value) throws IOException {
        String text = value.currentToken() == JsonToken.VALUE_STRING ? value.getText() : "";
        switch (name) {
            case "partition":
                partition = text;
                break;
            case "position":
                position = text;
                break;
            case "reason":
                reason = text;
                break;
            default:
                break;
        }
    }

    /** Why the record was rejected, or null. */
    Reason of(Intake record) {
        return reasons.get(place(record.partition, record.position));
    }

    private static String place(String partition, String position) {
        return partition + ' ' + position;
    }
}
