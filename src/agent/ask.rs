//! A request to the agent, understood.
//!
//! The twin plays the agent and the agent is one, and both read what they are asked here: what one of them
//! understands the other does. It is pure; who answers is the caller.

use std::collections::BTreeMap;

use http::{Method, StatusCode, header};
use serde::de::DeserializeOwned;

use super::wire::{Knock, Load, Manner};

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ask {
    /// Send this from now on.
    Load(Box<Load>),
    /// Send nothing any more.
    Stop,
    /// Send a test message.
    Knock(Knock),
    /// Receivers treat their callers so from now on; those that are not named are well.
    Receivers(BTreeMap<String, Manner>),
    /// Tell what was seen, from these numbers on.
    Observed {
        /// The first second.
        seconds: u64,
        /// The first message.
        inbox: u64,
    },
    /// Tell the time.
    Clock,
}

/// A request that is none of these: the status and a sentence.
pub(crate) type Refusal = (StatusCode, String);

/// Understands a request.
pub(crate) fn read(method: &Method, path: &str, query: &str, body: &[u8]) -> Result<Ask, Refusal> {
    match (method.as_str(), path) {
        ("PUT", "/load") => json(body).and_then(checked).map(Box::new).map(Ask::Load),
        ("DELETE", "/load") => Ok(Ask::Stop),
        ("POST", "/knock") => json(body).map(Ask::Knock),
        ("PUT", "/receivers") => json(body).and_then(answerable).map(Ask::Receivers),
        ("GET", "/observed") => {
            Ok(Ask::Observed { seconds: number(query, "seconds"), inbox: number(query, "inbox") })
        }
        ("GET", "/clock") => Ok(Ask::Clock),
        _ => Err((
            StatusCode::NOT_FOUND,
            "the agent knows /load, /knock, /receivers, /observed and /clock".to_owned(),
        )),
    }
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}

/// More than this no agent sends.
const MOST_RATE: f64 = 100_000.0;

/// A load that can be sent as it is written.
fn checked(load: Load) -> Result<Load, Refusal> {
    let trouble = match () {
        () if !(load.rate > 0.0 && load.rate <= MOST_RATE) => "the rate is not between 0 and 100000",
        () if load.timeout.is_zero() => "the timeout is zero",
        () if !is_name(&load.service) => "the service is no name",
        () if !is_name(&load.namespace) => "the namespace is no name",
        () if load.port == 0 => "the port is zero",
        () if !load.path.starts_with('/') || load.path.parse::<http::Uri>().is_err() => {
            "the path is no path of a URL"
        }
        () if !is_method(&load.method) => "the method asks for nothing",
        () if !load.headers.iter().all(is_header) => "a header cannot be sent",
        () => return Ok(load),
    };
    Err((StatusCode::BAD_REQUEST, trouble.to_owned()))
}

/// Manners that can be had over HTTP.
fn answerable(manners: BTreeMap<String, Manner>) -> Result<BTreeMap<String, Manner>, Refusal> {
    let odd = manners.values().find_map(|manner| match manner {
        Manner::Answers(status, _) | Manner::Falters(status, _) => {
            (!(200..=599).contains(status)).then_some(*status)
        }
        Manner::Refuses => None,
    });
    match odd {
        Some(status) => Err((StatusCode::BAD_REQUEST, format!("no receiver answers with status {status}"))),
        None => Ok(manners),
    }
}

/// A name that cannot turn an address into another: what Kubernetes calls a DNS label.
fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(fits) && !text.starts_with('-') && !text.ends_with('-')
}

/// A method of HTTP, but not the one that opens a tunnel.
fn is_method(text: &str) -> bool {
    text.parse::<Method>().is_ok_and(|method| method != Method::CONNECT)
}

/// A header that says nothing about the connection it goes over: that is the client's affair.
fn is_header((name, value): (&String, &String)) -> bool {
    const OURS: [http::HeaderName; 5] = [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::EXPECT,
    ];
    name.parse::<http::HeaderName>().is_ok_and(|name| !OURS.contains(&name))
        && http::HeaderValue::from_str(value).is_ok()
}

