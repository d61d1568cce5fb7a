//! The pages that `firedrill explain CODE` prints, one for everything that firedrill can say.
//!
//! A page lives beside what it explains: a rule's manual is in the rule, a verdict's reasons are in
//! [`crate::verdict`], the keys of a scenario in its schema. This module only puts them together and finds the one
//! that is meant. A name may be both a word and a key of a scenario (`restored`); then both are printed.

mod input;
mod rule;
mod scenario;
mod twin;
mod words;

use std::borrow::Cow;

use crate::scenario::reference;
use crate::suggest;

/// One page of the manual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What it is asked for by: `FD007`, a verdict's reason, a key of a scenario.
    pub code: Cow<'static, str>,
    /// One line.
    pub title: Cow<'static, str>,
    /// The rest, in Markdown that reads well unrendered.
    pub body: Cow<'static, str>,
}

impl Page {
    /// A page whose texts are known at compile time.
    #[must_use]
    pub const fn new(code: &'static str, title: &'static str, body: &'static str) -> Page {
        Page { code: Cow::Borrowed(code), title: Cow::Borrowed(title), body: Cow::Borrowed(body) }
    }
}

/// All pages by what they are about, with the heading of each group.
fn groups() -> Vec<(&'static str, Vec<Page>)> {
    let said = input::PAGES.iter().chain(scenario::WRITTEN).chain(scenario::PLANNED);
    let program = words::PROGRAM.iter().cloned().chain([twin::page()]);
    vec![
        ("What the linter finds", crate::lint::rules().iter().map(rule::page).collect()),
        ("What can be wrong with input", said.cloned().collect()),
        ("Verdicts", words::VERDICTS.to_vec()),
        ("Why a verdict is not a PASS", crate::verdict::PAGES.to_vec()),
        ("Words", words::WORDS.to_vec()),
        ("The program", program.collect()),
    ]
}

/// All pages, in the order of the index. The keys of scenarios have none of their own: see [`crate::scenario::reference`].
#[must_use]
pub fn pages() -> Vec<Page> {
    groups().into_iter().flat_map(|(_, pages)| pages).collect()
}

/// Everything there is to read about a code, a word or a key of a scenario, or about a rule by its name. Upper and
/// lower case are the same.
#[must_use]
pub fn page(code: &str) -> Option<String> {
    let code = code.trim();
    let own = find(&pages(), code).map(text);
    let key = reference::explain(code).or_else(|| reference::explain(&code.to_lowercase()));
    let key = key.map(|entries| format!("# In a scenario\n{entries}"));
    let parts: Vec<String> = own.into_iter().chain(key).collect();
    (!parts.is_empty()).then(|| parts.join("\n"))
}

/// Every code with its title, by what it is about, and the keys of a scenario.
#[must_use]
pub fn index() -> String {
    let groups = groups();
    let codes = groups.iter().flat_map(|(_, pages)| pages).map(|page| page.code.chars().count());
    let width = codes.max().unwrap_or_default();
    let mut index = String::new();
    for (heading, pages) in &groups {
        index.push_str(&format!("{heading}\n\n"));
        for page in pages {
            index.push_str(&format!("  {:width$}  {}\n", page.code, page.title));
        }
        index.push('\n');
    }
    let keys = rule::wrap(&reference::keys().join(" "));
    index + &format!("Keys of a scenario\n\n  {}\n", keys.replace('\n', "\n  "))
}

/// The code that was probably meant by one that nobody knows.
#[must_use]
pub fn suggestion(code: &str) -> Option<String> {
    let pages = pages();
    let rules = crate::lint::rules().iter().map(|rule| rule.name);
    let known = pages.iter().map(|page| page.code.as_ref()).chain(rules);
    let keys = reference::keys();
    let last = keys.iter().filter_map(|key| key.rsplit('.').next());
    suggest::nearest(code, known.chain(last)).map(str::to_string)
}

/// Among these pages, the one for a code or for the name of a rule.
fn find<'a>(pages: &'a [Page], code: &str) -> Option<&'a Page> {
    let rule = crate::lint::rules().iter().find(|rule| rule.name.eq_ignore_ascii_case(code));
    let code = rule.map_or(code, |rule| rule.code);
    pages.iter().find(|page| page.code.eq_ignore_ascii_case(code))
}

