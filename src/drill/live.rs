//! A run on a real cluster: a site of its own, the plan put in its place, and everything put back whatever came of it.

use super::prepare::Prepared;
use super::{Finished, control};
use crate::agent::wire::Manner;
use crate::cluster::live::{Connection, Found, Needs, Order, Reference, Site, marks};
use crate::cluster::{Cluster, Trouble};
use crate::diag::Diagnostic;
use crate::engine::{self, Run};
use crate::plan::place::Place;
use crate::plan::{self, Criteria, Plan};
use crate::scenario::Receiver;
use crate::timeline::{Entry, Event, RunStarted, Timeline};
use crate::verdict::{ControlOutcome, Judge, judge};

/// What a run on a cluster has to know beside the scenario.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The way there.
    pub connection: Connection,
    /// What was found there.
    pub found: Found,
    /// The image of the stand-in server.
    pub image: String,
    /// The image of the agent.
    pub agent_image: String,
    /// Whether to run the control, too.
    pub control: bool,
}

/// What speaks against running a scenario on any real cluster.
#[must_use]
pub fn unfit(prepared: &Prepared) -> Option<Diagnostic> {
    let name = &prepared.plan.name;
    prepared.plan.traffic.router.as_ref().map(|_| {
        let title =
            format!("{name} sends its traffic through a router, which an agent in a cluster cannot do yet");
        Diagnostic::error("not-on-a-cluster", title)
            .help("run it on the twin, or send the traffic to a Service: `traffic.to: stable`")
    })
}

/// What makes the measurements of a run on a cluster doubtful: on the twin, nothing else is there to be measured.
#[must_use]
pub fn doubts(prepared: &Prepared) -> Vec<Diagnostic> {
    let doubt = |analysis: String| {
        let title = format!(
            "{analysis} selects neither a revision nor a namespace, and so measures whatever else is there"
        );
        Diagnostic::warning("measures-everything", title).help(
            "drill with nothing beside it, and minutes after the last one; or select by `rollouts_pod_template_hash` or `namespace`",
        )
    };
    plan::place::boundless(&prepared.plan).into_iter().map(doubt).collect()
}

/// What runs of these scenarios need of a cluster.
#[must_use]
pub fn needs<'a>(prepared: impl IntoIterator<Item = &'a Prepared>) -> Needs {
    let mut needs = Needs::default();
    for prepared in prepared {
        needs.prometheus.extend(prepared.plan.prometheus.iter().cloned());
        let foreign = prepared.plan.objects.iter().filter_map(foreign_kind);
        needs.kinds.extend(foreign);
    }
    needs
}

/// The group and plural of a kind that only some clusters know, of those that policies bring.
fn foreign_kind(object: &serde_json::Value) -> Option<(String, String)> {
    let (group, _) = object["apiVersion"].as_str()?.split_once('/')?;
    let kind = object["kind"].as_str()?;
    let known = ["networking.istio.io"].contains(&group)
        || (group == "argoproj.io" && kind == "ClusterAnalysisTemplate");
    known.then(|| (group.to_owned(), format!("{}s", kind.to_lowercase())))
}

