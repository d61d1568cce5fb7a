//! "Did you mean": the nearest known word to one that nobody knows.
//!
//! Pure and small, because every reader of names needs it: YAML keys, object names, kinds, triggers, codes.

/// The candidate nearest to `word`, or `None` when nothing is near enough to be a plausible slip.
///
/// Case and the usual separators count for nothing, so that `onRolloutAborted` finds `on-rollout-aborted`.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = flatten(word);
    let limit = (plain.len().max(3) / 3).min(5);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| (slips(&plain, &flatten(candidate)), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// A word that was cut short counts as one slip.
fn slips(written: &[char], known: &[char]) -> usize {
    let cut_short = written.len() >= 3 && known.starts_with(written);
    if cut_short { 1 } else { distance(written, known) }
}

/// Longer words are nobody's slip of the finger, and the table below is quadratic.
const LONGEST: usize = 80;

fn flatten(word: &str) -> Vec<char> {
    word.chars()
        .filter(|c| !matches!(c, '-' | '_' | ' '))
        .flat_map(char::to_lowercase)
        .take(LONGEST)
        .collect()
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours cost one each.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substituted = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substituted.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, candidates: &[&str], expect: Option<&str>) {
        assert_eq!(nearest(word, candidates.iter().copied()), expect);
    }

    #[test]
    fn a_swap_is_one_slip() {
        check("wihtin", &["within", "times"], Some("within"));
    }

    #[test]
    fn case_and_dashes_do_not_count() {
        check("give_up_after", &["give-up-after", "expect"], Some("give-up-after"));
        check("bluegreen", &["blueGreen", "canary"], Some("blueGreen"));
        check("onRolloutAborted", &["on-rollout-aborted", "on-rollout-paused"], Some("on-rollout-aborted"));
    }

    #[test]
    fn a_word_cut_short_is_one_slip() {
        check("with", &["within", "times"], Some("within"));
        check("wi", &["within", "times"], None);
    }

    #[test]
    fn nothing_is_better_than_nonsense() {
        check("cucumber", &["within", "times"], None);
        check("", &["a"], Some("a"));
        check("x", &[], None);
    }

    #[test]
    fn very_long_words_cost_little() {
        check(&"a".repeat(1_000_000), &["within"], None);
    }
}
