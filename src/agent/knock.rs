//! Knocking: a test message to a receiver, by the address the controller would use.
//!
//! It goes out of the agent and comes in again, so that name, port and token are proven. The receiver keeps it as an
//! arrival; only a knock that reached none is kept from here, with the status 0.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Empty;
use tokio::net::lookup_host;
use tokio::time::{Instant, sleep, timeout};

use super::Agent;
use super::connection::{Connection, Failure};
use super::door::KNOCK_HEADER;
use super::wire::Knock;

/// How long to find the receiver, each time.
const SEARCH: Duration = Duration::from_secs(3);
/// How long to go on looking for it. The name of a new Service is not known everywhere at once, and that it is not known
/// is remembered for some seconds, too.
const SEARCHES: Duration = Duration::from_secs(20);
/// Between two searches.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Knocks, and sees to it that the inbox tells how that went.
pub(super) async fn knock(agent: Arc<Agent>, knock: Knock) {
    let Some(mut connection) = search(&agent.authority).await else {
        tracing::warn!(address = %agent.authority, "there is nobody at the receivers' address");
        return agent.sink.miss(&knock.service, 0);
    };
    let path = format!("/sink/{}/{}/", agent.token, knock.service);
    let request = Request::post(path)
        .header(header::HOST, &agent.authority)
        .header(header::CONNECTION, "close")
        .header(KNOCK_HEADER, agent.secret.derived("knock"))
        .body(Empty::<Bytes>::new());
    let Ok(request) = request else {
        tracing::warn!(service = %knock.service, "no address can be made for this receiver");
        return agent.sink.miss(&knock.service, 0);
    };
    let answered = timeout(PATIENCE, connection.exchange(request, &mut String::new())).await;
    match answered {
        // Somebody else's door: the receivers' address leads to another agent.
        Ok(Ok(status @ (401 | 404))) => agent.sink.miss(&knock.service, status),
        Ok(Err(Failure::Stale)) => agent.sink.miss(&knock.service, 0),
        // Whatever else, the receiver has it.
        _ => {}
    }
}

async fn search(authority: &str) -> Option<Connection> {
    let began = Instant::now();
    loop {
        if let Ok(Some(connection)) = timeout(SEARCH, reach(authority)).await {
            return Some(connection);
        }
        if began.elapsed() > SEARCHES {
            return None;
        }
        sleep(PAUSE).await;
    }
}

async fn reach(authority: &str) -> Option<Connection> {
    for address in lookup_host(authority).await.ok()? {
        if let Ok(connection) = Connection::open(address).await {
            return Some(connection);
        }
    }
    None
}
