//! The door: who may come in, and who answers.
//!
//! ```text
//! request ──┬─ /healthz, /readyz ───────────────────► anybody
//!           ├─ /sink/<token>/<service>/… ───────────► the sink, who knows the token
//!           └─ anything else ── the secret's header ► commands, who knows the secret
//! ```
//!
//! Whoever does not know learns only that. Requests are never logged: their paths carry a token.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use super::Agent;
use super::ask;
use super::secret::same;
use super::sink::{self, Delivery, Treatment};
use super::wire::SECRET_HEADER;

/// By this header a knock is known; its value only the run can make.
pub(super) const KNOCK_HEADER: &str = "x-firedrill-knock";
/// More than this nobody has to say.
const LONGEST: usize = 1 << 20;
/// How long the body of a request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("this receiver is down")]
pub(super) struct Gone;

pub(super) type Answer = Result<Response<Full<Bytes>>, Gone>;

/// Answers a request.
pub(super) async fn open(agent: Arc<Agent>, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    if ["/healthz", "/readyz"].contains(&path) {
        return Ok(plain(StatusCode::OK, "ok\n"));
    }
    let place = sink::address(path);
    let known = match place {
        Some((token, _)) => same(token.as_bytes(), agent.token.as_bytes()),
        None => agent.secret.is(value(&head.headers, SECRET_HEADER)),
    };
    if !known {
        return Ok(plain(StatusCode::UNAUTHORIZED, "this needs the run's secret\n"));
    }
    let body = match read(body).await {
        Ok(body) => body,
        Err(refusal) => return Ok(plain(refusal.0, refusal.1)),
    };
    match place {
        Some((_, rest)) => deliver(&agent, rest, &head.headers, &body).await,
        None => {
            agent.heart.beat();
            let asked = ask::read(&head.method, path, head.uri.query().unwrap_or(""), &body);
            Ok(asked.map_or_else(
                |(status, sentence)| plain(status, &sentence),
                |asked| respond(agent.obey(asked)),
            ))
        }
    }
}

/// What a command comes to.
pub(super) enum Obeyed {
    /// Nothing to say.
    Done,
    /// This, as JSON.
    Told(Vec<u8>),
    /// It could not be done.
    Failed(String),
}

fn respond(obeyed: Obeyed) -> Response<Full<Bytes>> {
    match obeyed {
        Obeyed::Done => plain(StatusCode::NO_CONTENT, ""),
        Obeyed::Told(json) => answer(StatusCode::OK, "application/json", Bytes::from(json)),
        Obeyed::Failed(sentence) => plain(StatusCode::INTERNAL_SERVER_ERROR, &sentence),
    }
}

async fn deliver(agent: &Arc<Agent>, rest: &str, headers: &HeaderMap, body: &[u8]) -> Answer {
    let Some(service) = sink::service(rest) else {
        return Ok(plain(StatusCode::NOT_FOUND, "this is no receiver\n"));
    };
    let text = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let delivery = Delivery {
        service,
        path: rest,
        headers: headers.iter().map(text).collect(),
        body: String::from_utf8_lossy(body).into_owned(),
        knock: same(value(headers, KNOCK_HEADER), agent.secret.derived("knock").as_bytes()),
    };
    match agent.sink.take(delivery).await {
        Treatment::Nothing => Err(Gone),
        Treatment::Answer(status, body) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let kind = if body.starts_with('{') { "application/json" } else { "text/plain" };
            Ok(answer(status, kind, Bytes::from_static(body.as_bytes())))
        }
    }
}

/// The whole body, or why it is not read.
async fn read<B>(body: B) -> Result<Bytes, (StatusCode, &'static str)>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    match timeout(PATIENCE, Limited::new(body, LONGEST).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err((StatusCode::PAYLOAD_TOO_LARGE, "the body is too long\n"))
        }
        Ok(Err(_)) => Err((StatusCode::BAD_REQUEST, "the body breaks off\n")),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the body does not come\n")),
    }
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> &'a [u8] {
    headers.get(name).map_or(b"", |value| value.as_bytes())
}

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    answer(status, "text/plain", Bytes::copy_from_slice(text.as_bytes()))
}

fn answer(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
