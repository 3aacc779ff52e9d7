package realtime.analytics.sql;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.transformations.PhysicalTransformation;

/**
 * Gives the operators that the SQL planner made for one job ids of that job, so that adding, removing or changing another
 * job keeps this one's state on restore. Flink's own ids count across the whole graph.
 */
public final class OperatorIds {
    private OperatorIds() {}

    /**
     * Walks from a job's rows up to the shared events; numbers the operators that have no id by their distance, in the
     * planner's order of inputs: a function of this job's plan alone.
     */
    public static void assign(DataStream<?> rows, DataStream<?> events, String job) {
        Deque<Transformation<?>> toVisit = new ArrayDeque<>();
        Set<Integer> seen = new HashSet<>();
        toVisit.add(rows.getTransformation());
        // The events are a union of streams, each of which is shared: the walk ends at whatever has an id already.
        int number = 0;
        while (!toVisit.isEmpty()) {
            Transformation<?> next = toVisit.remove();
            boolean shared = next == events.getTransformation() || next.getUid() != null;
            if (!seen.add(next.getId()) || shared) {
                continue;
            }
            if (next instanceof PhysicalTransformation) {
                next.setUid(job + "-sql-" + number++);
            }
            toVisit.addAll(next.getInputs());
        }
    }
}
