package realtime.analytics.source;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import org.apache.flink.util.FileUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.Reason;

/**
 * Archived records (contracts/archive.py), per partition in order of their position, each once: Firehose writes batches of
 * all shards, in no promised order, and may write one twice. What an earlier file is known to hold is left out.
 *
 * <p>A record is there twice where position and payload are equal. Archives of before there were sub-sequence numbers hold
 * all events of a packed record under one position: they are given in the order of their bytes, whatever their files.
 *
 * <p>Sorts on disk, in runs that fit into memory, so the archive may be larger than that.
 */
final class SortedArchive implements Closeable {
    /** Payload bytes that are sorted in memory. */
    private static final long RUN_BYTES = 64L << 20;
    /** What a record takes beside its payload. */
    private static final int RECORD_BYTES = 200;

    private static final Logger LOG = LoggerFactory.getLogger(SortedArchive.class);

    private static final Comparator<Entry> ORDER =
            Comparator.<Entry, String>comparing(entry -> entry.record.position, Position.ORDER)
                    .thenComparing(entry -> entry.record.payload, Arrays::compareUnsigned);

    /** A record, and whether it was read before. */
    private static final class Entry {
        final Intake record;
        final boolean isKnown;

        Entry(Intake record, boolean isKnown) {
            this.record = record;
            this.isKnown = isKnown;
        }
    }

    private final String prefix;
    private final File folder;
    private final long runBytes;
    private final Map<String, List<Entry>> run = new TreeMap<>();
    private final Map<String, Map<String, ArchivedRange>> ranges = new HashMap<>();
    private long bytes;
    private int runs;
    private final Map<String, List<File>> spilled = new LinkedHashMap<>();
    private final List<Closeable> open = new ArrayList<>();

    /** @param prefix below which the files lie. */
    SortedArchive(String prefix) throws IOException {
        this(prefix, RUN_BYTES);
    }

    SortedArchive(String prefix, long runBytes) throws IOException {
        this.prefix = prefix;
        this.folder = Files.createTempDirectory("archive").toFile();
        this.runBytes = runBytes;
    }

    /**
     * Takes the records of a file. What a refused or broken file cannot give is one rejected record.
     *
     * @throws FileNotFoundException when it is gone.
     */
    void add(String path, long modified) throws IOException {
        add(path, modified, false);
    }

    /** Takes the records of a file; a {@link BrokenFileException} when the store refuses it. */
    void addWhole(String path, long modified) throws IOException {
        add(path, modified, true);
    }

    private void add(String path, long modified, boolean isWhole) throws IOException {
        Map<String, ArchivedRange> held = new HashMap<>();
        try (ArchiveFile file = new ArchiveFile(prefix, path, modified)) {
            for (Intake record = file.next(); record != null; record = file.next()) {
                if (isWhole && file.isRefused()) {
                    throw BrokenFileException.refused(record.detail);
                }
                if (record.accepted()) {
                    String position = record.position;
                    held.computeIfAbsent(record.partition, unseen -> new ArchivedRange(position, position)).add(position);
                }
                take(record, false);
            }
        }
        ranges.put(path, held);
    }

    /** Leaves out what the file holds, of the partitions that are in files that were added; nothing where it is gone. */
    void addKnown(String path) throws IOException {
        try (ArchiveFile file = new ArchiveFile(prefix, path, 0)) {
            for (Intake record = file.next(); record != null; record = file.next()) {
                take(record, true);
            }
        } catch (FileNotFoundException gone) {
            LOG.warn("{} was read and is deleted: what it held and a new file holds again counts twice", path);
        }
    }

    /** By file and partition, what the files hold that were added. */
    Map<String, Map<String, ArchivedRange>> ranges() {
        return ranges;
    }

    private void take(Intake record, boolean isKnown) throws IOException {
        run.computeIfAbsent(record.partition, unseen -> new ArrayList<>()).add(new Entry(record, isKnown));
        bytes += record.payload.length + RECORD_BYTES;
        if (bytes >= runBytes) {
            spill();
        }
    }

    private void spill() throws IOException {
        for (Map.Entry<String, List<Entry>> each : run.entrySet()) {
            each.getValue().sort(ORDER);
            File file = new File(folder, Integer.toString(runs++));
            try (DataOutputStream out =
                    new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file.toPath())))) {
                for (Entry entry : each.getValue()) {
                    Intake record = entry.record;
                    out.writeUTF(record.source);
                    out.writeUTF(record.position);
                    out.writeLong(record.arrival);
                    out.writeBoolean(entry.isKnown);
                    out.writeUTF(record.accepted() ? "" : record.detail);
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
        Entry head;

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
            boolean isKnown = in.readBoolean();
            String detail = in.readUTF();
            byte[] payload = new byte[in.readInt()];
            in.readFully(payload);
            Intake record = new Intake(source, partition, position, arrival, payload);
            if (!detail.isEmpty()) {
                record.reject(Reason.MALFORMED, detail);
            }
            head = new Entry(record, isKnown);
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }

    /** Merges a partition's sorted files. */
    private static final class Merge implements PartitionReader {
        private final PriorityQueue<Run> queue =
                new PriorityQueue<>((one, other) -> ORDER.compare(one.head, other.head));
        private final List<Run> files = new ArrayList<>();
        private long given;

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
                Entry entry = poll();
                boolean isKnown = entry.isKnown;
                while (!queue.isEmpty() && ORDER.compare(queue.peek().head, entry) == 0) {
                    isKnown |= poll().isKnown;
                }
                if (!isKnown) {
                    given++;
                    return entry.record;
                }
            }
            return null;
        }

        private Entry poll() throws IOException {
            Run least = queue.poll();
            Entry entry = least.head;
            least.advance();
            if (least.head != null) {
                queue.add(least);
            }
            return entry;
        }

        @Override
        public void skip(long records) throws IOException {
            while (given < records && next() != null) {
                // left out
            }
        }

        @Override
        public long given() {
            return given;
        }

        @Override
        public void close() throws IOException {
            for (Run each : files) {
                each.close();
            }
        }
    }
}
