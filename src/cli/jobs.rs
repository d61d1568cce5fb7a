//! Does the runs that `firedrill run` was asked for: several at once, in the order that they were named in.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use futures::FutureExt as _;

use super::args::Run;
use super::progress::{Progress, Stopwatch};
use super::{chain, complain, exit, signals};
use crate::drill::{self, Finished, Ground, Prepared};
use crate::timeline::Entry;
use crate::verdict::Judge;

/// One run of one scenario that is to be done.
pub(super) struct Job {
    pub(super) prepared: Prepared,
    pub(super) seed: u64,
    pub(super) folder: PathBuf,
}

/// What came of a job.
pub(super) struct Done {
    pub(super) finished: Finished,
    pub(super) took: Duration,
}

/// A job that could not be done.
pub(super) enum Failed {
    /// The user has to do something, about the output folder for instance.
    Input(String),
    /// The machine failed, or two runs of one seed differ.
    World(String),
    /// Somebody said stop before its turn came.
    NotBegun(String),
}

/// What starts a drill's pods, and what ends them, keeps a small node busy for seconds: drills at once on one cluster
/// begin one after the other, or each would measure how the others begin.
const APART: Duration = Duration::from_secs(10);

/// Does all jobs, several at once, and keeps their order.
pub(super) fn perform(
    args: &Run,
    jobs: &[Job],
    ground: Option<&Ground>,
    progress: &Progress,
) -> Vec<Result<Done, Failed>> {
    let processors = || thread::available_parallelism().ok().map(usize::from);
    let usual = if ground.is_some() { Some(1) } else { processors() };
    let workers = args.jobs.or(usual).unwrap_or(1).clamp(1, jobs.len().max(1));
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let results: Vec<Mutex<Option<Result<Done, Failed>>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        loop {
            let nth = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(nth) else { break };
            let result = if stopped.load(Ordering::Relaxed) {
                Err(Failed::NotBegun(format!("{} was not begun", job.prepared.plan.name)))
            } else {
                perform_one(args, job, ground.map(|ground| (ground, later(nth, workers))), progress)
            };
            if result.as_ref().is_ok_and(|done| done.finished.interrupted) {
                stopped.store(true, Ordering::Relaxed);
            }
            if let Ok(mut slot) = results[nth].lock() {
                *slot = Some(result);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    let lost = || Err(Failed::World("a worker ended without a result".to_owned()));
    results.into_iter().map(|slot| slot.into_inner().ok().flatten().unwrap_or_else(lost)).collect()
}

/// How much later a job begins than it could. Those that wait for a worker are apart by themselves.
fn later(nth: usize, workers: usize) -> Duration {
    if nth < workers { APART * u32::try_from(nth).unwrap_or(u32::MAX) } else { Duration::ZERO }
}

fn perform_one(
    args: &Run,
    job: &Job,
    place: Option<(&Ground, Duration)>,
    progress: &Progress,
) -> Result<Done, Failed> {
    let name = &job.prepared.plan.name;
    let mut bar = progress.begin(name);
    let watch = Stopwatch::start();
    let world = |error: std::io::Error| Failed::World(format!("{name}: cannot start a runtime: {error}"));
    let see = &mut |entry: &Entry, judge: &Judge<'_>| bar.see(entry, judge);
    let finished = match place {
        None => drill::on_twin(&job.prepared, job.seed, see).map_err(world)?,
        Some((ground, later)) => on_cluster(ground, later, job, see).map_err(world)?,
    };
    let took = watch.elapsed();
    if args.check_determinism && place.is_none() {
        let again = drill::on_twin(&job.prepared, job.seed, &mut |_, _| {}).map_err(world)?;
        compare(&job.prepared, &finished, &again)?;
    }
    drill::save(&job.folder, &job.prepared, &finished).map_err(|error| Failed::Input(chain(&error)))?;
    bar.done(&finished.verdict);
    Ok(Done { finished, took })
}

/// A run on a cluster, a little later and in a runtime of its own, until somebody says stop.
fn on_cluster(
    ground: &Ground,
    later: Duration,
    job: &Job,
    see: &mut (dyn FnMut(&Entry, &Judge<'_>) + Send),
) -> std::io::Result<Finished> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop = leave_on_signal(job.prepared.plan.name.clone())?.boxed().shared();
        // Who is told to stop meanwhile has nothing to put back, and is told so by the run itself.
        let _ = tokio::time::timeout(later, stop.clone()).await;
        Ok(drill::on_cluster(ground, &job.prepared, job.seed, stop, see).await)
    })
}

/// Ends with the first signal, and from then on the second ends the program: putting things back may take a while, and
/// somebody may know better.
fn leave_on_signal(name: String) -> std::io::Result<impl Future<Output = ()> + Send> {
    let first = signals::stop()?;
    Ok(async move {
        first.await;
        complain(&format!("{name}: putting everything back; once more leaves it as it is\n"));
        // Listened for from here on: the first is not the second.
        if let Ok(second) = signals::stop() {
            tokio::spawn(async move {
                second.await;
                complain("left as it is; `firedrill clean` clears it away\n");
                std::process::exit(exit::INTERRUPTED.into());
            });
        }
    })
}

/// Two runs of one seed must write the same bytes.
fn compare(prepared: &Prepared, one: &Finished, other: &Finished) -> Result<(), Failed> {
    let files = |finished| drill::files(prepared, finished).map_err(|error| Failed::Input(chain(&error)));
    let (one, other) = (files(one)?, files(other)?);
    let different = one.iter().zip(&other).find(|(one, other)| one != other);
    let Some(((file, one), (_, other))) = different else { return Ok(()) };
    let line = one.lines().zip(other.lines()).take_while(|(one, other)| one == other).count() + 1;
    let name = &prepared.plan.name;
    Err(Failed::World(format!("{name}: two runs of one seed differ, first in line {line} of {file}")))
}
