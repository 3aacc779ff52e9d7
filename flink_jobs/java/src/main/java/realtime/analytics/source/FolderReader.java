package realtime.analytics.source;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.Reason;

/**
 * The files of one folder, an event a line, in order of their addresses. An event's position is its file and line, its
 * arrival the file's time. A blank line is no event, and counts as a line. What a broken file cannot give is one rejected
 * record; a file that is gone is passed over and told.
 */
final class FolderReader implements PartitionReader {
    /** Of files that lie right below the prefix. */
    static final String NO_FOLDER = ".";

    private final String prefix;
    private final String partition;
    private final Iterator<Map.Entry<String, Long>> files;
    private final Consumer<String> finished;
    private final Consumer<String> gone;
    private EventFile file;
    private Map.Entry<String, Long> current;
    private String name;
    /** Lines that were read of the file. */
    private long line;
    private boolean broken;
    /** Whether a file was not there any more. */
    private boolean anyGone;

    private FolderReader(
            String prefix,
            String partition,
            List<Map.Entry<String, Long>> files,
            Consumer<String> finished,
            Consumer<String> gone) {
        this.prefix = prefix;
        this.partition = partition;
        this.files = files.iterator();
        this.finished = finished;
        this.gone = gone;
    }

    /**
     * A reader for each folder right below the prefix.
     *
     * @param files path and time of modification, in order of the paths.
     * @param finished is told each file of which nothing is left.
     * @param gone is told each file that was deleted before it was read.
     */
    static Map<String, PartitionReader> of(
            String prefix, Map<String, Long> files, Consumer<String> finished, Consumer<String> gone) {
        Map<String, List<Map.Entry<String, Long>>> folders = new LinkedHashMap<>();
        for (Map.Entry<String, Long> each : files.entrySet()) {
            // A copy: the caller may forget those that are finished.
            folders.computeIfAbsent(folder(prefix, each.getKey()), unseen -> new ArrayList<>())
                    .add(Map.entry(each.getKey(), each.getValue()));
        }
        Map<String, PartitionReader> readers = new LinkedHashMap<>();
        folders.forEach((folder, its) -> readers.put(folder, new FolderReader(prefix, folder, its, finished, gone)));
        return readers;
    }

    /** The folder right below the prefix that a file lies in: its partition. */
    static String folder(String prefix, String path) {
        String below = below(prefix, path);
        int end = below.indexOf('/');
        return end < 1 ? NO_FOLDER : below.substring(0, end); // an object of S3 may lie in a folder without a name
    }

    /** What a file's address has more than the prefix. */
    static String below(String prefix, String path) {
        return FileStore.of(prefix).below(prefix, path);
    }

    @Override
    public Intake next() throws IOException {
        while (file != null || open()) {
            if (!broken) {
                Intake record = read();
                if (record != null) {
                    return record;
                }
            }
            finish();
        }
        return null;
    }

    private Intake read() throws IOException {
        Intake record;
        do {
            record = readLine();
        } while (record != null && record.accepted() && EventFile.isBlank(record.payload));
        return record;
    }

    private Intake readLine() throws IOException {
        try {
            byte[] payload = file.next();
            return payload == null ? null : record(payload);
        } catch (BrokenFileException what) {
            broken = what.isEnd;
            Intake record = record(what.line);
            record.reject(Reason.MALFORMED, current.getKey() + ": " + what.getMessage());
            return record;
        }
    }

    private Intake record(byte[] payload) {
        return new Intake(prefix, partition, name + ":" + line++, current.getValue(), payload);
    }

    private boolean open() throws IOException {
        while (files.hasNext()) {
            current = files.next();
            String below = below(prefix, current.getKey());
            name = partition.equals(NO_FOLDER) ? below : below.substring(partition.length() + 1);
            line = 0;
            broken = false;
            try {
                file = new EventFile(current.getKey());
                return true;
            } catch (FileNotFoundException deleted) {
                anyGone = true;
                gone.accept(current.getKey());
            }
        }
        return false;
    }

    private void finish() throws IOException {
        file.close();
        file = null;
        line = 0;
        finished.accept(current.getKey());
    }

    /** Of the first file: those before it are finished, and not given any more. */
    @Override
    public void skip(long lines) throws IOException {
        if (lines == 0 || !open() || anyGone) {
            return;
        }
        while (!broken && line < lines && readLine() != null) {
            // left out
        }
    }

    @Override
    public long given() {
        return line;
    }

    @Override
    public void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }
}
