//! The pages for the reasons a verdict gives: what the code means, and where to look next.

use crate::explain::Page;

/// One page for every code a [`super::Reason`] can carry.
pub const PAGES: &[Page] = &[
    Page::new(
        "broken",
        "an expectation was not met",
        "Something the scenario expects did not happen, happened too late, too early, too often, or did too much harm.
The run is a FAIL: the policy did not protect as promised. The timeline shows what happened instead.",
    ),
    Page::new(
        "gave-up",
        "the run ended before everything was decided",
        "`give-up-after` passed, or the run was interrupted, while an expectation could still go either way: usually because
the moment it counts from never came. Look at which moment is missing, and ask why.",
    ),
    Page::new(
        "cut-short",
        "the timeline has no end",
        "The recording stops before the run says that it ended. Nothing that is missing from it can be told from what never happened.",
    ),
    Page::new(
        "nothing-released",
        "the release was never written",
        "The run ended before the faulty revision reached the cluster, so nothing was tried. The entries before it say why.",
    ),
    Page::new(
        "no-traffic-on-new-revision",
        "nobody was served by the new revision",
        "The client never got an answer from the released revision. If the policy kept it away from users until it was analysed,
the analysis had nothing to measure either. Point `traffic.to` at the Service that reaches it (`preview` before the
promotion, `router` where a canary has its share from one), or expect what such a policy does: `never: promoted`.",
    ),
    Page::new(
        "fault-not-served",
        "the fault that was served is not the one that was asked for",
        "The client's counts lie outside the 99.9 % interval of what the fault predicts, or no pod was seen to suffer it.
A rollback of something else proves nothing about this fault.",
    ),
    Page::new(
        "no-measurement",
        "the new revision was never measured",
        "The policy has an analysis, but not one measurement of the new revision came to a result. Whatever undid the release,
it was not the condition this drill is about.",
    ),
    Page::new(
        "dirty-baseline",
        "the healthy version was not healthy",
        "Requests were harmed, or none were served, before the release. What happens afterwards cannot be blamed on it.",
    ),
    Page::new(
        "silent-receiver",
        "a receiver never proved reachable",
        "Before the release every receiver that an expectation names gets a test message. One that does not answer it well
proves nothing by its silence, and nothing by what it happens to receive.",
    ),
    Page::new(
        "watch-gap",
        "a watch lost events",
        "The API server closed a watch and its history no longer reached back far enough. Something may have happened unseen.",
    ),
    Page::new(
        "blind",
        "the API server was out of sight",
        "For more than a second after the release nobody answered at the API server, or watches were cut off. No event was
lost, but some are known late, and the controller may have been as blind as the harness: what was not in time cannot
be blamed on the policy, and what was proves less than it should. Run it again.",
    ),
    Page::new(
        "starved-agent",
        "the agent was too late itself",
        "More answers were slow than the scenario allows, but some of them while the agent's own requests left more than 100 ms
late: it was short of processor time, and what it called slow may not have been. Without those the limit holds, so nobody
can be blamed. Give the cluster's nodes more to spare, run fewer drills at once, or run it again.",
    ),
    Page::new(
        "clock-skew",
        "the clocks differ too much",
        "The agent's clock differs from the runner's by more than a tenth of a window, so the window means nothing.",
    ),
    Page::new(
        "control-failed",
        "a healthy release did not get through",
        "The control runs the same policy with a release that has no fault. It was aborted, raised an alarm, or never arrived.
A policy that rejects everything also rejects bad releases, and protects nobody.",
    ),
    Page::new(
        "bad-release-stayed",
        "a bad release became the stable version",
        "The scenario is about a rollback, and at the end a faulty revision is stable. One release was undone, and another got\nthrough. Expect `promoted` when that is meant, or `never: promoted` when it is not.",
    ),
    Page::new(
        "world-broke",
        "the world broke",
        "The API server, the agent or the harness itself failed. That is an ERROR, never a FAIL: the policy was not judged.",
    ),
];
