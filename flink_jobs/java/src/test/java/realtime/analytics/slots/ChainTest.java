package realtime.analytics.slots;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamUtils;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.junit.jupiter.api.Test;

class ChainTest {
    private static final class Same extends KeyedProcessFunction<Long, Long, Long> {
        private static final long serialVersionUID = 1L;

        @Override
        public void processElement(Long value, Context context, Collector<Long> out) {
            out.collect(value);
        }
    }

    private static StreamExecutionEnvironment environment() {
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
        environment.setParallelism(1);
        return environment;
    }

    private static SingleOutputStreamOperator<Long> first(StreamExecutionEnvironment environment) {
        return environment.fromSequence(0, 9).map(each -> each).returns(Types.LONG).uid("first");
    }

    /** Keyed without an exchange, as Slots hands over to the Python function. */
    private static KeyedStream<Long, Long> keyed(DataStream<Long> stream) {
        return DataStreamUtils.reinterpretAsKeyedStream(stream, each -> each, Types.LONG);
    }

    @Test
    void operatorsWithoutAnExchangeBetweenThemAreOneTask() {
        DataStream<Long> first = first(environment());
        KeyedStream<Long, Long> keyed = keyed(first);
        assertTrue(Chain.joins(keyed, keyed.process(new Same()).uid("second")));
        assertTrue(Chain.joins(first, keyed.process(new Same()).uid("third")));
    }

    @Test
    void notWhereChainingIsDisabled() {
        StreamExecutionEnvironment environment = environment();
        environment.disableOperatorChaining();
        KeyedStream<Long, Long> keyed = keyed(first(environment));
        assertFalse(Chain.joins(keyed, keyed.process(new Same()).uid("second")));
    }

    @Test
    void notWhereOneBeginsAChainOfItsOwn() {
        KeyedStream<Long, Long> keyed = keyed(first(environment()));
        assertFalse(Chain.joins(keyed, keyed.process(new Same()).uid("second").startNewChain()));
        assertFalse(Chain.joins(keyed, keyed.process(new Same()).uid("third").slotSharingGroup("other")));
    }

    @Test
    void notAtAnotherParallelism() {
        DataStream<Long> first = first(environment());
        assertFalse(Chain.joins(first, first.map(each -> each).returns(Types.LONG).uid("second").setParallelism(2)));
        // Flink itself refuses to split what is keyed already.
        DataStream<Long> keyed = keyed(first).process(new Same()).uid("third").setParallelism(2);
        assertThrows(UnsupportedOperationException.class, () -> Chain.joins(first, keyed));
    }

    @Test
    void notOverAnExchange() {
        DataStream<Long> first = first(environment());
        assertFalse(Chain.joins(first, first.keyBy(each -> each).process(new Same()).uid("second")));
    }

    @Test
    void notWithAnotherOperatorBetweenThem() {
        DataStream<Long> first = first(environment());
        DataStream<Long> between = first.map(each -> each).returns(Types.LONG).uid("between");
        assertFalse(Chain.joins(first, keyed(between).process(new Same()).uid("second")));
    }
}
