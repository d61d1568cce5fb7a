//! What is sent, and what is told of it.

use std::sync::Mutex;

use futures::future::join_all;
use tokio::io::copy_bidirectional;

use super::*;
use crate::agent::traffic::Traffic;
use crate::clock::Moment;
use crate::cluster::Clock;

const PER_REQUEST: Connections = Connections::PerRequest;

/// A few seconds of a load against an address.
async fn seconds_of(load: Load, address: SocketAddr, count: usize) -> Vec<Second> {
    let pod = Pod::sending_to(address).await;
    pod.client().load(&load).await.unwrap();
    pod.seconds(count).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_is_kept_and_every_request_has_an_end() {
    let kept = |connections| async move {
        let address = fake_app("v1", "{}", "5ms").await;
        let seconds = seconds_of(load(100.0, connections), address, 2).await;
        let tally = &sum(&seconds[..2])["v1"];
        // 200 are due; those of the last moments end after them.
        assert!((170..=201).contains(&tally.sent), "{connections:?} {tally:?}");
        assert_eq!(tally.harmed, 0, "{connections:?} {tally:?}");
        assert_eq!(seconds.iter().map(|second| second.unsent).sum::<u64>(), 0);
    };
    join_all([PER_REQUEST, Connections::Kept(10)].map(kept)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_latency_is_measured_as_it_was_served() {
    let address = fake_app("v2", "{}", "80ms").await;
    let mut load = load(50.0, PER_REQUEST);
    load.slo = Duration::from_millis(60);
    let seconds = seconds_of(load, address, 2).await;
    let tally = &seconds[1].by["v2"];
    assert_eq!((tally.slow, tally.harmed), (tally.sent, tally.sent), "{tally:?}");
    let [p50, .., max] = tally.latency_micros.unwrap();
    // The histogram keeps two digits.
    assert!((79_000..200_000).contains(&p50) && max >= p50, "{tally:?}");
    assert!(seconds[1].lateness_micros.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_is_counted_by_status_and_revision() {
    let fault = r#"{"errors":{"rate":"100%","status":503}}"#;
    let seconds = seconds_of(load(50.0, PER_REQUEST), fake_app("v2", fault, "1ms").await, 1).await;
    let tally = &seconds[0].by["v2"];
    assert_eq!((tally.errors[&503], tally.harmed), (tally.sent, tally.sent));
    assert_eq!(seconds[0].longest_run, tally.sent);
    assert!(tally.first_harmed < tally.last_harmed && tally.first_harmed >= Some(seconds[0].from));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_is_as_it_was_asked_for() {
    let seen: Arc<Mutex<String>> = Arc::default();
    let told = Arc::clone(&seen);
    let server = listening(move |mut stream| {
        let told = Arc::clone(&told);
        async move {
            let Some(head) = head(&mut stream).await else { return };
            *told.lock().unwrap() = head.to_lowercase();
            answer(&mut stream).await;
        }
    })
    .await;
    let mut load = load(50.0, PER_REQUEST);
    (load.method, load.path) = ("POST".to_owned(), "/a/b?c=d".to_owned());
    seconds_of(load, server.address, 1).await;
    let head = seen.lock().unwrap().clone();
    assert!(head.starts_with("post /a/b?c=d http/1.1\r\n"), "{head}");
    assert!(head.contains("host: server-svc.shop.svc:80\r\n") && head.contains("x-drill: yes\r\n"), "{head}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_refused_by_nobody() {
    let seconds = seconds_of(load(50.0, PER_REQUEST), nobody().await, 1).await;
    let tally = &seconds[0].by[""];
    assert_eq!((tally.refused, tally.harmed), (tally.sent, tally.sent));
    assert!(tally.sent > 40 && tally.latency_micros.is_none(), "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_is_a_reset_whoever_had_begun_to_answer() {
    let torn = listening(|mut stream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx-revision: v2\r\ncontent-length: 9\r\n\r\nhalf").await;
    })
    .await;
    let silent = listening(|mut stream| async move { drop(head(&mut stream).await) }).await;
    let garbage = listening(|mut stream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(b"220 mail.example ESMTP\r\n").await;
    })
    .await;
    let torn_off = |(server, revision): (Listening, &'static str)| async move {
        // A block that names only its address would let the server go.
        let server = server;
        let seconds = seconds_of(load(20.0, PER_REQUEST), server.address, 1).await;
        let tally = &seconds[0].by[revision];
        assert_eq!((tally.reset, tally.harmed), (tally.sent, tally.sent), "{tally:?}");
        assert_eq!(seconds[0].by.len(), 1);
    };
    join_all([(torn, "v2"), (silent, ""), (garbage, "")].map(torn_off)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_does_not_come_is_given_up_on() {
    let mut load = load(50.0, PER_REQUEST);
    load.timeout = Duration::from_millis(150);
    let seconds = seconds_of(load, fake_app("v2", "{}", "1h").await, 1).await;
    let tally = &seconds[0].by[""];
    assert_eq!((tally.timed_out, tally.harmed), (tally.sent, tally.sent));
    assert!(tally.latency_micros.is_some_and(|[p50, ..]| p50 >= 148_000), "{tally:?}");
}

/// The server holds one answer back for a while. A client that waits for answers before it sends would have measured
/// one slow request; the users who came meanwhile waited, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_had_to_wait_behind_a_slow_answer_is_counted() {
    let server = listening(|mut stream| async move {
        let mut nth = 0;
        while head(&mut stream).await.is_some() {
            nth += 1;
            if nth == 10 {
                sleep(Duration::from_millis(700)).await;
            }
            answer(&mut stream).await;
        }
    })
    .await;
    let mut load = load(50.0, Connections::Kept(1));
    load.slo = Duration::from_millis(200);
    let seconds = seconds_of(load, server.address, 2).await;
    let tally = &sum(&seconds)["raw"];
    // 700 ms at 50 a second: 35 wait, and 25 of them longer than 200 ms.
    assert!(tally.slow >= 20, "{tally:?}");
    assert!(tally.sent >= 80, "{tally:?}");
    assert_eq!(server.connections(), 1);
}

/// What stands for kube-proxy: every new connection goes to the server that is chosen at the time.
async fn switchboard(first: SocketAddr) -> (Listening, Arc<Mutex<SocketAddr>>) {
    let chosen = Arc::new(Mutex::new(first));
    let asked = Arc::clone(&chosen);
    let board = listening(move |mut client| {
        let address = *asked.lock().unwrap();
        async move {
            let Ok(mut server) = TcpStream::connect(address).await else { return };
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
    })
    .await;
    (board, chosen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_connections_move_with_the_service_and_kept_ones_stay() {
    let follows = |(connections, moves)| async move {
        let (v1, v2) = (fake_app("v1", "{}", "1ms").await, fake_app("v2", "{}", "1ms").await);
        let (board, chosen) = switchboard(v1).await;
        let pod = Pod::sending_to(board.address).await;
        pod.client().load(&load(100.0, connections)).await.unwrap();
        let before = pod.seconds(1).await;
        assert_eq!(before[0].by.keys().collect::<Vec<_>>(), ["v1"]);
        *chosen.lock().unwrap() = v2;
        // The second in which it was switched may have both.
        let after = pod.seconds(before.len() + 2).await;
        let last: Vec<&String> = after.last().unwrap().by.keys().collect();
        assert_eq!(last, [if moves { "v2" } else { "v1" }], "{connections:?}");
        assert_eq!(sum(&after).values().map(|tally| tally.harmed).sum::<u64>(), 0);
        assert!(moves || board.connections() == 4, "{} connections", board.connections());
    };
    join_all([(PER_REQUEST, true), (Connections::Kept(4), false)].map(follows)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_connection_that_was_closed_is_opened_again_without_harm() {
    let server = listening(|mut stream| async move {
        for _ in 0..3 {
            if head(&mut stream).await.is_none() {
                return;
            }
            answer(&mut stream).await;
        }
    })
    .await;
    let seconds = seconds_of(load(30.0, Connections::Kept(2)), server.address, 1).await;
    let tally = &seconds[0].by["raw"];
    assert!(tally.sent > 20 && tally.harmed == 0, "{tally:?}");
    assert!(server.connections() > 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_sent_is_told_and_held_against_nobody() {
    let address = fake_app("v1", "{}", "1h").await;
    let clock = Clock::starting_at(Moment::VIRTUAL_EPOCH);
    let traffic = Traffic::start(load(100.0, PER_REQUEST), Names::All(address), clock, 7).unwrap();
    let wait = async {
        while traffic.report(0).is_empty() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(NEVER, wait).await.unwrap();
    let second = traffic.report(0).remove(0);
    assert!(second.unsent >= 60 && second.unsent <= 94, "{second:?}");
    assert!(second.by.is_empty(), "{second:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_is_replaced_or_stopped_leaves_nothing_running() {
    let server = listening(|mut stream| async move {
        head(&mut stream).await;
        answer(&mut stream).await;
    })
    .await;
    let pod = Pod::sending_to(server.address).await;
    let client = pod.client();
    client.load(&load(50.0, PER_REQUEST)).await.unwrap();
    pod.seconds(1).await;
    client.load(&load(20.0, PER_REQUEST)).await.unwrap();
    let seconds = pod.seconds(1).await;
    assert_eq!(seconds[0].nth, 0);
    assert!(seconds[0].by["raw"].sent <= 21, "{seconds:?}");
    client.stop().await.unwrap();
    assert_eq!(client.observed(0, 0).await.unwrap().seconds, []);
    let connections = server.connections();
    sleep(Duration::from_millis(300)).await;
    assert!(server.connections() <= connections + 1, "one may have been on its way");
}
