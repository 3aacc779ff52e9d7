package realtime.analytics.source;

import java.io.IOException;

/** The bytes of a file are no lines, or nobody gives them: reading them again would give the same. */
final class BrokenFileException extends IOException {
    private static final long serialVersionUID = 1L;

    /** What there was of the line. */
    final byte[] line;
    /** Whether nothing more can be read of the file. */
    final boolean isEnd;
    /** Whether the store refuses the file: its bytes may be whole. */
    final boolean isRefused;

    BrokenFileException(String message, byte[] line, boolean isEnd) {
        this(message, line, isEnd, false);
    }

    private BrokenFileException(String message, byte[] line, boolean isEnd, boolean isRefused) {
        super(message);
        this.line = line;
        this.isEnd = isEnd;
        this.isRefused = isRefused;
    }

    /** Of a file that the store does not give. */
    static BrokenFileException refused(String message) {
        return new BrokenFileException(message, new byte[0], true, true);
    }
}
