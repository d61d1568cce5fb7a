//! `firedrill clean`: what killed runs have left in a cluster, cleared away.

use super::args::Clean;
use super::{complain, exit, ground, say};
use crate::cluster::Trouble;
use crate::cluster::live::clean::{self, Leftover};

/// Runs `firedrill clean`.
pub(super) fn clean(args: &Clean) -> u8 {
    let runtime = match ground::runtime() {
        Ok(runtime) => runtime,
        Err(code) => return code,
    };
    runtime.block_on(async {
        let client = match ground::connect(&args.cluster).await.map(|connection| connection.client()) {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => {
                complain(&format!("error: {error}\n"));
                return exit::WORLD_BROKE;
            }
            Err(code) => return code,
        };
        match clear(args, &client).await {
            Ok(code) => code,
            Err(trouble) => {
                complain(&format!("error: {}\n", trouble.sentence()));
                exit::WORLD_BROKE
            }
        }
    })
}

async fn clear(args: &Clean, client: &kube::Client) -> Result<u8, Trouble> {
    let found = clean::leftovers(client).await?;
    let wanted = |leftover: &&Leftover| args.run.as_ref().is_none_or(|run| *run == leftover.run);
    let found: Vec<&Leftover> = found.iter().filter(wanted).collect();
    if found.is_empty() {
        let of = args.run.as_ref().map_or_else(|| "any run".to_owned(), |run| format!("run {run}"));
        return Ok(say(&format!("there is nothing of {of}\n")));
    }
    for Leftover { run, scenario, alive } in found {
        let name = if scenario.is_empty() { run.clone() } else { format!("{run} ({scenario})") };
        if args.list {
            let state = if *alive { "at work" } else { "dead" };
            say(&format!("{name}: {state}\n"));
        } else if *alive && args.run.is_none() {
            say(&format!("{name}: at work, left alone; `--run {run}` clears it away all the same\n"));
        } else {
            clean::clear(client, run).await?;
            say(&format!("{name}: cleared away\n"));
        }
    }
    Ok(exit::PASS)
}
