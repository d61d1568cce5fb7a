//! Policies as other people write them: what they ask for is there, and nothing about them is refused.

use firedrill::verdict::Outcome;

use crate::support::{Folder, drill, each, root};

/// A policy of somebody else, and what only its scenario can know.
struct Stranger {
    name: &'static str,
    rollout: &'static str,
    more: &'static str,
    told: &'static str,
}

const STRANGERS: [Stranger; 4] = [
    Stranger { name: "mesh", rollout: "reviews", more: "", told: "" },
    Stranger { name: "borrowed", rollout: "orders", more: "", told: "" },
    Stranger {
        name: "webshop",
        rollout: "webshop",
        more: "",
        told: "  - notified: {by: pager, trigger: on-rollout-aborted, after: aborted, within: 15s, times: 1}\n",
    },
    Stranger {
        name: "grpc",
        rollout: "ledger",
        more: "metrics: {custom: {counter: ledger_rpcs_total, labels: {outcome: status}, constant: {team: ledger}}}\n",
        told: "",
    },
];

const BAD: &str = "release: {fault: {errors: {rate: 20%, status: 503}}}";
const GOOD: &str = "release: {healthy: true}";

fn ends(stranger: &Stranger, release: &str, expect: &str) -> Option<String> {
    let folder = Folder::new(stranger.name);
    folder.policy(&root().join("tests/data/policies").join(stranger.name));
    let text = format!(
        "name: {}\npolicy: {{manifests: [policy], rollout: {}}}\ntraffic: {{to: active}}\n{release}\n{}expect:\n{expect}",
        stranger.name, stranger.rollout, stranger.more
    );
    match drill(&folder.write("it.yaml", text), 1) {
        Ok(verdict) if verdict.outcome == Outcome::Pass => None,
        Ok(verdict) => {
            Some(format!("{}: {:#?}\n{:#?}", stranger.name, verdict.reasons, verdict.expectations))
        }
        Err(found) => Some(format!("{}: it was refused:\n{found}", stranger.name)),
    }
}

fn all(complaints: Vec<Option<String>>) {
    let complaints: Vec<String> = complaints.into_iter().flatten().collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn their_bad_releases_roll_back() {
    all(each(&STRANGERS, |stranger| {
        let expect = "  - detected: {within: 4m}\n  - aborted: {after: detected, within: 5s}\n  - restored: {within: 5m}\n  - never: promoted\n";
        ends(stranger, BAD, &format!("{expect}{}", stranger.told))
    }));
}

#[test]
fn their_healthy_releases_get_through() {
    all(each(&STRANGERS, |stranger| {
        ends(stranger, GOOD, "  - promoted: {within: 8m}\n  - never: aborted\n  - harmed: {at-most: 0}\n")
    }));
}
