//! Getting to a cluster, and saying what stands against it.

use super::args::{Cluster, Run};
use super::{chain, complain, complain_of, exit};
use crate::cluster::live::{ConnectError, Connection, preflight};
use crate::diag;
use crate::drill::{self, Ground, Prepared};

/// A runtime for one worker: what a run on a cluster does is to wait.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, u8> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        complain(&format!("error: cannot start a runtime: {error}\n"));
        exit::WORLD_BROKE
    })
}

/// The cluster that was asked for, if it may be drilled on.
pub(super) async fn connect(cluster: &Cluster) -> Result<Connection, u8> {
    Connection::open(&cluster.door()).await.map_err(|error| refused(&error))
}

fn refused(error: &ConnectError) -> u8 {
    complain(&format!("error: {}\n", chain(error)));
    if error.is_input() { exit::BAD_INPUT } else { exit::WORLD_BROKE }
}

/// The ground that these scenarios run on, or everything that it lacks, said.
pub(super) fn open<'a>(args: &Run, scenarios: impl IntoIterator<Item = &'a Prepared>) -> Result<Ground, u8> {
    let needs = drill::needs(scenarios);
    runtime()?.block_on(async {
        let connection = connect(&args.cluster).await?;
        let client = connection.client().map_err(|error| refused(&error))?;
        let (found, missing) = preflight(&client, &needs).await;
        complain_of(&missing);
        if diag::has_errors(&missing) {
            return Err(exit::WORLD_BROKE);
        }
        let (image, agent_image) = (args.image.clone(), args.agent_image.clone());
        Ok(Ground { connection, found, image, agent_image, control: args.control })
    })
}
