package realtime.analytics.jobs;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/** An open session: its edges, sums, first steps and the funnel's position, never its events. A Flink POJO. */
public class BehaviorState {
    public long start;
    public long last;
    public long count;
    public BigDecimal total = BigDecimal.ZERO.setScale(6);
    public List<String> steps = new ArrayList<>();
    public boolean moreSteps;
    /** How many steps of the funnel were seen, in their order. */
    public int funnel;
    /** The close timer that is set; Long.MIN_VALUE before the first. */
    public long timer = Long.MIN_VALUE;

    public BehaviorState() {}

    BehaviorState(long start) {
        this.start = start;
        this.last = start;
    }

    void add(long time, String eventType, BigDecimal amount, int maxSteps, List<String> funnelSteps) {
        last = time;
        count++;
        if (amount != null) {
            total = total.add(amount);
        }
        if (steps.size() < maxSteps) {
            steps.add(eventType);
        } else {
            moreSteps = true;
        }
        if (funnel < funnelSteps.size() && funnelSteps.get(funnel).equals(eventType)) {
            funnel++;
        }
    }
}
