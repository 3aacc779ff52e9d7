package realtime.analytics.source;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.util.FileUtils;
import realtime.analytics.intake.Intake;

/**
 * Archived records (contracts/archive.py), per partition in order of their position, each once: Firehose writes batches of
 * all shards, in no promised order, and may write one twice.
 *
 * <p>Sorts on disk, in runs that fit into memory, so the archive may be larger than that.
 */
final class SortedArchive implements Closeable {
    /** Payload bytes that are sorted in memory. */
    private static final long RUN_BYTES = 64L << 20;
    /** What a record takes beside its payload. */
    private static final int RECORD_BYTES = 200;

    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** Numbers of any length: sequence numbers have 56 digits. */
    private static final Comparator<Intake> BY_POSITION =
            Comparator.<Intake>comparingInt(record -> record.position.length())
                    .thenComparing(record -> record.position);

    private final File folder;
    private final long runBytes;
    private final Map<String, List<Intake>> run = new TreeMap<>();
    private long bytes;
    private int runs;
    private final Map<String, List<File>> spilled = new LinkedHashMap<>();
    private final List<Closeable> open = new ArrayList<>();

    SortedArchive() throws IOException {
        this(RUN_BYTES);
    }

    SortedArchive(long runBytes) throws IOException {
        this.folder = Files.createTempDirectory("archive").toFile();
        this.runBytes = runBytes;
    }

    /** Takes the lines of a file. */
    void add(String path) throws IOException {
        try (EventFile file = new EventFile(path)) {
            for (byte[] line = file.next(); line != null; line = file.next()) {
                JsonNode node = MAPPER.readTree(line);
                Intake record =
                        new Intake(
                                node.required("source").asText(),
                                node.required("partition").asText(),
                                node.required("position").asText(),
                                node.required("arrival_time").asLong(),
                                node.required("payload").binaryValue());
                run.computeIfAbsent(record.partition, unseen -> new ArrayList<>()).add(record);
                bytes += record.payload.length + RECORD_BYTES;
                if (bytes >= runBytes) {
                    spill();
                }
            }
        }
    }

    private void spill() throws IOException {
        for (Map.Entry<String, List<Intake>> each : run.entrySet()) {
            each.getValue().sort(BY_POSITION);
            File file = new File(folder, Integer.toString(runs++));
            try (DataOutputStream out =
                    new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file.toPath())))) {
                for (Intake record : each.getValue()) {
                    out.writeUTF(record.source);
                    out.writeUTF(record.position);
                    out.writeLong(record.arrival);
                    out.writeInt(record.payload.length);
                    out.write(record.payload);
                }
            }
            spilled.computeIfAbsent(each.getKey(), unseen -> new ArrayList<>()).add(file);
        }
        run.clear();
        bytes = 0;
    }

    /** A reader for each partition; nothing is added any more. */
    Map<String, PartitionReader> readers() throws IOException {
        spill();
        Map<String, PartitionReader> readers = new HashMap<>();
        for (Map.Entry<String, List<File>> each : spilled.entrySet()) {
            Merge merge = new Merge(each.getKey(), each.getValue());
            readers.put(each.getKey(), merge);
            open.add(merge);
        }
        return readers;
    }

    @Override
    public void close() throws IOException {
        for (Closeable each : open) {
            each.close();
        }
        FileUtils.deleteDirectory(folder);
    }

    /** A sorted file and its first record that was not taken. */
    private static final class Run implements Closeable {
        private final String partition;
        private final DataInputStream in;
        Intake head;

        Run(String partition, File file) throws IOException {
            this.partition = partition;
            this.in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file.toPath())));
            advance();
        }

        void advance() throws IOException {
            String source;
            try {
                source = in.readUTF();
            } catch (EOFException end) {
                head = null;
                return;
            }
            String position = in.readUTF();
            long arrival = in.readLong();
            byte[] payload = new byte[in.readInt()];
            in.readFully(payload);
            head = new Intake(source, partition, position, arrival, payload);
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }

    /** Merges a partition's sorted files. */
    private static final class Merge implements PartitionReader {
        private final PriorityQueue<Run> queue =
                new PriorityQueue<>((one, other) -> BY_POSITION.compare(one.head, other.head));
        private final List<Run> files = new ArrayList<>();
        private String last;

        Merge(String partition, List<File> sorted) throws IOException {
            for (File each : sorted) {
                Run opened = new Run(partition, each);
                files.add(opened);
                if (opened.head != null) {
                    queue.add(opened);
                }
            }
        }

        @Override
        public Intake next() throws IOException {
            while (!queue.isEmpty()) {
                Run least = queue.poll();
                Intake record = least.head;
                least.advance();
                if (least.head != null) {
                    queue.add(least);
                }
                if (!record.position.equals(last)) {
                    last = record.position;
                    return record;
                }
            }
            return null;
        }

        @Override
        public void close() throws IOException {
            for (Run each : files) {
                each.close();
            }
        }
    }
}
