//! What cannot be run is said at once, with the way out, and leaves nothing.

use std::time::{Duration, Instant};

use crate::ground::{Folder, context, drill, firedrill, left_of, say, share};

const NOTHING: [&str; 0] = [];

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn an_image_that_no_node_has_is_named_within_twenty_seconds() {
    let _place = share();
    for (name, flag) in [("image-of-server", "--image"), ("image-of-agent", "--agent-image")] {
        let folder = Folder::new(name);
        let began = Instant::now();
        let said =
            say(drill(&folder.0, &[folder.quick(name)], &[flag, "firedrill.invalid/nothing:0"])).expect(4);
        assert!(said.out.contains("Pull"), "{flag}: {}", said.out);
        assert!(said.out.contains("firedrill.invalid/nothing:0"), "{flag}: {}", said.out);
        // Clearing away is in it, and takes the longer part.
        let took = began.elapsed();
        println!("{flag}: named and cleared away after {took:?}");
        assert!(took < Duration::from_secs(60), "{flag}: {took:?}");
        assert_eq!(left_of(name), NOTHING);
    }
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn a_prometheus_that_is_not_there_is_named_before_anything_is_changed() {
    let _place = share();
    let folder = Folder::new("no-prometheus");
    let scenario = folder.quick("no-prometheus");
    let policy = std::fs::read_to_string(folder.0.join("policy/quick.yaml")).unwrap();
    folder
        .write("policy/quick.yaml", &policy.replace("prometheus.monitoring:9090", "prometheus.nowhere:9090"));
    let said = say(drill(&folder.0.join("out"), &[scenario], &[])).expect(4);
    assert!(
        said.talk.contains("Prometheus at http://prometheus.nowhere:9090 does not answer"),
        "{}",
        said.talk
    );
    assert_eq!(left_of("no-prometheus"), NOTHING);
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn a_context_that_is_not_there_is_bad_input() {
    let folder = Folder::new("no-context");
    let scenario = folder.quick("no-context");
    let said =
        say(firedrill(&["run", "--on", "kube", "--context", "no-such-place", scenario.to_str().unwrap()]));
    let said = said.expect(2);
    assert!(said.talk.contains("there is no context `no-such-place`"), "{}", said.talk);
    assert!(said.talk.contains(&context()), "{}", said.talk);
}
