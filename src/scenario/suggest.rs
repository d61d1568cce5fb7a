//! What somebody probably meant.

/// The nearest of the known words, when one is near enough to be worth saying.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = normal(written);
    let limit = (plain.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|word| (badness(&plain, &normal(word)), word))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, word)| word)
}

/// A word that was cut short counts as one slip.
fn badness(written: &str, known: &str) -> usize {
    let cut_short = written.len() >= 3 && known.starts_with(written);
    if cut_short { 1 } else { distance(written, known) }
}

/// `giveUpAfter`, `give_up_after` and `Give-Up-After` are one word, spelt by people with other habits.
fn normal(word: &str) -> String {
    let mut plain = String::with_capacity(word.len() + 2);
    let mut after_lower = false;
    for c in word.chars().take(64) {
        if c.is_uppercase() && after_lower {
            plain.push('-');
        }
        after_lower = c.is_lowercase();
        plain.extend(if c == '_' { '-' } else { c }.to_lowercase());
    }
    plain
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours, each at one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(written: &str, expect: Option<&str>) {
        let known = ["give-up-after", "expect", "release", "traffic", "within", "to", "slo"];
        assert_eq!(nearest(written, known), expect, "{written}");
    }

    #[test]
    fn a_slip_of_the_finger_is_understood() {
        check("expcet", Some("expect"));
        check("wihtin", Some("within"));
        check("relase", Some("release"));
    }

    #[test]
    fn other_spellings_of_the_same_words_are_understood() {
        check("giveUpAfter", Some("give-up-after"));
        check("give_up_after", Some("give-up-after"));
    }

    #[test]
    fn a_word_cut_short_is_understood() {
        check("with", Some("within"));
    }

    #[test]
    fn a_stranger_gets_no_guess() {
        check("replicas", None);
        check("x", None);
        check("", None);
    }
}
