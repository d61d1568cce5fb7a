//! The words of stories and reports, and what the program answers to whoever started it.
//!
//! Moments that are also keys of a scenario are explained here by what they *are*; how to expect one is said by the
//! reference of scenarios, and `firedrill explain` prints both.

use super::Page;

/// What firedrill calls things.
pub(super) const WORDS: &[Page] = &[
    Page::new(
        "scenario",
        "one file: a policy, a release, traffic, expectations",
        "A scenario says which policy is under test, what is released under which load, and what has to happen then. It
never edits the policy: manifests are read as their owner wrote them.",
    ),
    Page::new(
        "release",
        "the act that creates a new revision",
        "The fault travels inside the release, in the environment of the pod template. So it comes with the new revision
and leaves with it: whatever undoes the release undoes the fault, and nothing else does.",
    ),
    Page::new(
        "applied",
        "the moment the release was written to the cluster",
        "It comes before anybody is harmed. Windows of healthy releases, of `promoted` and of `paused` count from it;
others count from `onset`.",
    ),
    Page::new(
        "onset",
        "the first harmed response from the new revision",
        "As the client saw it, not as any metric shows it. From here users suffer, so from here rollbacks are timed. A
release without a fault has no onset.",
    ),
    Page::new(
        "harmed",
        "a response that broke the user's promise",
        "An error status, a refused connection, a time-out, or an answer slower than `traffic.slo`.
The client that sent the requests counts them; no metric of the server has a say in it.",
    ),
    Page::new(
        "detected",
        "the analysis that dooms the release has come to its conclusion",
        "The AnalysisRun reached `Failed` or `Error`. From onset to here is what scraping, windows, intervals and limits
cost, and usually most of the way.",
    ),
    Page::new(
        "aborted",
        "the controller gave the release up",
        "`status.abort` is set and its condition is visible. Users may still be served by the bad revision.",
    ),
    Page::new(
        "switched-back",
        "traffic is pointed at the stable revision again",
        "With blue-green the selector of the Service, with canary the weight of the router. A canary without a router has
its share by the number of its pods: then it is the moment when none of them is ready any more. Connections that are
kept alive may go on reaching the old pods for as long as those live; a router shares out the requests on them like
all others.",
    ),
    Page::new(
        "restored",
        "the users are well again",
        "The last harmed response, confirmed by a hold of clean traffic: `hold` in the scenario, 10 seconds by default.
This is the moment that counts for users, and it can come without an abort.",
    ),
    Page::new(
        "promoted",
        "the new revision became the stable one",
        "For a bad release this is the failure itself: `never: promoted` expects that it does not happen. For the control
it is what has to happen.",
    ),
    Page::new(
        "paused",
        "the rollout waits",
        "For a person, for a countdown, or at a step. A pause is no protection from harm that has already begun.",
    ),
    Page::new(
        "scaled-down",
        "the aborted revision has no pods left",
        "It comes after the abort delay (`abortScaleDownDelaySeconds`, 30 seconds unless the Rollout says otherwise).",
    ),
    Page::new(
        "pods-back",
        "after an abort the stable revision has its pods again",
        "As many ready pods as before the release. A canary may have taken the place of some (without a router, or with
`dynamicStableScale`), and until they are back the others carry the whole load. Where none went, the moment is that of
the abort.",
    ),
    Page::new(
        "step",
        "how far through its steps a canary got",
        "`status.currentStepIndex`, from 0, while the released revision is the current one: the step that is carried out or
waited in. An abort sets it back to 0, which is no way back: what counts is how far it ever got. When all steps are
done it is their number.",
    ),
    Page::new(
        "router",
        "the object that shares out a canary's requests",
        "An Ingress or a VirtualService, named by `trafficRouting`. `traffic.to: router` sends requests by it: each is drawn
by the weight that the object carries at that moment, headers and cookies first where it asks for them, and then
goes to a ready pod of the chosen Service or subset. Mirrored copies reach their pods, and nobody waits for their
answers. `to: stable` and `to: canary` talk to those Services themselves and pass an Ingress by.",
    ),
    Page::new(
        "notified",
        "a receiver got the message",
        "What counts is what arrived, not what was sent: the request that reached the receiver, with its text. A
notification is what Argo sends; an alert is what Alertmanager sends.",
    ),
    Page::new(
        "blast-radius",
        "how much harm a release did",
        "Harmed requests since the release was applied: their exact number, their share of all, the longest run of them,
and the largest share of a second's traffic that reached the new revision.",
    ),
    Page::new(
        "control",
        "the same policy with a healthy release",
        "It runs beside every scenario on the twin and has to be promoted, or to reach the pause where the policy leaves
promotion to a person, without an abort and without an alarm. A policy that rejects everything also rejects bad
releases, and protects nobody. See `control-failed`.",
    ),
    Page::new(
        "expectation",
        "something that has to happen, or must not",
        "At the end of a run each is held, broken or undecided. The order of the list means nothing; order comes from
`after`.",
    ),
    Page::new(
        "held",
        "an expectation was met",
        "What was expected happened, within its window and as often as was asked. See `broken` and `undecided`.",
    ),
    Page::new(
        "undecided",
        "nobody can tell whether an expectation was met",
        "The run ended while it could still go either way. Undecided is never broken: it makes a run INCONCLUSIVE, for
instance because of `gave-up` or `cut-short`.",
    ),
];

