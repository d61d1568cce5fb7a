//! Deliveries as senders make them, over a socket.

use super::*;
use crate::agent::receivers_url;
use crate::agent::wire::{Knock, Manner};

const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];

async fn post(pod: &Pod, rest: &str, headers: &[(&str, &str)], body: &str) -> Result<(u16, String), Error> {
    ask(pod.address, "POST", &pod.sink(rest), headers, body).await
}

async fn treat(pod: &Pod, manner: Manner) {
    pod.client().treat(&[("team".to_owned(), manner)].into()).await.unwrap();
}

async fn knock(pod: &Pod, service: &str) {
    pod.client().knock(&Knock { service: service.to_owned() }).await.unwrap();
}

#[tokio::test]
async fn receivers_are_where_the_policy_is_told_they_are() {
    let pod = Pod::start(Names::Cluster).await;
    let base = receivers_url(&pod.address.to_string(), &secret());
    // As `plan::services` appends a service, and Slack's client the method.
    assert_eq!(format!("{base}/slack/chat.postMessage"), {
        format!("http://{}{}", pod.address, pod.sink("/slack/chat.postMessage"))
    });
}

#[tokio::test]
async fn slack_and_webhooks_arrive() {
    let pod = Pod::start(Names::Cluster).await;
    let form = "channel=team&text=on-rollout-aborted%3A+undone";
    let answered = post(&pod, "/slack/chat.postMessage", FORM, form).await.unwrap();
    assert_eq!(answered, (200, r#"{"ok":true}"#.to_owned()));
    let json = r#"{"trigger":"on-x","message":"m"}"#;
    assert_eq!(post(&pod, "/team/a/b?c", &[], json).await.unwrap(), (200, String::new()));
    let inbox = pod.client().observed(0, 0).await.unwrap().inbox;
    let told: Vec<_> =
        inbox.iter().map(|a| (a.by.as_str(), a.to.as_str(), a.trigger.as_deref(), a.body.as_str())).collect();
    assert_eq!(
        told,
        [
            ("slack", "team", Some("on-rollout-aborted"), "on-rollout-aborted: undone"),
            ("team", "/team/a/b", Some("on-x"), "m")
        ]
    );
    assert!(inbox.iter().all(|arrival| !arrival.knock && arrival.status == 200));
}

#[tokio::test]
async fn a_failing_a_slow_and_a_dead_receiver() {
    let pod = Pod::start(Names::Cluster).await;
    treat(&pod, Manner::Answers(503, Duration::from_millis(120))).await;
    let began = tokio::time::Instant::now();
    assert_eq!(post(&pod, "/team", &[], "one").await.unwrap().0, 503);
    assert!(began.elapsed() >= Duration::from_millis(120));
    treat(&pod, Manner::Refuses).await;
    assert!(post(&pod, "/team", &[], "two").await.is_err(), "no answer at all");
    assert_eq!(post(&pod, "/other", &[], "three").await.unwrap().0, 200);
    let statuses: Vec<u16> =
        pod.client().observed(0, 0).await.unwrap().inbox.iter().map(|a| a.status).collect();
    assert_eq!(statuses, [503, 0, 200]);
}

#[tokio::test]
async fn a_message_that_is_no_text_arrives_all_the_same() {
    let pod = Pod::start(Names::Cluster).await;
    let path = pod.sink("/team");
    let request = Request::post(path).body(Full::new(Bytes::from_static(b"\xff\xfe\0{"))).unwrap();
    assert_eq!(send(pod.address, request).await.unwrap().status(), 200);
    assert_eq!(pod.client().observed(0, 0).await.unwrap().inbox.len(), 1);
    assert_eq!(post(&pod, "", &[], "x").await.unwrap().0, 404, "no receiver is named");
}

#[tokio::test]
async fn a_knock_goes_out_and_comes_in() {
    let pod = Pod::start(Names::Cluster).await;
    knock(&pod, "slack").await;
    let inbox = pod.until(|observed| !observed.inbox.is_empty()).await.inbox;
    assert_eq!((inbox[0].by.as_str(), inbox[0].to.as_str(), inbox[0].status), ("slack", "", 200));
    assert!(inbox[0].knock && inbox[0].body == "firedrill knocks");
    treat(&pod, Manner::Refuses).await;
    knock(&pod, "team").await;
    let inbox = pod.until(|observed| observed.inbox.len() > 1).await.inbox;
    assert_eq!((inbox[1].by.as_str(), inbox[1].status, inbox[1].knock), ("team", 0, true));
    sleep(Duration::from_millis(50)).await;
    assert_eq!(pod.client().observed(0, 0).await.unwrap().inbox.len(), 2, "it is told once");
}

#[tokio::test]
async fn a_knock_cannot_be_forged_by_who_knows_the_address() {
    let pod = Pod::start(Names::Cluster).await;
    let token = secret().token();
    post(&pod, "/team", &[("x-firedrill-knock", &token)], "let me in").await.unwrap();
    assert!(!pod.client().observed(0, 0).await.unwrap().inbox[0].knock);
}

#[tokio::test]
async fn a_knock_at_an_address_that_leads_nowhere_has_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let authority = nobody().await.to_string();
    let options = Options { secret: secret(), heartbeat: NEVER, authority, names: Names::Cluster };
    let running = tokio::spawn(run(listener, options, std::future::pending()));
    let pod = Pod { address, stop: None, running };
    knock(&pod, "team").await;
    let inbox = pod.until(|observed| !observed.inbox.is_empty()).await.inbox;
    assert_eq!((inbox[0].status, inbox[0].knock), (0, true));
}