/// A number of a query string; 0 when it is missing or none.
fn number(query: &str, name: &str) -> u64 {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == name).find_map(|(_, value)| value.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::agent::wire::Connections;

    fn load() -> Load {
        Load {
            namespace: "shop".to_owned(),
            service: "server-svc".to_owned(),
            port: 80,
            path: "/api/a?b=c".to_owned(),
            method: "GET".to_owned(),
            headers: BTreeMap::new(),
            rate: 50.0,
            slo: Duration::from_secs(1),
            timeout: Duration::from_secs(5),
            connections: Connections::PerRequest,
            router: None,
        }
    }

    fn put(load: &Load) -> Result<Ask, Refusal> {
        read(&Method::PUT, "/load", "", &serde_json::to_vec(load).unwrap())
    }

    fn refused(spoil: impl FnOnce(&mut Load)) -> String {
        let mut load = load();
        spoil(&mut load);
        let (status, sentence) = put(&load).unwrap_err();
        assert_eq!(status, StatusCode::BAD_REQUEST);
        sentence
    }

    #[test]
    fn a_good_load_is_a_load() {
        assert_eq!(put(&load()), Ok(Ask::Load(Box::new(load()))));
    }

    #[test]
    fn a_load_that_cannot_be_sent_is_refused_by_name() {
        assert!(refused(|load| load.rate = 0.0).contains("rate"));
        assert!(refused(|load| load.rate = 1e9).contains("rate"));
        assert!(refused(|load| load.timeout = Duration::ZERO).contains("timeout"));
        assert!(refused(|load| load.service = "a.evil.example".to_owned()).contains("service"));
        assert!(refused(|load| load.namespace = "a/b".to_owned()).contains("namespace"));
        assert!(refused(|load| load.port = 0).contains("port"));
        assert!(refused(|load| load.path = "no-slash".to_owned()).contains("path"));
        assert!(refused(|load| load.path = "/a b".to_owned()).contains("path"));
        assert!(refused(|load| load.method = "G T".to_owned()).contains("method"));
        assert!(refused(|load| load.method = "CONNECT".to_owned()).contains("method"));
        let length = |load: &mut Load| drop(load.headers.insert("Content-Length".to_owned(), "5".to_owned()));
        assert!(refused(length).contains("header"));
        let line = |load: &mut Load| drop(load.headers.insert("x".to_owned(), "a\r\nb: c".to_owned()));
        assert!(refused(line).contains("header"));
    }

    #[test]
    fn numbers_of_a_query_are_found_wherever_they_are_and_are_zero_when_they_are_none() {
        let ask = |query: &str| read(&Method::GET, "/observed", query, b"").unwrap();
        assert_eq!(ask("inbox=3&seconds=7"), Ask::Observed { seconds: 7, inbox: 3 });
        assert_eq!(ask("seconds=-1&&x"), Ask::Observed { seconds: 0, inbox: 0 });
    }

    #[test]
    fn manners_are_understood() {
        let body =
            br#"{"slack":"refuses","a":{"answers":[503,{"secs":1,"nanos":0}]},"b":{"falters":[500,2]}}"#;
        let Ask::Receivers(manners) = read(&Method::PUT, "/receivers", "", body).unwrap() else {
            panic!("these are receivers")
        };
        assert_eq!(manners["slack"], Manner::Refuses);
        assert_eq!(manners["a"], Manner::Answers(503, Duration::from_secs(1)));
        assert_eq!(manners["b"], Manner::Falters(500, 2));
        let odd = read(&Method::PUT, "/receivers", "", br#"{"b":{"falters":[42,2]}}"#);
        assert!(odd.is_err_and(|(_, sentence)| sentence.contains("42")));
    }

    proptest::proptest! {
        #[test]
        fn no_request_panics(
            method in "(GET|PUT|POST|DELETE|BREW)",
            path in "(/load|/knock|/receivers|/observed|/clock|\\PC*)",
            query in "\\PC*",
            body in "\\PC*",
        ) {
            let _ = read(&method.parse().unwrap(), &path, &query, body.as_bytes());
        }
    }
}
