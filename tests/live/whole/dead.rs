//! A run that was killed, and whose lease runs out.

use std::time::Duration;

use crate::ground::{Folder, Running, context, drill, firedrill, left_of, say, share};

/// The lease of a run that was killed lasts this long.
const LEASE: Duration = Duration::from_secs(60);

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn a_run_at_work_is_left_alone_and_a_dead_one_is_not() {
    let _place = share();
    let folder = Folder::new("dead");
    let mut run = Running::start(drill(&folder.0, &[folder.quick("left-dead")], &[]), folder.0.join("log"));
    run.until("  baseline", Duration::from_secs(120));
    let said = say(firedrill(&["clean", "--context", &context()])).expect(0);
    assert!(said.out.contains("(left-dead): at work, left alone"), "{}", said.out);
    run.signal("KILL");
    run.end(Duration::from_secs(10));
    std::thread::sleep(LEASE + Duration::from_secs(1));
    let said = say(firedrill(&["clean", "--context", &context()])).expect(0);
    assert!(said.out.contains("(left-dead): cleared away"), "{}", said.out);
    assert_eq!(left_of("left-dead"), [] as [&str; 0]);
}
