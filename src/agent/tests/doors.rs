//! Who is let in, and when the doors close.

use super::*;

async fn with_secret(pod: &Pod, method: &str, path: &str, body: &str) -> (u16, String) {
    ask(pod.address, method, path, &[(SECRET_HEADER, SECRET)], body).await.unwrap()
}

#[tokio::test]
async fn nothing_is_done_or_told_without_the_secret() {
    let pod = Pod::sending_to(nobody().await).await;
    let token = secret().token();
    let bearer = format!("Bearer {SECRET}");
    let wrong: [&[(&str, &str)]; 5] = [
        &[],
        &[(SECRET_HEADER, "")],
        &[(SECRET_HEADER, "a-secret-of-that-run")],
        &[(SECRET_HEADER, &token)],
        &[("authorization", &bearer)],
    ];
    let with_secret = format!("/sink/{SECRET}/slack/chat.postMessage");
    let paths =
        ["/load", "/observed", "/knock", "/receivers", "/clock", "/", "/nothing", "/sink/", &with_secret];
    let body = serde_json::to_string(&load(10.0, Connections::PerRequest)).unwrap();
    for path in paths {
        for method in ["GET", "PUT", "POST", "DELETE"] {
            for headers in wrong {
                let (status, text) = ask(pod.address, method, path, headers, &body).await.unwrap();
                assert_eq!(status, 401, "{method} {path}");
                assert!(!text.contains(SECRET) && !text.contains(&token), "{text}");
            }
        }
    }
    let observed = pod.client().observed(0, 0).await.unwrap();
    assert_eq!((observed.seconds, observed.inbox), (vec![], vec![]));
}

#[tokio::test]
async fn a_probe_needs_none() {
    let pod = Pod::sending_to(nobody().await).await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(ask(pod.address, "GET", path, &[], "").await.unwrap().0, 200);
    }
}

#[tokio::test]
async fn a_command_that_makes_no_sense_is_refused_with_a_reason() {
    let pod = Pod::sending_to(nobody().await).await;
    let (status, text) = with_secret(&pod, "PUT", "/load", "{").await;
    assert_eq!(status, 400, "{text}");
    let (status, text) = with_secret(&pod, "PUT", "/load", r#"{"namespace":"a","servise":"b"}"#).await;
    assert!(status == 400 && text.contains("servise"), "{text}");
    let (status, text) = with_secret(&pod, "GET", "/lode", "").await;
    assert!(status == 404 && text.contains("/load"), "{text}");
    let (status, _) = with_secret(&pod, "POST", "/knock", &"x".repeat((1 << 20) + 1)).await;
    assert_eq!(status, 413);
}

#[tokio::test]
async fn garbage_does_not_get_in_the_way() {
    let pod = Pod::sending_to(nobody().await).await;
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1 << 20));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(10_000));
    let garbage: [&[u8]; 7] = [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"PUT /load HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n",
        b"PUT /load HTTP/1.1\r\ncontent-length: 10\r\n\r\nabc",
        long.as_bytes(),
        many.as_bytes(),
    ];
    let mut open = vec![];
    for bytes in garbage {
        let mut stream = TcpStream::connect(pod.address).await.unwrap();
        let _ = stream.write_all(bytes).await;
        open.push(stream);
    }
    assert!(pod.client().clock().await.is_ok_and(|now| now > 0));
}

#[tokio::test]
async fn who_reads_takes_nothing_from_who_reads_later() {
    let pod = Pod::sending_to(nobody().await).await;
    let client = pod.client();
    client.load(&load(20.0, Connections::PerRequest)).await.unwrap();
    let path = pod.sink("/team");
    assert_eq!(ask(pod.address, "POST", &path, &[], "hello").await.unwrap().0, 200);
    let first = pod.until(|observed| observed.seconds.len() >= 2).await;
    client.observed(2, 1).await.unwrap();
    let second = client.observed(0, 0).await.unwrap();
    assert_eq!(second.seconds[..2], first.seconds[..2]);
    assert_eq!(second.inbox, first.inbox);
    let rest = client.observed(1, 1).await.unwrap();
    assert_eq!((rest.seconds[0].nth, rest.inbox.len()), (1, 0));
}

#[tokio::test]
async fn without_a_command_the_traffic_ends_and_then_the_agent() {
    let server = listening(|mut stream| async move {
        head(&mut stream).await;
        answer(&mut stream).await;
    })
    .await;
    let mut pod = Pod::with_heartbeat(Names::All(server.address), Duration::from_millis(800)).await;
    let client = pod.client();
    client.load(&load(100.0, Connections::PerRequest)).await.unwrap();
    // Commands keep it alive for longer than it would wait for one. Deliveries and probes are none.
    for _ in 0..12 {
        sleep(Duration::from_millis(100)).await;
        client.clock().await.unwrap();
    }
    assert_eq!(timeout(NEVER, pod.ended()).await.unwrap(), Ended::Alone);
    let connections = server.connections();
    sleep(Duration::from_millis(200)).await;
    assert!(server.connections() <= connections + 1 && connections > 50, "{connections}");
    assert!(TcpStream::connect(pod.address).await.is_err());
}

#[tokio::test]
async fn neither_probes_nor_deliveries_keep_it_alive() {
    let mut pod = Pod::with_heartbeat(Names::Cluster, Duration::from_millis(300)).await;
    let (address, path) = (pod.address, pod.sink("/team"));
    let noise = tokio::spawn(async move {
        while ask(address, "GET", "/healthz", &[], "").await.is_ok() {
            let _ = ask(address, "POST", &path, &[], "hello").await;
            let _ = ask(address, "GET", "/clock", &[], "").await;
        }
    });
    assert_eq!(timeout(NEVER, pod.ended()).await.unwrap(), Ended::Alone);
    noise.abort();
}

#[tokio::test]
async fn told_to_stop_it_waits_for_nobody() {
    let pod = Pod::sending_to(fake_app("v1", "{}", "1h").await).await;
    let client = pod.client();
    client.load(&load(100.0, Connections::Kept(3))).await.unwrap();
    let hour = super::super::wire::Manner::Answers(200, Duration::from_secs(3600));
    client.treat(&[("team".to_owned(), hour)].into()).await.unwrap();
    let (address, path) = (pod.address, pod.sink("/team"));
    let waiting = tokio::spawn(async move { ask(address, "POST", &path, &[], "hello").await.is_err() });
    let _idle = TcpStream::connect(pod.address).await.unwrap();
    sleep(Duration::from_millis(50)).await;
    assert_eq!(pod.stop().await, Ended::Stopped);
    assert!(timeout(NEVER, waiting).await.unwrap().unwrap(), "its sender is let go");
}
