package realtime.analytics.source;

import java.io.Closeable;
import java.io.IOException;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.MalformedException;
import realtime.analytics.intake.Reason;

/**
 * The records of a file of the archive (contracts/archive.py), not decoded. What is no line of the archive is rejected: it
 * belongs to no shard, its place is its file and line.
 */
final class ArchiveFile implements Closeable {
    /** The partition of what belongs to no shard. */
    static final String NO_SHARD = ".";

    private final ArchivedRecord archived = new ArchivedRecord();
    private final String prefix;
    private final String name;
    private final long modified;
    private final EventFile file;
    private long line;
    private boolean refused;
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
            while (text != null && EventFile.isBlank(text)) {
                line++;
                text = file.next();
            }
            return text == null ? null : record(text);
        } catch (BrokenFileException what) {
            broken = what.isEnd;
            refused = what.isRefused;
            return rejected(what.line, what.getMessage());
        }
    }

    /** Whether the store refused to give it, or its rest: the last record says so. */
    boolean isRefused() {
        return refused;
    }

    private Intake record(byte[] text) {
        try {
            Intake record = archived.read(text);
            line++;
            return record;
        } catch (MalformedException what) {
            return rejected(text, "not a line of the archive: " + what.getMessage());
        }
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
