//! One loop that acts on the plan and appends what it observes.
//!
//! Ordinary kube-rs code over whatever [`Cluster`] it is given; nothing here asks which world that is. One owner of
//! order: watches, traffic reports and the inbox all end in the one loop of [`Engine::until`], which alone appends to
//! the timeline.
//!
//! ```text
//! preflight → install → baseline → release → watch → leave
//!     └──────────┴─────────┴──────────┴────────┴──► Ctrl-C goes straight to leave
//! ```

mod act;
mod agent;
mod objects;
mod sight;
mod watch;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

pub use self::agent::load;
use self::sight::Sight;
use self::watch::{Seen, Watches};
use crate::agent::wire;
use crate::cluster::{Cluster, Trouble, waiting_for_good};
use crate::plan::{Criteria, Plan};
use crate::timeline::{Entry, Event, Gap, Instant, Recorder, RunStarted, Stage, Timeline};
use crate::verdict::Judge;

/// What came of a run.
#[derive(Debug)]
pub struct Run {
    /// Everything that was observed.
    pub timeline: Timeline,
    /// What broke the world or the harness, if anything did.
    pub trouble: Option<Trouble>,
    /// Whether somebody interrupted it.
    pub interrupted: bool,
}

/// How long the healthy version may take to become healthy.
const INSTALL_LIMIT: Duration = Duration::from_secs(600);
/// How long the first clean second may take once the healthy version is up.
const WARM_UP_LIMIT: Duration = Duration::from_secs(60);
/// How long receivers may take to answer a test message.
const KNOCK_LIMIT: Duration = Duration::from_secs(10);
/// A pod that has not begun by then has a reason that will not go away by itself.
const STUCK: Duration = Duration::from_secs(10);

