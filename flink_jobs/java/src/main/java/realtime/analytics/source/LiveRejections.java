package realtime.analytics.source;

import java.io.IOException;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.Reason;

/**
 * What the live run rejected for reasons that the archive of events alone does not show: a time behind others', a
 * duplicate in another partition. Read from the archive of rejections, JSON lines with partition, position and reason.
 */
final class LiveRejections {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Set<Reason> NOT_IN_THE_PAYLOAD =
            EnumSet.of(Reason.LATE, Reason.LATE_AFTER_IDLE, Reason.DUPLICATE);

    private final Map<String, Reason> reasons = new HashMap<>();

    void add(String path) throws IOException {
        try (EventFile file = new EventFile(path)) {
            for (byte[] line = file.next(); line != null; line = file.next()) {
                JsonNode node = MAPPER.readTree(line);
                Reason reason = Reason.of(node.required("reason").asText());
                if (NOT_IN_THE_PAYLOAD.contains(reason)) {
                    reasons.put(place(node.required("partition").asText(), node.required("position").asText()), reason);
                }
            }
        } catch (BrokenFileException | JsonProcessingException | IllegalArgumentException broken) {
            // Without it the backfill would count what was rejected.
            throw new IOException(path + " is no archive of rejections", broken);
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
