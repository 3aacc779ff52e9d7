package realtime.analytics.source;

import java.io.Closeable;
import java.io.IOException;
import realtime.analytics.intake.Intake;

/** The records of one partition in the order of its log, not decoded. */
interface PartitionReader extends Closeable {
    /** The next record, or null after the last one. */
    Intake next() throws IOException;
}
