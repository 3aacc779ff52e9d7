package realtime.analytics.source;

import java.io.IOException;

/** The bytes of a file are no lines: reading them again would give the same. */
final class BrokenFileException extends IOException {
    private static final long serialVersionUID = 1L;

    /** What there was of the line. */
    final byte[] line;
    /** Whether nothing more can be read of the file. */
    final boolean isEnd;

    BrokenFileException(String message, byte[] line, boolean isEnd) {
        super(message);
        this.line = line;
        this.isEnd = isEnd;
    }
}
