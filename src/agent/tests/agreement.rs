//! The twin's agent and the real one, asked by the same client in the same words.

use serde_json::Value;

use super::*;
use crate::agent::wire::{Knock, Manner};
use crate::clock::Moment;
use crate::cluster::open_twin;

/// A conversation, and what is left of it when moments and counts are taken out.
async fn converse(agent: &engine::agent::Agent) -> Vec<String> {
    let mut heard = vec![];
    assert!(agent.clock().await.unwrap() > 0);
    heard.push(format!("{:?}", agent.observed(0, 0).await.unwrap().inbox));
    let manners = [("team".to_owned(), Manner::Falters(503, 1)), ("gone".to_owned(), Manner::Refuses)];
    agent.treat(&manners.into()).await.unwrap();
    for service in ["team", "gone", "slack"] {
        agent.knock(&Knock { service: service.to_owned() }).await.unwrap();
        // One after the other: on a real network they could overtake each other.
        sleep(Duration::from_millis(300)).await;
    }
    for connections in [Connections::PerRequest, Connections::Kept(3)] {
        agent.load(&load(40.0, connections)).await.unwrap();
        let observed = loop {
            let observed = agent.observed(0, 0).await.unwrap();
            if !observed.seconds.is_empty() {
                break observed;
            }
            sleep(Duration::from_millis(50)).await;
        };
        let sent = observed.seconds[0].by[""].sent;
        assert!((30..=41).contains(&sent), "{sent}");
        assert_eq!(observed.seconds[0].by[""].refused, sent);
        heard.push(shape(&serde_json::to_value(&observed).unwrap()));
    }
    assert!(agent.observed(9, 9).await.is_ok_and(|observed| observed.inbox.is_empty()));
    agent.stop().await.unwrap();
    assert_eq!(agent.observed(0, 3).await.unwrap().seconds, []);
    for spoiled in [
        Load { rate: f64::MAX, ..load(1.0, Connections::PerRequest) },
        Load { port: 0, ..load(1.0, Connections::PerRequest) },
    ] {
        heard.push(agent.load(&spoiled).await.unwrap_err().to_string());
    }
    heard
}

/// JSON without its numbers, which differ, and without what only a real agent has something to say about.
fn shape(value: &Value) -> String {
    match value {
        Value::Number(_) => "n".to_owned(),
        Value::Array(items) => format!("[{}]", items.iter().map(shape).collect::<Vec<_>>().join(",")),
        Value::Object(map) => {
            let fields = map.iter().map(|(key, value)| match key.as_str() {
                "lateness-micros" => key.clone(),
                "status" => format!("{key}:{value}"),
                _ => format!("{key}:{}", shape(value)),
            });
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

fn of_the_twin() -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let twin = open_twin(crate::drill::empty(1, Moment::VIRTUAL_EPOCH));
        converse(&twin.cluster().agent).await
    })
}

#[test]
fn both_agents_hold_the_same_conversation() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let real = runtime.block_on(async {
        let pod = Pod::sending_to(nobody().await).await;
        converse(&pod.client()).await
    });
    let twin = of_the_twin();
    assert_eq!(real, twin);
    assert!(real.iter().any(|line| line.contains("status:503")), "{real:?}");
}
