package realtime.analytics.source;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.core.fs.Path;
import realtime.analytics.intake.Intake;

/**
 * The files of one folder, an event a line, in order of their paths. An event's position is its file and line, its
 * arrival the file's time.
 */
final class FolderReader implements PartitionReader {
    /** Of files that lie right below the prefix. */
    private static final String NO_FOLDER = ".";

    private final String prefix;
    private final String partition;
    private final Iterator<Map.Entry<String, Long>> files;
    private EventFile file;
    private String name;
    private long arrival;
    private long line;

    private FolderReader(String prefix, String partition, List<Map.Entry<String, Long>> files) {
        this.prefix = prefix;
        this.partition = partition;
        this.files = files.iterator();
    }

    /**
     * A reader for each folder right below the prefix.
     *
     * @param files path and time of modification, in order of the paths.
     */
    static Map<String, PartitionReader> of(String prefix, Map<String, Long> files) {
        Map<String, List<Map.Entry<String, Long>>> folders = new LinkedHashMap<>();
        for (Map.Entry<String, Long> each : files.entrySet()) {
            String below = below(prefix, each.getKey());
            int end = below.indexOf('/');
            String folder = end < 0 ? NO_FOLDER : below.substring(0, end);
            folders.computeIfAbsent(folder, unseen -> new ArrayList<>()).add(each);
        }
        Map<String, PartitionReader> readers = new LinkedHashMap<>();
        folders.forEach((folder, its) -> readers.put(folder, new FolderReader(prefix, folder, its)));
        return readers;
    }

    /** Paths are compared without their scheme: file systems write it in different ways. */
    private static String below(String prefix, String path) {
        String folder = new Path(prefix).toUri().getPath();
        String whole = new Path(path).toUri().getPath();
        return whole.substring(folder.endsWith("/") ? folder.length() : folder.length() + 1);
    }

    @Override
    public Intake next() throws IOException {
        while (true) {
            if (file == null) {
                if (!files.hasNext()) {
                    return null;
                }
                Map.Entry<String, Long> next = files.next();
                file = new EventFile(next.getKey());
                String below = below(prefix, next.getKey());
                name = partition.equals(NO_FOLDER) ? below : below.substring(partition.length() + 1);
                arrival = next.getValue();
                line = 0;
            }
            byte[] payload = file.next();
            if (payload != null) {
                return new Intake(prefix, partition, name + ":" + line++, arrival, payload);
            }
            file.close();
            file = null;
        }
    }

    @Override
    public void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }
}
