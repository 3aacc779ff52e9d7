package realtime.analytics.source;

import java.io.Closeable;
import java.io.IOException;
import realtime.analytics.intake.Intake;

/** The records of one partition in the order of its log, not decoded; what is none is rejected already. */
interface PartitionReader extends Closeable {
    /** The next record, or null after the last one. */
    Intake next() throws IOException;

    /** Leaves out so many records that had been taken before; called once, before anything else. */
    void skip(long records) throws IOException;

    /** How many records it would have to leave out to go on from here. */
    long given();
}
