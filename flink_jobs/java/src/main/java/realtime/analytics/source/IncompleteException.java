package realtime.analytics.source;

import java.io.IOException;
import org.apache.flink.runtime.throwable.ThrowableAnnotation;
import org.apache.flink.runtime.throwable.ThrowableType;

/**
 * A backfill cannot read a file that it needs. Its job ends and is not restarted: another listing would not show a file that
 * was deleted, and the results would be incomplete without a word.
 */
@ThrowableAnnotation(ThrowableType.NonRecoverableError)
final class IncompleteException extends IOException {
    private static final long serialVersionUID = 1L;

    private IncompleteException(String message) {
        super(message);
    }

    static IncompleteException deleted(String file) {
        return new IncompleteException(
                file + " was deleted before the backfill had read it, and the results would be incomplete: restore the"
                        + " object's version, or choose a range without its hour, and begin again");
    }

    static IncompleteException refused(String file, BrokenFileException why) {
        return new IncompleteException(
                file + ": " + why.getMessage() + ". The results of the backfill would be incomplete: mend it, or choose a"
                        + " range without its hour, and begin again");
    }
}
