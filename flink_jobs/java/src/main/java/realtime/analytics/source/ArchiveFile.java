package realtime.analytics.source;

import java.io.Closeable;
import java.io.IOException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.Reason;

/**
 * The records of a file of the archive (contracts/archive.py), not decoded. What is no line of the archive is rejected: it
 * belongs to no shard, its place is its file and line.
 */
final class ArchiveFile implements Closeable {
    /** The partition of what belongs to no shard. */
    static final String NO_SHARD = ".";

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final String prefix;
    private final String name;
    private final long modified;
    private final EventFile file;
    private long line;
    private boolean broken;

    /** @param modified when the file was written, epoch milliseconds: the arrival of what has none of its own. */
    ArchiveFile(String prefix, String path, long modified) throws IOException {
        this.prefix = prefix;
        this.name = FolderReader.below(prefix, path);
        this.modified = modified;
        this.file = new EventFile(path);
    }

    /** The next record, or null after the last one. */
    Intake next() throws IOException {
        if (broken) {
            return null;
        }
        try {
            byte[] text = file.next();
            return text == null ? null : record(text);
        } catch (BrokenFileException what) {
            broken = what.isEnd;
            return rejected(what.line, what.getMessage());
        }
    }

    private Intake record(byte[] text) throws IOException {
        JsonNode node;
        byte[] payload;
        try {
            node = MAPPER.readTree(text);
            payload = node == null || !node.path("payload").isTextual() ? null : node.get("payload").binaryValue();
        } catch (JsonProcessingException what) {
            return rejected(text, "not a line of the archive: no JSON, or no base64");
        }
        for (String name : new String[] {"source", "partition", "position"}) {
            if (payload == null || !node.path(name).isTextual() || node.get(name).textValue().isEmpty()) {
                return rejected(text, "not a line of the archive: `" + (payload == null ? "payload" : name) + "` is missing");
            }
        }
        if (!node.path("arrival_time").canConvertToLong()) {
            return rejected(text, "not a line of the archive: `arrival_time` is missing");
        }
        line++;
        return new Intake(
                node.get("source").textValue(),
                node.get("partition").textValue(),
                node.get("position").textValue(),
                node.get("arrival_time").longValue(),
                payload);
    }

    private Intake rejected(byte[] text, String why) {
        Intake record = new Intake(prefix, NO_SHARD, name + ":" + line++, modified, text);
        record.reject(Reason.MALFORMED, why);
        return record;
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
