//! A run that is stopped leaves the ground as it was, however it is stopped.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::api::Api;

use crate::ground::{Folder, Running, context, drill, firedrill, left_of, runs, say, share, with_client};

const NOTHING: [&str; 0] = [];

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn who_is_interrupted_puts_everything_back() {
    let _place = share();
    for (signal, stage) in [("INT", "install"), ("TERM", "baseline"), ("INT", "watch")] {
        let name = format!("interrupted-{stage}");
        let (folder, later) = (Folder::new(&name), Folder::new(&format!("after-{name}")));
        let scenarios = [folder.quick(&name), later.quick(&format!("after-{name}"))];
        let mut run = Running::start(drill(&folder.0, &scenarios, &[]), folder.0.join("log"));
        run.until(&format!("  {stage}"), Duration::from_secs(120));
        run.signal(signal);
        let (code, talk) = run.end(Duration::from_secs(150));
        assert_eq!(code, Some(130), "{stage}: {talk}");
        assert!(talk.contains(&format!("after-{name} was not begun")), "{stage}: {talk}");
        assert_eq!(left_of(&name), NOTHING, "{stage}");
    }
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn who_says_it_twice_leaves_at_once_and_cleans_later() {
    let _place = share();
    let folder = Folder::new("twice");
    let mut run = Running::start(drill(&folder.0, &[folder.quick("twice")], &[]), folder.0.join("log"));
    run.until("  baseline", Duration::from_secs(120));
    run.signal("INT");
    run.until("putting everything back", Duration::from_secs(10));
    run.signal("INT");
    let (code, talk) = run.end(Duration::from_secs(5));
    assert_eq!(code, Some(130), "{talk}");
    assert!(talk.contains("left as it is"), "{talk}");
    for run in runs("twice") {
        say(firedrill(&["clean", "--context", &context(), "--run", &run])).expect(0);
    }
    assert_eq!(left_of("twice"), NOTHING);
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn what_a_killed_run_leaves_is_cleared_away() {
    let _place = share();
    let times: u64 = std::env::var("FIREDRILL_KILLS").map_or(2, |text| text.parse().unwrap());
    for nth in 0..times {
        let name = format!("killed-{nth}");
        let folder = Folder::new(&name);
        let mut run = Running::start(drill(&folder.0, &[folder.quick(&name)], &[]), folder.0.join("log"));
        run.until("running", Duration::from_secs(60));
        // Spread over the whole of a run: setting up, installing, baseline, release, watching.
        let moment = Duration::from_millis(300 + nth * 67_000 / times);
        std::thread::sleep(moment);
        run.signal("KILL");
        let (code, talk) = run.end(Duration::from_secs(10));
        assert_eq!(code, None, "after {moment:?}: {talk}");
        let left = runs(&name);
        for run in &left {
            say(firedrill(&["clean", "--context", &context(), "--run", run])).expect(0);
        }
        println!("killed after {moment:?}: {} cleared away", left.len());
        assert_eq!(left_of(&name), NOTHING, "after {moment:?}");
    }
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn the_secret_of_a_run_is_in_no_file_and_no_log() {
    let _place = share();
    let folder = Folder::new("secret");
    let scenario = folder.quick("secretive");
    let (out, log) = (folder.0.join("out"), folder.0.join("log"));
    let mut run = Running::start(drill(&out, &[scenario], &["-vv"]), log.clone());
    run.until("  watch", Duration::from_secs(120));
    let name = runs("secretive").remove(0);
    let secret = with_client(async |client| {
        let secrets: Api<Secret> = Api::namespaced(client, "firedrill");
        let secret = secrets.get(&format!("agent-{name}")).await.unwrap();
        String::from_utf8(secret.data.unwrap().remove("secret").unwrap().0).unwrap()
    });
    let token = ::firedrill::agent::secret::Secret::new(&secret).unwrap().token();
    run.signal("INT");
    assert_eq!(run.end(Duration::from_secs(150)).0, Some(130));
    let written = std::fs::read_dir(out.join("secretive")).unwrap().map(|entry| entry.unwrap().path());
    let texts: Vec<String> = written
        .filter(|path| path.is_file())
        .chain([log])
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    assert!(texts.len() > 5 && texts.iter().any(|text| text.contains(&name)), "the run is in its files");
    assert!(!texts.iter().any(|text| text.contains(&secret) || text.contains(&token)));
}
