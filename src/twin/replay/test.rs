//! The test that plays every recording.

use serde_json::Value;

use super::compare;
use super::sight::Sight;
use super::stage;
use crate::twin::recordings::recordings;

/// The categories that are held to the real controller.
const CATEGORIES: &[&str] = &["bg-", "ar-", "notif-", "ctl-"];

#[test]
fn the_twin_does_what_the_real_controller_did() {
    let all = recordings(|name| CATEGORIES.iter().any(|category| name.starts_with(category)));
    let mut passed = 0;
    for recording in &all {
        #[expect(clippy::disallowed_methods)]
        let began = std::time::Instant::now();
        let mut observed = recording.observed();
        in_true_order(&mut observed);
        let twin = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stage::play(recording, &observed)));
        let end = recording.actions().last().and_then(|action| action["t"].as_f64()).expect("an end");
        println!("# {} {:?}", recording.name, began.elapsed());
        #[expect(clippy::disallowed_methods)]
        if std::env::var("FIREDRILL_TRACE").is_ok_and(|name| name == recording.name)
            && let Ok(lines) = &twin
        {
            for line in lines {
                println!("{line}");
            }
        }
        let Ok(twin) = twin else {
            println!("## {} PANIC", recording.name);
            continue;
        };
        let differences = compare::differences(&Sight::of(&observed), &Sight::of(&twin), end);
        if differences.is_empty() {
            passed += 1;
        } else {
            println!("## {}\n{}\n", recording.name, differences.join("\n"));
        }
    }
    println!("{passed} of {}", all.len());
}

/// Lines as the API server wrote them, whatever order they arrived in; what has no revision keeps its neighbour.
fn in_true_order(observed: &mut [Value]) {
    let mut last = 0;
    observed.sort_by_cached_key(|line| {
        last = line["rv"].as_u64().unwrap_or(last);
        last
    });
}
