//! `firedrill compare`: the moments of two runs, side by side.

use std::path::Path;
use std::time::Duration;

use super::args::Compare;
use super::{chain, complain, exit, say};
use crate::verdict::{Agreement, Verdict, agreement, seconds};

/// Runs `firedrill compare`.
pub(super) fn compare(args: &Compare) -> u8 {
    let (one, other) = match (read(&args.one), read(&args.other)) {
        (Ok(one), Ok(other)) => (one, other),
        (one, other) => {
            one.err().into_iter().chain(other.err()).for_each(|error| complain(&format!("error: {error}\n")));
            return exit::BAD_INPUT;
        }
    };
    let agreement = agreement(&one, &other, args.within);
    say(&table(&one, &other, &agreement, args.within));
    if agreement.differences.is_empty() { exit::PASS } else { exit::FAIL }
}

fn read(folder: &Path) -> Result<Verdict, String> {
    let path = folder.join("verdict.json");
    let text = std::fs::read_to_string(&path);
    let text = text.map_err(|error| {
        format!(
            "{} is no folder of a run: cannot read {}: {}",
            folder.display(),
            path.display(),
            chain(&error)
        )
    })?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn table(one: &Verdict, other: &Verdict, agreement: &Agreement, within: Duration) -> String {
    let mut text =
        format!("{}: {} beside {}, counted from the release\n", one.scenario, one.world, other.world);
    let mut row = |cells: [&str; 4]| {
        let [name, one, other, apart] = cells;
        text.push_str(format!("  {name:<16}{one:>14}{other:>14}{apart:>12}").trim_end());
        text.push('\n');
    };
    row(["moment", &one.world, &other.world, "apart"]);
    let told = |at: Option<Duration>| at.map_or_else(|| "-".to_owned(), seconds);
    for pair in &agreement.moments {
        row([&pair.name, &told(pair.one), &told(pair.other), &told(pair.apart())]);
    }
    row(["outcome", one.outcome.name(), other.outcome.name(), ""]);
    if agreement.differences.is_empty() {
        text.push_str(&format!("they agree within {}\n", seconds(within)));
    }
    for difference in &agreement.differences {
        text.push_str(&format!("they differ: {difference}\n"));
    }
    text
}
