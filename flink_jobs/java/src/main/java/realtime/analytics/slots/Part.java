package realtime.analytics.slots;

import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple4;

/** Events of a group in [start, end), epoch milliseconds, as columns: what crosses the exchange. */
final class Part {
    static final TypeInformation<Tuple4<Long, Long, Long, byte[]>> TYPE =
            Types.TUPLE(
                    Types.LONG, Types.LONG, Types.LONG, PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO);

    private static final long NO_TIME = -1;
    private static final byte[] NONE = {};

    private Part() {}

    static Tuple4<Long, Long, Long, byte[]> of(long group, long start, long end, byte[] columns) {
        return Tuple4.of(group, start, end, columns);
    }

    /** No events: makes the group known to whoever holds its state. */
    static Tuple4<Long, Long, Long, byte[]> wake(long group) {
        return Tuple4.of(group, NO_TIME, NO_TIME, NONE);
    }

    static boolean isWake(Tuple4<Long, Long, Long, byte[]> part) {
        return part.f2 == NO_TIME;
    }
}
