//! What cannot be run is said at once, with the way out, and leaves nothing.

use std::fs;
use std::time::{Duration, Instant};

use crate::ground::{Folder, alone, context, drill, firedrill, inventory, quick, residue, root, say};

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn an_image_that_no_node_has_is_named_within_twenty_seconds() {
    let _ground = alone();
    let before = inventory();
    for flag in ["--image", "--agent-image"] {
        let folder = Folder::new(&format!("image{flag}"));
        let began = Instant::now();
        let said = say(drill(&folder.0, &[quick()], &[flag, "firedrill.invalid/nothing:0"])).expect(4);
        let told = began.elapsed();
        assert!(said.out.contains("Pull"), "{flag}: {}", said.out);
        assert!(said.out.contains("firedrill.invalid/nothing:0"), "{flag}: {}", said.out);
        println!("{flag}: named and cleared away after {told:?}");
        assert!(told < Duration::from_secs(60), "{flag}: {told:?}");
    }
    assert_eq!(residue(&before, &inventory()), [] as [&str; 0]);
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn a_prometheus_that_is_not_there_is_named() {
    let _ground = alone();
    let folder = Folder::new("prometheus");
    let policy = folder.0.join("policy");
    fs::create_dir_all(&policy).unwrap();
    for entry in fs::read_dir(root().join("tests/live/scenarios/policy")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path)
            .unwrap()
            .replace("prometheus.monitoring:9090", "prometheus.nowhere:9090");
        fs::write(policy.join(path.file_name().unwrap()), text).unwrap();
    }
    let scenario = folder.0.join("quick.yaml");
    fs::copy(quick(), &scenario).unwrap();
    let said = say(drill(&folder.0.join("out"), &[scenario], &[])).expect(4);
    assert!(
        said.talk.contains("Prometheus at http://prometheus.nowhere:9090 does not answer"),
        "{}",
        said.talk
    );
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn a_context_that_is_not_there_is_bad_input() {
    let said =
        say(firedrill(&["run", "--on", "kube", "--context", "no-such-place", quick().to_str().unwrap()]));
    let said = said.expect(2);
    assert!(
        said.talk.contains("there is no context `no-such-place`") && said.talk.contains(&context()),
        "{}",
        said.talk
    );
}
