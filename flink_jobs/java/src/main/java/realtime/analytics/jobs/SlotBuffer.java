package realtime.analytics.jobs;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;

/**
 * A key's events ahead of the watermark, in slots of time that are drained as a whole. RocksDB rewrites an entry at each
 * append, so an entry does not grow beyond sixteen events unless a batch is larger: one read and one write a batch,
 * whatever the rate.
 */
final class SlotBuffer<E> {
    private static final int CHUNK = 16;

    /** Slot to the number of its full chunks and the events of the last one. */
    private final MapState<Long, Tuple2<Integer, List<E>>> tails;
    /** (slot, chunk) to events. */
    private final MapState<Tuple2<Long, Integer>, List<E>> chunks;

    SlotBuffer(RuntimeContext context, TypeInformation<E> event) {
        TypeInformation<List<E>> events = Types.LIST(event);
        tails = context.getMapState(new MapStateDescriptor<>("tails", Types.LONG, Types.TUPLE(Types.INT, events)));
        chunks =
                context.getMapState(
                        new MapStateDescriptor<>("chunks", Types.TUPLE(Types.LONG, Types.INT), events));
    }

    /** Adds events; true when they are the slot's first. */
    boolean add(long slot, List<E> events) throws Exception {
        Tuple2<Integer, List<E>> tail = tails.get(slot);
        boolean first = tail == null;
        if (first) {
            tail = Tuple2.of(0, events);
        } else if (tail.f1.size() + events.size() > CHUNK) {
            chunks.put(Tuple2.of(slot, tail.f0), tail.f1);
            tail = Tuple2.of(tail.f0 + 1, events);
        } else {
            List<E> longer = new ArrayList<>(tail.f1.size() + events.size());
            longer.addAll(tail.f1);
            longer.addAll(events);
            tail = Tuple2.of(tail.f0, longer);
        }
        tails.put(slot, tail);
        return first;
    }

    /** Takes the slot's events out, in the order of their coming; empty where there are none. */
    List<E> drain(long slot) throws Exception {
        Tuple2<Integer, List<E>> tail = tails.get(slot);
        if (tail == null) {
            return List.of();
        }
        List<E> events = new ArrayList<>((tail.f0 + 1) * tail.f1.size());
        for (int chunk = 0; chunk < tail.f0; chunk++) {
            Tuple2<Long, Integer> key = Tuple2.of(slot, chunk);
            events.addAll(chunks.get(key));
            chunks.remove(key);
        }
        events.addAll(tail.f1);
        tails.remove(slot);
        return events;
    }
}
