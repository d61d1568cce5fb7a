//! A run that is stopped leaves the ground as it was, however it is stopped.

use std::time::Duration;

use crate::ground::{Folder, Running, alone, context, drill, firedrill, inventory, quick, residue, say};

/// The lease of a run that was killed lasts this long.
const LEASE: Duration = Duration::from_secs(60);

/// The runs that have something on the ground.
fn runs() -> Vec<String> {
    let listed = say(firedrill(&["clean", "--list", "--context", &context()])).expect(0);
    let lines = listed.out.lines().filter(|line| line.contains(": "));
    lines.filter_map(|line| Some(line.split([' ', ':']).next()?.to_owned())).collect()
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn who_is_interrupted_puts_everything_back() {
    let _ground = alone();
    let before = inventory();
    for (signal, stage) in [("INT", "install"), ("TERM", "baseline"), ("INT", "watch")] {
        let folder = Folder::new(&format!("interrupted-{stage}"));
        let mut run = Running::start(drill(&folder.0, &[quick()], &[]), folder.0.join("log"));
        run.until(stage, Duration::from_secs(120));
        run.signal(signal);
        let (code, talk) = run.end(Duration::from_secs(150));
        assert_eq!(code, Some(130), "{stage}: {talk}");
        assert_eq!(residue(&before, &inventory()), [] as [&str; 0], "{stage}");
    }
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn what_a_killed_run_leaves_is_cleared_away() {
    let _ground = alone();
    let before = inventory();
    let times: u64 = std::env::var("FIREDRILL_KILLS").map_or(3, |text| text.parse().unwrap());
    for nth in 0..times {
        let folder = Folder::new(&format!("killed-{nth}"));
        let mut run = Running::start(drill(&folder.0, &[quick()], &[]), folder.0.join("log"));
        run.until("running", Duration::from_secs(60));
        // Spread over the whole of a run: setting up, installing, baseline, release, watching.
        let moment = Duration::from_millis(300 + nth * 67_000 / times);
        std::thread::sleep(moment);
        run.signal("KILL");
        let (code, talk) = run.end(Duration::from_secs(10));
        assert_eq!(code, None, "after {moment:?}: {talk}");
        for run in runs() {
            say(firedrill(&["clean", "--context", &context(), "--run", &run])).expect(0);
        }
        println!("killed after {moment:?}: cleared away");
        assert_eq!(residue(&before, &inventory()), [] as [&str; 0], "after {moment:?}");
    }
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn a_run_at_work_is_left_alone_and_a_dead_one_is_not() {
    let _ground = alone();
    let before = inventory();
    let folder = Folder::new("dead");
    let mut run = Running::start(drill(&folder.0, &[quick()], &[]), folder.0.join("log"));
    run.until("baseline", Duration::from_secs(120));
    let said = say(firedrill(&["clean", "--context", &context()])).expect(0);
    assert!(said.out.contains("at work, left alone"), "{}", said.out);
    run.signal("KILL");
    run.end(Duration::from_secs(10));
    std::thread::sleep(LEASE + Duration::from_secs(1));
    let said = say(firedrill(&["clean", "--context", &context()])).expect(0);
    assert!(said.out.contains("cleared away"), "{}", said.out);
    assert_eq!(residue(&before, &inventory()), [] as [&str; 0]);
}
