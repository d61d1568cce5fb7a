//! The pages for what can be wrong with input before a rule has looked at it.

use super::Page;
use crate::argo::policy::{DUPLICATE, EMPTY, MISSING, NO_OBJECT, NO_ROLLOUT, STRATEGY, UNKNOWN_KIND};
use crate::cli::files::UNREADABLE;
use crate::yaml::{LIMITS, SHAPE, SYNTAX, TEMPLATE};

pub(super) const PAGES: &[Page] = &[
    Page::new(
        SYNTAX,
        "the text is not YAML",
        "The place is where the reader could not go on; the mistake is there or shortly before it. Usual causes: a tab
in the indentation, a value with `: ` or ` #` in it that needs quotes, a quote or bracket that is never
closed. Other documents of the same file are read nevertheless.",
    ),
    Page::new(
        SHAPE,
        "the text is YAML of another shape",
        "A key that does not exist, a key written twice, a word where a number belongs. Keys written twice are an
error although some readers accept them, because those silently keep the last one.",
    ),
    Page::new(
        LIMITS,
        "the text is too large or too deeply nested",
        "Files are read up to 4 MiB, 48 levels and 2000 documents; what aliases repeat counts in full. Manifests that
people write stay far below, and no cluster takes a single object above 1.5 MiB. Scenarios may not have
aliases at all.",
    ),
    Page::new(
        TEMPLATE,
        "this has to be rendered first",
        "Helm charts and kustomizations are not manifests yet: what they say depends on values that firedrill does not
have. Render them and give firedrill the result:

    helm template my-release ./chart --values prod.yaml > rendered.yaml
    kustomize build overlays/prod > rendered.yaml

Queries and messages with `{{args.…}}` or `{{.rollout…}}` are no templates in this sense; they only need quotes
where YAML asks for them.",
    ),
    Page::new(
        UNREADABLE,
        "a file cannot be read",
        "It does not exist, may not be opened, or is not UTF-8.",
    ),
    Page::new(
        EMPTY,
        "the manifests say nothing",
        "A policy is made of the files that decide what happens to a release: the Rollout, its Services, its
AnalysisTemplates and, if there are any, Ingresses, VirtualServices and the notification ConfigMap. Folders are
read recursively for `*.yaml`, `*.yml` and `*.json`.",
    ),
    Page::new(
        NO_ROLLOUT,
        "it is not clear which Rollout is meant",
        "There is none, there is none of that name, or there are several and the scenario does not say which:

    policy:
      manifests: [deploy]
      rollout: shop",
    ),
    Page::new(
        DUPLICATE,
        "two objects have one name",
        "`kubectl apply` would apply both, one after the other, and the last one would stay. Usually a base and an
overlay have both been given; give the rendered overlay only.",
    ),
    Page::new(
        MISSING,
        "something that the Rollout refers to is not there",
        "The controller reports such a Rollout as InvalidSpec: it is Degraded and neither deploys nor rolls back until
the object is there. References are followed within the Rollout's namespace; an object without a namespace
counts as being wherever the Rollout is.",
    ),
    Page::new(
        STRATEGY,
        "a Rollout has exactly one strategy",
        "`spec.strategy` is either `blueGreen` or `canary`. With both or neither the controller reports InvalidSpec.",
    ),
    Page::new(
        UNKNOWN_KIND,
        "an object is of a kind that plays no part",
        "As a note: the object is left out of the drill, because nothing in the story of a release depends on it. As an
error: the kind or the `apiVersion` is nearly one that matters, which is most likely a slip, and leaving the
object out would make the policy another one.",
    ),
    Page::new(
        NO_OBJECT,
        "a document is no Kubernetes object",
        "Every object has `apiVersion`, `kind` and `metadata.name`. A document with none of them is left out
with a note, since dashboards and values files lie among manifests; one with some of them is a mistake.",
    ),
    Page::new(
        "cluster-lacks",
        "the cluster lacks what a drill needs",
        "Before anything is changed, firedrill looks for everything a run needs: the custom resources and the controller of
Argo Rollouts, the namespace of the agents, the rights of whoever runs it, and the Prometheus that the policy asks. All
that is missing is named at once, each with the command that mends it. Nothing was created.",
    ),
    Page::new(
        "unasked-prometheus",
        "nobody has asked this Prometheus",
        "The policy asks a Prometheus that is no Service of the cluster, so it cannot be reached through the API server.
Whether it answers the controller shows in the run: an analysis without a single measurement is never a PASS.",
    ),
    Page::new(
        "not-on-a-cluster",
        "this scenario runs on the twin only",
        "On a cluster the agent sends its requests to a Service. A share that a router gives to a canary it does not follow
yet; requests that went past the router would prove nothing.",
    ),
    Page::new(
        "measures-everything",
        "an analysis measures more than this run",
        "A query that selects neither `rollouts_pod_template_hash` nor a namespace nor a pod adds up every server that counts
under these names: other drills at the same time, the last drill until its samples leave the range of the query, and
whatever else Prometheus scrapes. An abort then says little about the fault of this run. On the twin nothing else is
there. Argo hands the hash to an analysis: `args: [{name: hash, valueFrom: {podTemplateHashValue: Latest}}]`.",
    ),
];
