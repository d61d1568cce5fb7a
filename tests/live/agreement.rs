//! The twin beside the cluster: the same scenarios, the same moments.

use std::path::PathBuf;

use crate::ground::{Folder, drill, firedrill, root, say, share};

/// The repository's own, and an exhibit.
const SCENARIOS: [&str; 5] = [
    "scenarios/errors-roll-back.yaml",
    "scenarios/latency-rolls-back.yaml",
    "scenarios/healthy-is-promoted.yaml",
    "scenarios/never-ready-takes-no-traffic.yaml",
    "scenarios/museum/retry-promotes-what-failed.yaml",
];

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn the_scenarios_of_the_repository_go_as_on_the_twin() {
    let _place = share();
    let folder = Folder::new("agreement");
    let (twin, kube) = (folder.0.join("twin"), folder.0.join("kube"));
    let scenarios: Vec<PathBuf> = SCENARIOS.iter().map(|path| root().join(path)).collect();
    let mut on_twin = firedrill(&["run", "--quiet", "--out"]);
    on_twin.arg(&twin).args(&scenarios);
    say(on_twin).expect(0);
    let said = say(drill(&kube, &scenarios, &["--jobs", "5"]));
    let mut told = vec![];
    let mut apart = vec![];
    for scenario in &scenarios {
        let name = scenario.file_stem().unwrap();
        let mut compare = firedrill(&["compare"]);
        compare.arg(twin.join(name)).arg(kube.join(name));
        let compared = say(compare);
        println!("{}{}", compared.out, compared.talk);
        told.push(compared.out);
        if compared.code != Some(0) {
            apart.push(name.to_owned());
        }
    }
    assert!(apart.is_empty(), "they differ: {apart:?}\n{}", said.out);
    assert_eq!(told.len(), SCENARIOS.len());
    said.expect(0);
}