/// Runs a prepared scenario on a cluster. `stop` interrupts it; everything is put back all the same.
pub async fn on_cluster(
    ground: &Ground,
    prepared: &Prepared,
    seed: u64,
    stop: impl Future<Output = ()> + Send,
    see: &mut (dyn FnMut(&Entry, &Judge<'_>) + Send),
) -> Finished {
    let mut stop = Box::pin(stop);
    let control = match (ground.control, control::plan(&prepared.plan)) {
        (false, _) => {
            ControlOutcome::Skipped("a cluster runs it when it is asked to: `--control`".to_owned())
        }
        (true, Err(reason)) => ControlOutcome::Skipped(reason),
        (true, Ok(plan)) => {
            let decided = |judge: &Judge<'_>| control::decided(judge);
            let (plan, run) = one_run(ground, &plan, seed, &decided, stop.as_mut(), &mut |_, _| {}).await;
            if run.interrupted {
                return finished(plan, run, ControlOutcome::Skipped("it was interrupted".to_owned()));
            }
            match run.trouble {
                Some(trouble) => ControlOutcome::Failed(trouble.sentence()),
                None => control::outcome(&plan.criteria(), &run.timeline),
            }
        }
    };
    let (plan, run) =
        one_run(ground, &prepared.plan, seed, &|judge: &Judge<'_>| judge.decided(), stop.as_mut(), see).await;
    finished(plan, run, control)
}

fn finished(plan: Plan, run: Run, control: ControlOutcome) -> Finished {
    let trouble = run.trouble.as_ref().map(Trouble::sentence);
    let criteria = plan.criteria();
    let verdict = judge(&criteria, &run.timeline, control, trouble.as_deref());
    Finished { plan, criteria, timeline: run.timeline, verdict, interrupted: run.interrupted }
}

/// A site, a plan, a run, and the site cleared. Answers what was carried out, without what nobody should read.
async fn one_run(
    ground: &Ground,
    plan: &Plan,
    seed: u64,
    decided: &(dyn Fn(&Judge<'_>) -> bool + Sync),
    mut stop: impl Future<Output = ()> + Send + Unpin,
    see: &mut (dyn FnMut(&Entry, &Judge<'_>) + Send),
) -> (Plan, Run) {
    let mut site = match Site::new(&ground.connection, &ground.found) {
        Ok(site) => site,
        Err(trouble) => return (plan.clone(), nothing(plan, seed, trouble)),
    };
    let (run, receivers) = (site.run().to_owned(), site.receivers());
    let namespace = marks::namespace(&plan.namespace, &run);
    let place = Place {
        mark: (marks::RUN, &run),
        namespace: &namespace,
        image: &ground.image,
        receivers: &receivers,
        controller: marks::CONTROLLER,
        self_service: ground.found.self_service,
    };
    let placed = plan::place(plan, &place);
    // What is kept has no address by which somebody could pose as the controller.
    let kept = plan::place(plan, &Place { receivers: plan::RECEIVER, ..place.clone() }).plan;
    let outside = placed.plan.objects.iter().map(Reference::of);
    let order = Order {
        scenario: &plan.name,
        namespace: &namespace,
        agent_image: &ground.agent_image,
        outside: outside.filter(|object| object.namespace != namespace).collect(),
        notifications: placed.notifications.as_ref(),
    };
    let set_up = tokio::select! {
        biased;
        () = &mut stop => None,
        set_up = site.set_up(&order) => Some(set_up),
    };
    let mut run = match set_up {
        None => Run { interrupted: true, trouble: None, timeline: empty(plan, seed, "interrupted") },
        Some(Err(trouble)) => {
            trouble.tell();
            nothing(plan, seed, trouble)
        }
        Some(Ok(cluster)) => {
            drilled(&cluster, &placed.plan, &kept.criteria(), seed, decided, stop, see).await
        }
    };
    if let Err(trouble) = site.take_down().await {
        // Worth more than what the run may have broken before: something is still there.
        run.trouble = Some(trouble);
    }
    (kept, run)
}

/// The run itself. Receivers that a scenario wants to behave badly do so from its beginning.
async fn drilled(
    cluster: &Cluster,
    plan: &Plan,
    criteria: &Criteria,
    seed: u64,
    decided: &(dyn Fn(&Judge<'_>) -> bool + Sync),
    stop: impl Future<Output = ()>,
    see: &mut (dyn FnMut(&Entry, &Judge<'_>) + Send),
) -> Run {
    let manners =
        plan.twin.receivers.iter().filter_map(|(name, receiver)| Some((name.clone(), manner(*receiver)?)));
    let manners = manners.collect();
    match cluster.agent.treat(&manners).await {
        Ok(()) => engine::run(cluster, plan, criteria, seed, decided, stop, see).await,
        Err(error) => nothing(plan, seed, Trouble::agent(error)),
    }
}

fn manner(receiver: Receiver) -> Option<Manner> {
    match receiver {
        Receiver::Ok => None,
        Receiver::Down => Some(Manner::Refuses),
        Receiver::Slow(slow) => Some(Manner::Answers(200, slow.0)),
        Receiver::Status(status) => Some(Manner::Answers(status, std::time::Duration::ZERO)),
    }
}

/// A run that never began.
fn nothing(plan: &Plan, seed: u64, trouble: Trouble) -> Run {
    Run { timeline: empty(plan, seed, "the world broke"), trouble: Some(trouble), interrupted: false }
}

fn empty(plan: &Plan, seed: u64, why: &str) -> Timeline {
    let started = RunStarted {
        scenario: plan.name.clone(),
        world: "kube".to_owned(),
        seed,
        service: plan.traffic.service.clone(),
        time: crate::clock::Moment::wall().rfc3339(),
        versions: std::collections::BTreeMap::new(),
    };
    let at = crate::timeline::Instant::default();
    let mut timeline = Timeline::new();
    timeline.push(Entry { at, event: Event::Started(started) });
    timeline.push(Entry { at, event: Event::Ended { why: why.to_owned() } });
    timeline
}
