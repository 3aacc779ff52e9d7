package realtime.analytics.source;

import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import realtime.analytics.intake.Intake;

/** How far one partition has been read, for the connector, which pauses those that are too far ahead. */
final class Front implements WatermarkGenerator<Intake> {
    private long newest = Long.MIN_VALUE;

    @Override
    public void onEvent(Intake record, long timestamp, WatermarkOutput output) {
        if (record.payload != null && record.accepted()) {
            newest = Math.max(newest, record.clockTime());
        }
    }

    @Override
    public void onPeriodicEmit(WatermarkOutput output) {
        if (newest != Long.MIN_VALUE) {
            output.emitWatermark(new Watermark(newest));
        }
    }
}
