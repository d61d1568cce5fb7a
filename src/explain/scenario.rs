//! The pages for what can be wrong with a scenario, and with a scenario and its policy together.

use super::Page;

/// What is wrong with the text of a scenario.
pub(super) const WRITTEN: &[Page] = &[
    Page::new(
        "yaml",
        "a scenario is not the YAML that scenarios are written in",
        "Scenarios are one document of YAML 1.2: no tabs in the indentation, no aliases or anchors, no tags, and `yes`
and `no` are words and not truth values. The place is where the reader could not go on; the mistake is there or
shortly before it. Manifests are read more leniently, the way `kubectl` reads them; see FD101.",
    ),
    Page::new(
        "unknown-key",
        "a scenario has no such key here",
        "A misspelt key that is ignored would drop an expectation without a word, so every unknown key is an error. The
help names the key that was probably meant, or the mapping it belongs under. Some keys have their place in the
grammar already and do nothing yet (`disturb`, `traffic.shape`, `worker`, `alerted`); they are refused as well.",
    ),
    Page::new(
        "duplicate-key",
        "a key is written twice",
        "YAML readers disagree about which of the two counts. Keep one of them.",
    ),
    Page::new(
        "missing-key",
        "a key is missing",
        "Either the mapping is meaningless without it, or something else that is written asks for it: `outcome: FAIL`
needs a `because`, for instance. `firedrill explain` with the name of the key shows its manual and its default.",
    ),
    Page::new(
        "missing-value",
        "something is said without its value",
        "The key or word is right and what follows it is missing: an expectation without a bound, a mapping without
content. The help shows one that would do.",
    ),
    Page::new(
        "one-key",
        "exactly one key belongs here",
        "An item of `expect` or of `release.steps` is one key that says what it is, with its details below. Two keys in
one item usually mean a missing `-`, none or too many that the details are not indented:

    expect:
      - detected: {within: 3m}
      - restored: {within: 4m}",
    ),
    Page::new(
        "unknown-word",
        "a word is not among those that are understood here",
        "The value is one of a fixed list. The help names the nearest, or all of them.",
    ),
    Page::new(
        "wrong-type",
        "a value is of another type",
        "A mapping where a list belongs, a number where text belongs. Text that looks like a number or a truth value
needs quotes: `\"1.10\"`, `\"true\"`.",
    ),
    Page::new(
        "bad-value",
        "a value is of the right type and makes no sense",
        "Out of range, in an unknown unit, or not a name. Durations are written as Go writes them (`90s`, `1m30s`;
there is no `1d`), rates as `50/s`, shares as `8%`. Names of scenarios are also names of folders, so they are
lower-case letters, digits and hyphens.",
    ),
    Page::new(
        "bad-fault",
        "a fault makes no sense",
        "It can be read and cannot be served: a share above 100 %, percentiles that decrease, a status that is none. A
fault is checked whole before anything runs, because a fault that is not served as written proves nothing.",
    ),
    Page::new(
        "bad-metrics",
        "a metric profile makes no sense",
        "`metrics` describes what the stand-in server exports, for policies whose queries ask for names that no
built-in profile has. A name that Prometheus would refuse, a family that is there twice or a label that nothing
can fill would be missing on the day of the drill.",
    ),
    Page::new(
        "contradiction",
        "two parts of a scenario exclude each other",
        "Each is fine alone, and no run could satisfy both: a window that ends before it begins, a deadline after
`give-up-after`, `never: promoted` beside `promoted`, an onset of a release that has no fault. Change one of the
two places.",
    ),
    Page::new(
        "anchor-cycle",
        "expectations wait for each other",
        "Each is counted from the next with `after`, and the last from the first, so none of them could ever begin.
Count one of them from `applied` or `onset`, which come by themselves.",
    ),
];

/// What is wrong between a scenario, its policy and the world it shall run in.
pub(super) const PLANNED: &[Page] = &[
    Page::new(
        "no-scenario",
        "there is no scenario here",
        "The path was read and holds no scenario. A scenario is one YAML file with a `name`, a `policy`, a `release` and
what is expected of it; `firedrill schema` prints the grammar for editors.",
    ),
    Page::new(
        "no-rollout",
        "it is not clear which Rollout is under test",
        "`policy.manifests` hold no Rollout, none of the name given, or several with no name given. Set
`policy.rollout`. Paths are taken from the folder of the scenario. FD203 says the same of a policy that is
checked without a scenario.",
    ),
    Page::new(
        "unsupported-rollout",
        "this Rollout cannot be rewired for a drill",
        "firedrill replaces the image of one container in the pod template by a stand-in that suffers the fault, and
nothing else that decides about a release. The template is in the Rollout itself, or in the Deployment, ReplicaSet or
PodTemplate that its `workloadRef` names, whose manifest then has to be part of the policy. It needs a container, and
the strategy has to be `blueGreen` or `canary`.",
    ),
    Page::new(
        "no-service",
        "traffic is sent to a Service that is not there",
        "`traffic.to` names a role of the strategy (`active`, `preview`, `stable`, `canary`, `router`) that this Rollout does
not fill, or `service/<name>` with a name that is not among the manifests.",
    ),
    Page::new(
        "no-router",
        "users cannot come in by a router",
        "`to: router` sends requests by the Ingress or the VirtualService that the canary's `trafficRouting` names. The
strategy names none of them, or its manifest is not part of the policy. On a cluster the controller would refuse the
Rollout for it; on the twin nobody would be served.",
    ),
    Page::new(
        "no-step",
        "the canary has no such step",
        "`step` counts from 0, as `status.currentStepIndex` does. `at-least` may also name the number of steps, which
means that all of them are done; `at-most` may not, because nothing comes after them and nothing would be forbidden.
A scenario that patches the Rollout may bring steps of its own and is not checked.",
    ),
    Page::new(
        "no-port",
        "it is not clear which port of the Service is meant",
        "The Service has no port, not the one that was named, or several of which none is named. Set `traffic.port`.",
    ),
    Page::new(
        "no-container",
        "it is not clear which container serves the users",
        "A release changes the environment of one container. With several, or with one that is not there, set
`policy.container`.",
    ),
    Page::new(
        "no-receiver",
        "nobody sends what a `notified` waits for",
        "`by` names a notification service, and the ConfigMap `argo-rollouts-notification-configmap` of the policy has
no service of that name, or one of a kind that firedrill cannot receive. Slack and webhooks are received. Without
a service the expectation could only be broken by the scenario itself.",
    ),
    Page::new(
        "misplaced-notifications",
        "the notification ConfigMap lies where the controller does not look",
        "Argo Rollouts reads `argo-rollouts-notification-configmap` in its own namespace only. Anywhere else it is a ConfigMap
like any other: nothing is sent, and nobody is told that nothing is sent.",
    ),
    Page::new(
        "unsupported",
        "the twin does not imitate this",
        "As an error: the policy uses something that decides about the release and that the twin would have to ignore;
a verdict on what is left would be about another policy. As a note: a notification service that the twin does not
send by, which stops nothing because no expectation can name it. `firedrill explain twin` has the whole list.",
    ),
    Page::new(
        "same-name",
        "two scenarios have one name",
        "The name of a scenario names the folder of its run and its case in JUnit, so one run would overwrite the other.",
    ),
    Page::new(
        "unwritable",
        "a result cannot be written",
        "The folder of `--out` or the file of `--junit` cannot be created or written. Nothing was judged by this: give
it another place.",
    ),
];
