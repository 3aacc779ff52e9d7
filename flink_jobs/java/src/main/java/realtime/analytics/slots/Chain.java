package realtime.analytics.slots;

import java.util.List;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamEdge;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamGraphGenerator;
import org.apache.flink.streaming.api.graph.StreamingJobGraphGenerator;

/** Whether two operators are one task. */
public final class Chain {
    private Chain() {}

    /** True when the operator of {@code second} is chained to that of {@code first}, the only one that it reads. */
    public static boolean joins(DataStream<?> first, DataStream<?> second) {
        StreamExecutionEnvironment environment = second.getExecutionEnvironment();
        List<Transformation<?>> sinks = List.of(second.getTransformation());
        StreamGraph graph =
                new StreamGraphGenerator(
                                sinks,
                                environment.getConfig(),
                                environment.getCheckpointConfig(),
                                (Configuration) environment.getConfiguration())
                        .generate();
        List<StreamEdge> edges = graph.getStreamNode(second.getTransformation().getId()).getInEdges();
        return edges.size() == 1
                && graph.getSourceVertex(edges.get(0)).getTransformationUID() != null
                && graph.getSourceVertex(edges.get(0))
                        .getTransformationUID()
                        .equals(uid(first.getTransformation()))
                && StreamingJobGraphGenerator.isChainable(edges.get(0), graph);
    }

    /** A keyed stream is a partitioning behind the operator. */
    private static String uid(Transformation<?> transformation) {
        return transformation.getUid() != null || transformation.getInputs().size() != 1
                ? transformation.getUid()
                : uid(transformation.getInputs().get(0));
    }
}