fn text(page: &Page) -> String {
    format!("# {}: {}\n\n{}\n", page.code, page.title, page.body.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_by_code_and_by_name() {
        let page = page("fd007").unwrap();
        assert_eq!(page, super::page("short-rate-window").unwrap());
        insta::assert_snapshot!(page);
    }

    #[test]
    fn an_unknown_code_gets_a_suggestion() {
        assert_eq!(page("FD0O7"), None);
        assert_eq!(suggestion("short-rate-windw").as_deref(), Some("short-rate-window"));
        assert_eq!(suggestion("cucumber"), None);
    }

    #[test]
    fn codes_are_used_once() {
        let mut codes: Vec<String> = pages().iter().map(|page| page.code.to_string()).collect();
        let all = codes.len();
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }

    #[test]
    fn whatever_can_be_said_about_input_has_a_page() {
        use crate::argo::policy;
        use crate::{cli, yaml};
        let said = [yaml::SYNTAX, yaml::SHAPE, yaml::LIMITS, yaml::TEMPLATE, cli::files::UNREADABLE];
        let of_policy = [
            policy::EMPTY,
            policy::NO_ROLLOUT,
            policy::DUPLICATE,
            policy::MISSING,
            policy::STRATEGY,
            policy::UNKNOWN_KIND,
            policy::NO_OBJECT,
        ];
        for code in said.iter().chain(&of_policy) {
            assert!(page(code).is_some(), "{code}");
        }
    }

    #[test]
    fn the_index_lists_every_page_under_its_heading() {
        let index = index();
        for page in pages() {
            let line = index.lines().find(|line| line.trim_start().starts_with(&format!("{} ", page.code)));
            assert!(line.is_some_and(|line| line.ends_with(page.title.as_ref())), "{}", page.code);
        }
        assert!(index.starts_with("What the linter finds\n\n  FD001  "));
        assert!(index.contains("traffic.slo"));
    }

    #[test]
    fn a_word_that_is_also_a_key_gets_both() {
        let page = page("restored").unwrap();
        assert!(page.contains("# restored: the users are well again"), "{page}");
        assert!(page.contains("# In a scenario"), "{page}");
        assert_eq!(Some(page), super::page("RESTORED"));
    }

    #[test]
    fn every_key_of_a_scenario_is_explained() {
        let keys = reference::keys();
        assert!(keys.iter().any(|key| key == "traffic.slo"));
        for key in keys {
            assert!(page(&key).is_some(), "{key}");
        }
    }

    #[test]
    fn every_verdict_and_every_state_has_a_page() {
        use crate::verdict::{Outcome, State};
        let outcomes = [Outcome::Pass, Outcome::Fail, Outcome::Inconclusive, Outcome::Error];
        let states = [State::Held, State::Broken, State::Undecided];
        let names = outcomes.map(Outcome::name).into_iter().chain(states.map(State::name));
        for name in names.chain(crate::scenario::Anchor::ALL.map(crate::scenario::Anchor::name)) {
            assert!(find(&pages(), name).is_some(), "{name}");
        }
    }

    #[test]
    fn every_exit_code_is_on_its_page() {
        use crate::cli::exit::{BAD_INPUT, FAIL, INCONCLUSIVE, INTERRUPTED, NOTHING, PASS, WORLD_BROKE};
        let page = page("exit-codes").unwrap();
        for code in [PASS, FAIL, BAD_INPUT, INCONCLUSIVE, WORLD_BROKE, NOTHING, INTERRUPTED] {
            assert!(page.contains(&format!("{code:>7}  ")), "{code}");
        }
    }

    /// Codes are words in the source; whoever invents one and forgets its page hears of it here.
    #[test]
    fn every_code_in_the_source_has_a_page() {
        let said = codes_in(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
        for known in ["unknown-key", "bad-fault", "anchor-cycle", "no-port", "unwritable"] {
            assert!(said.contains(known), "the search no longer finds `{known}`");
        }
        for reason in crate::verdict::PAGES {
            assert!(said.contains(reason.code.as_ref()), "no verdict gives the reason `{}`", reason.code);
        }
        let pages = pages();
        let missing: Vec<&String> = said.iter().filter(|code| find(&pages, code).is_none()).collect();
        assert!(missing.is_empty(), "without a page: {missing:?}");
    }

    fn codes_in(folder: &std::path::Path) -> std::collections::BTreeSet<String> {
        let said = regex::Regex::new(
            r#"(?:Diagnostic::(?:error|warning|note)|\breport|\bproblems)\(\s*"([a-z]+(?:-[a-z]+)*)"\s*,"#,
        );
        // The guards hand their codes on as pairs, or to a closure.
        let reasons =
            regex::Regex::new(r#"(?:\bobject\(|\bSome\(\(|\bcode:)\s*"([a-z]+(?:-[a-z]+)*)"\s*[,.]"#);
        let (said, reasons) = (said.unwrap(), reasons.unwrap());
        let mut found = std::collections::BTreeSet::new();
        for (path, text) in sources(folder) {
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let pattern = if path.starts_with(folder.join("verdict")) { &reasons } else { &said };
            found.extend(pattern.captures_iter(text).map(|code| code[1].to_string()));
        }
        found
    }

    /// Every source file below a folder that is not one of tests only.
    fn sources(folder: &std::path::Path) -> Vec<(std::path::PathBuf, String)> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let ours = entries.filter(|path| path.file_stem().is_some_and(|stem| stem != "tests"));
        ours.flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![(path.clone(), std::fs::read_to_string(&path).unwrap_or_default())],
        })
        .collect()
    }

    #[test]
    fn the_differences_of_the_twin_name_area_difference_and_consequence() {
        let page = page("twin").unwrap();
        for words in ["canary", "native histograms", "leader election", "## Kubernetes"] {
            assert!(page.contains(words), "{words}");
        }
    }
}
