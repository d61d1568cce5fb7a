//! The signals by which a program is told to stop.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Ends with SIGINT or SIGTERM. From here on they no longer end the process by themselves.
pub(super) fn stop() -> io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            biased;
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
