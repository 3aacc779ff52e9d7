package realtime.analytics.intake;

import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.types.Row;

/** From decoded records to the two streams that everything else reads: accepted events and rejected records. */
public final class IntakeGraph {
    private final DataStream<Row> events;
    private final DataStream<Intake> rejected;

    private IntakeGraph(DataStream<Row> events, DataStream<Intake> rejected) {
        this.events = events;
        this.rejected = rejected;
    }

    /**
     * The records' two streams.
     *
     * @param duplicateWindowMillis how far apart two events of one event_id must be; 0 switches the check off.
     * @param own those of the contract by which the records were decoded.
     */
    public static IntakeGraph attach(DataStream<Intake> records, long duplicateWindowMillis, OwnFields own) {
        // At the source's parallelism, so that a partition's records keep their order: of two events of one event_id
        // the first is accepted.
        SingleOutputStreamOperator<Intake> plain =
                records.process(new Verdicts(duplicateWindowMillis > 0))
                        .setParallelism(records.getParallelism())
                        .name("verdicts")
                        .uid("intake-verdicts");
        DataStream<Row> events = accept(plain, own, "intake-accept");
        DataStream<Intake> rejected = plain.getSideOutput(Verdicts.REJECTED);
        if (duplicateWindowMillis > 0) {
            SingleOutputStreamOperator<Intake> unique =
                    plain.getSideOutput(Verdicts.IDENTIFIED)
                            .keyBy(record -> record.eventId)
                            .process(new Deduplicate(duplicateWindowMillis))
                            .name("duplicates")
                            .uid("intake-duplicates");
            events = events.union(accept(unique, own, "intake-accept-identified"));
            rejected = rejected.union(unique.getSideOutput(Verdicts.REJECTED));
        }
        return new IntakeGraph(events, rejected);
    }

    private static DataStream<Row> accept(DataStream<Intake> records, OwnFields own, String uid) {
        return records.process(new Accept(own)).returns(Events.type(own)).name("accepted events").uid(uid);
    }

    public DataStream<Row> events() {
        return events;
    }

    public DataStream<Intake> rejected() {
        return rejected;
    }
}