/// Runs a plan against a cluster until `decided` says that there is nothing left to wait for. `stop` interrupts it; `see` is shown every fact as it is recorded.
pub async fn run(
    cluster: &Cluster,
    plan: &Plan,
    criteria: &Criteria,
    seed: u64,
    decided: &(dyn Fn(&Judge<'_>) -> bool + Sync),
    stop: impl Future<Output = ()>,
    see: &mut (dyn FnMut(&Entry, &Judge<'_>) + Send),
) -> Run {
    let mut stop = Box::pin(stop);
    let mut engine = Engine::new(cluster, plan, criteria, see);
    engine.begin(seed);
    let ended = engine.drill(decided, stop.as_mut()).await;
    if let Err(trouble) = &ended {
        trouble.tell();
    }
    let blind = engine.sight.ended();
    engine.was_blind(blind);
    let left = engine.leave().await;
    if let Err(trouble) = &left {
        tracing::warn!(trouble = %trouble.sentence(), "could not leave as it was");
    }
    let (trouble, why) = match ended {
        Ok(why) => (left.err(), why),
        Err(trouble) => (Some(trouble), "the world broke".to_owned()),
    };
    let interrupted = why == INTERRUPTED;
    engine.record_now(Event::Ended { why });
    Run { timeline: engine.timeline, trouble, interrupted }
}

const INTERRUPTED: &str = "interrupted";
const DECIDED: &str = "every expectation is decided";

type Stop<'a, F> = Pin<&'a mut F>;

struct Engine<'a> {
    cluster: &'a Cluster,
    plan: &'a Plan,
    criteria: &'a Criteria,
    judge: Judge<'a>,
    recorder: Recorder,
    timeline: Timeline,
    watches: Watches,
    tick: tokio::time::Interval,
    began: crate::clock::Moment,
    seconds: u64,
    inbox: u64,
    clean: u64,
    synced: bool,
    sight: Sight,
    /// Pods of the healthy version that do not begin, since when, and why.
    stuck: BTreeMap<String, (Instant, String)>,
    steps_done: usize,
    last_step: Instant,
    objects: objects::Objects,
    created: Vec<objects::Installed>,
    see: &'a mut (dyn FnMut(&Entry, &Judge<'_>) + Send),
}

impl<'a> Engine<'a> {
    fn new(
        cluster: &'a Cluster,
        plan: &'a Plan,
        criteria: &'a Criteria,
        see: &'a mut (dyn FnMut(&Entry, &Judge<'_>) + Send),
    ) -> Engine<'a> {
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Engine {
            cluster,
            plan,
            judge: Judge::new(criteria),
            criteria,
            recorder: Recorder::new(&plan.rollout),
            timeline: Timeline::new(),
            watches: Watches::begin(&cluster.client, &plan.namespace),
            tick,
            began: cluster.clock.now(),
            seconds: 0,
            inbox: 0,
            clean: 0,
            synced: false,
            sight: Sight::default(),
            stuck: BTreeMap::new(),
            steps_done: 0,
            last_step: Instant::default(),
            objects: objects::Objects::new(cluster.client.clone()),
            created: vec![],
            see,
        }
    }

    fn begin(&mut self, seed: u64) {
        let started = RunStarted {
            scenario: self.criteria.scenario.clone(),
            world: self.cluster.world.to_owned(),
            seed,
            service: self.plan.traffic.service.clone(),
            time: self.began.rfc3339(),
            versions: self.cluster.versions.clone(),
        };
        self.record_now(Event::Started(started));
    }

    /// All stages but the last. Answers why it ended.
    async fn drill<F: Future<Output = ()>>(
        &mut self,
        decided: &(dyn Fn(&Judge<'_>) -> bool + Sync),
        mut stop: Stop<'_, F>,
    ) -> Result<String, Trouble> {
        self.stage(Stage::Preflight);
        self.preflight().await?;
        self.stage(Stage::Install);
        self.install().await?;
        let healthy = self.criteria.cast.healthy.clone();
        let is_up = move |engine: &Engine<'_>| {
            let seen = engine.judge.moments().rollout_now();
            // Nothing is released before every watch is in place: what it missed could not be told.
            engine.synced && seen.phase == "Healthy" && seen.stable == healthy
        };
        match self.until(INSTALL_LIMIT, &mut stop, is_up).await? {
            Waited::Stopped => return Ok(INTERRUPTED.to_owned()),
            Waited::TooLong => return Ok(self.never_healthy()),
            Waited::Came => {}
        }
        self.cluster.agent.load(&load(self.plan)).await.map_err(Trouble::agent)?;
        match self.until(WARM_UP_LIMIT, &mut stop, |engine| engine.clean > 0).await? {
            Waited::Stopped => return Ok(INTERRUPTED.to_owned()),
            Waited::TooLong | Waited::Came => self.stage(Stage::Baseline),
        }
        self.clean = 0;
        let hold = self.plan.baseline.0;
        let limit = hold + Duration::from_secs(5);
        let held = move |engine: &Engine<'_>| engine.clean >= hold.as_secs().max(1);
        match self.until(limit, &mut stop, held).await? {
            Waited::Stopped => return Ok(INTERRUPTED.to_owned()),
            Waited::TooLong => {
                return Ok("the healthy version was not clean, so nothing was released".to_owned());
            }
            Waited::Came => {}
        }
        self.stage(Stage::Release);
        self.watch(decided, stop).await
    }

    /// Takes the steps as their time comes, until everything is decided.
    async fn watch<F: Future<Output = ()>>(
        &mut self,
        decided: &(dyn Fn(&Judge<'_>) -> bool + Sync),
        mut stop: Stop<'_, F>,
    ) -> Result<String, Trouble> {
        let began = self.now();
        self.take_steps().await?;
        self.stage(Stage::Watch);
        let give_up = began + self.plan.give_up_after.0;
        loop {
            self.take_steps().await?;
            self.judge.tick(self.now());
            if decided(&self.judge) && self.steps_done == self.plan.steps.len() {
                return Ok(DECIDED.to_owned());
            }
            if self.now() >= give_up && !self.sight.is_lost(self.now()) {
                return Ok(format!("gave up after {}", crate::verdict::seconds(self.plan.give_up_after.0)));
            }
            if !self.step(&mut stop).await? {
                return Ok(INTERRUPTED.to_owned());
            }
        }
    }

    async fn preflight(&mut self) -> Result<(), Trouble> {
        self.cluster.check().await?;
        let before = self.cluster.clock.now();
        let observed = self.cluster.agent.observed(0, 0).await.map_err(Trouble::agent)?;
        let after = self.cluster.clock.now();
        // The agent answered somewhere between the two.
        let middle = before + after.since(before) / 2;
        let agent = crate::clock::Moment::from_unix_nanos(observed.now);
        let skew = agent.since(middle).max(middle.since(agent)).saturating_sub(after.since(before) / 2);
        self.inbox = observed.inbox.len() as u64;
        self.record_now(Event::Clock { skew: skew.as_secs_f64() });
        for service in &self.plan.receivers {
            let knock = wire::Knock { service: service.clone() };
            self.cluster.agent.knock(&knock).await.map_err(Trouble::agent)?;
        }
        // Receivers that are slow to answer are waited for; those that never do are the guard's affair.
        let limit = tokio::time::Instant::now() + KNOCK_LIMIT;
        let wanted = self.inbox + self.plan.receivers.len() as u64;
        while self.inbox < wanted && tokio::time::Instant::now() < limit {
            tokio::time::sleep(Duration::from_millis(100)).await;
            self.report().await?;
        }
        Ok(())
    }

    fn never_healthy(&self) -> String {
        let seen = self.judge.moments().rollout_now();
        let (phase, message) = (&seen.phase, &seen.message);
        let limit = crate::verdict::seconds(INSTALL_LIMIT);
        format!("the healthy version was not healthy within {limit}: {phase} {message}")
    }

    /// Waits for a condition, with a bound, recording everything that happens meanwhile.
    async fn until<F: Future<Output = ()>>(
        &mut self,
        limit: Duration,
        stop: &mut Stop<'_, F>,
        came: impl Fn(&Engine<'_>) -> bool,
    ) -> Result<Waited, Trouble> {
        let deadline = self.now() + limit;
        loop {
            if came(self) {
                return Ok(Waited::Came);
            }
            if self.now() >= deadline && !self.sight.is_lost(self.now()) {
                return Ok(Waited::TooLong);
            }
            self.begins()?;
            if !self.step(stop).await? {
                return Ok(Waited::Stopped);
            }
        }
    }

    /// Whether the pods of the healthy version begin. Only before the release: what a bad one does is what a drill is about.
    fn begins(&self) -> Result<(), Trouble> {
        let now = self.now();
        let stuck = self.stuck.iter().find(|(_, (since, _))| now.since(*since) >= STUCK);
        stuck.map_or(Ok(()), |(pod, (_, reason))| Err(Trouble::stuck(pod, reason)))
    }

    fn look_at_pod(&mut self, name: &str, pod: &serde_json::Value) {
        match waiting_for_good(pod) {
            Some(reason) => {
                let at = self.now();
                self.stuck.entry(name.to_owned()).or_insert((at, reason));
            }
            None => drop(self.stuck.remove(name)),
        }
    }

    /// The one place where the world is waited for. Answers whether to go on.
    async fn step<F: Future<Output = ()>>(&mut self, stop: &mut Stop<'_, F>) -> Result<bool, Trouble> {
        tokio::select! {
            biased;
            () = stop.as_mut() => return Ok(false),
            seen = self.watches.next() => seen.into_iter().for_each(|seen| self.take(seen)),
            _ = self.tick.tick() => self.report().await?,
        }
        Ok(true)
    }

    fn take(&mut self, seen: Seen) {
        let at = self.now();
        let entries = match seen {
            Seen::Object { kind, name, object } => {
                if kind == "Pod" {
                    self.look_at_pod(&name, &object);
                }
                self.recorder.observe(at, kind, &name, Some(&object))
            }
            Seen::Gone { kind, name } => {
                self.stuck.remove(&name);
                self.recorder.observe(at, kind, &name, None)
            }
            Seen::Trouble { kind, why } => {
                tracing::info!(kind, %why, "a watch was cut off");
                self.sight.watch_failed(at);
                vec![]
            }
            Seen::Gap { kind, why } => {
                vec![Entry { at, event: Event::Gap(Gap { of: kind.to_owned(), why }) }]
            }
            Seen::Synced => {
                self.synced = true;
                vec![]
            }
        };
        entries.into_iter().for_each(|entry| self.record(entry));
    }

    /// Nobody looked since then, because something else was done. What happened meanwhile is seen late, if it was long.
    fn looked_away(&mut self, since: Instant) {
        let away = self.now().since(since);
        self.was_blind((away >= sight::BLINK).then_some(away));
    }

    fn was_blind(&mut self, blind: Option<Duration>) {
        if let Some(blind) = blind {
            self.record_now(Event::Blind { seconds: blind.as_secs_f64() });
        }
    }

    fn now(&self) -> Instant {
        Instant::after_start(self.cluster.clock.now().since(self.began))
    }

    fn stage(&mut self, stage: Stage) {
        tracing::info!(scenario = %self.criteria.scenario, at = ?self.now().since_start(), ?stage, "entered a stage");
        self.record_now(Event::Stage(stage));
    }

    fn record_now(&mut self, event: Event) {
        self.record(Entry { at: self.now(), event });
    }

    fn record(&mut self, entry: Entry) {
        self.judge.observe(&entry);
        (self.see)(&entry, &self.judge);
        self.timeline.push(entry);
    }
}

/// How a wait ended.
enum Waited {
    Came,
    TooLong,
    Stopped,
}
