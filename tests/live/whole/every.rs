//! All scenarios of the repository, three quarters of an hour of them.

use firedrill::cli::files;
use firedrill::drill;

use crate::ground::{alone, root};

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn every_scenario_goes_as_on_the_twin_or_differs_as_explained() {
    let _ground = alone();
    let (all, trouble) = files::scenarios(&[root().join("scenarios")]);
    assert!(trouble.is_empty() && all.len() > 50, "{trouble:?}");
    let (fit, unfit): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|path| drill::unfit(&drill::prepare(path, false).unwrap()).is_none());
    for path in unfit {
        println!("SKIPPED: {} does not fit a cluster", path.display());
    }
    crate::agreement::check("every", &fit);
}