/// The four verdicts.
pub(super) const VERDICTS: &[Page] = &[
    Page::new(
        "PASS",
        "everything held, and it means something",
        "Every expectation held and no guard objects: the fault was served, the new revision was reached and measured,
receivers were reachable, nothing was lost from sight, and the control got through.",
    ),
    Page::new(
        "FAIL",
        "an expectation is broken",
        "The policy did not protect as the scenario says it should. The reason `broken` names what happened instead. A
scenario with `outcome: FAIL` documents a defect: it is green as long as it fails for the reason in `because`.",
    ),
    Page::new(
        "INCONCLUSIVE",
        "there is not enough evidence",
        "Nothing is broken, and yet nothing is proved: an expectation stayed undecided, or a guard objects. The reasons
say which. It is not a weaker PASS; nobody knows what the policy would have done.",
    ),
    Page::new(
        "ERROR",
        "the world or the harness broke",
        "The API server, the agent or firedrill itself failed, so the policy was not judged. See `world-broke`.",
    ),
];

/// What the program answers to a shell.
pub(super) const PROGRAM: &[Page] = &[
    Page::new(
        "exit-codes",
        "what the exit code of firedrill says",
        "They are a promise: pipelines branch on them. When several scenarios end differently, the first of 130, 2, 4, 1, 3
that occurred is answered.

      0  every scenario ended as its author wanted: PASS, or the documented outcome
      1  a scenario is a FAIL, or did not end as documented
      2  the input is wrong: flags, scenarios, policies, folders
      3  a scenario is INCONCLUSIVE, and none failed
      4  the world or the harness broke
      5  there is nothing to run
    130  interrupted, and cleaned up",
    ),
    Page::new(
        "agent",
        "the part of a drill that lives in the cluster",
        "`firedrill agent` runs as a pod: it sends the traffic and receives the notifications, because neither can be done
well from outside of a cluster. A run installs it, commands it through the API server's proxy, and deletes it.

  - Requests leave when they are due, however the answers do, and are measured from that moment: who had to wait behind
    a slow answer is counted. What the agent has no means to send is told as `unsent`, and held against nobody.
  - A request belongs to the revision that its answer names in `x-revision`. One that is refused or given up on before
    an answer begins belongs to nobody.
  - Kept connections carry one request at a time, as HTTP/1.1 does; one that is given up on is closed.
  - Commands need the run's secret, in the header `x-firedrill-secret`. Receivers have a token of it in their address,
    which is not enough to command. `/healthz` and `/readyz` are open.
  - Without a command for `--heartbeat`, the traffic ends and then the agent. On SIGTERM the same, within a second.
  - A receiver that a scenario calls down closes the connection without an answer.",
    ),
];
