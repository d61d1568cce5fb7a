//! Events, word for word.

use insta::assert_snapshot;
use serde_json::json;

use super::bench::Bench;

#[test]
fn the_events_of_an_update_read_as_upstream_words_them() {
    let mut bench = Bench::deployed(json!({"autoPromotionSeconds": 2}));
    bench.verbose = true;
    bench.release("v2");
    bench.seconds(60);
    let trace = bench.take_trace();
    let events: Vec<&str> = trace.lines().filter_map(|line| line.strip_prefix("event ")).collect();
    assert_snapshot!(events.join("\n"), @r"
    RolloutUpdated: Rollout updated to revision 2
    NewReplicaSetCreated: Created ReplicaSet app-v2 (revision 2)
    SwitchService: Switched selector for service 'app-preview' from 'v1' to 'v2'
    RolloutNotCompleted: Rollout not completed, started update to revision 2 (v2)
    ScalingReplicaSet: Scaled up ReplicaSet app-v2 (revision 2) from 0 to 2
    RolloutPaused: Rollout is paused (BlueGreenPause)
    SwitchService: Switched selector for service 'app-active' from 'v1' to 'v2'
    RolloutCompleted: Rollout completed update to revision 2 (v2): Completed blue-green update
    RolloutResumed: Rollout is resumed
    ScalingReplicaSet: Scaled down ReplicaSet app-v1 (revision 1) from 2 to 0
    ");
}
