//! The pages that `firedrill explain CODE` prints, one for every code that firedrill can say.
//!
//! A page lives beside what it explains: a rule's manual is in the rule, and other modules bring theirs as [`Page`]s.
//! This module only puts them together and finds the one that is meant.

mod input;
mod rule;

use std::borrow::Cow;

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

/// All pages: what cannot be read, then the rules of the linter.
#[must_use]
pub fn pages() -> Vec<Page> {
    let mut pages: Vec<Page> = crate::lint::rules().iter().map(rule::page).collect();
    pages.extend_from_slice(input::PAGES);
    pages
}

/// The page for a code, in any case, or for the name of a rule.
#[must_use]
pub fn page(code: &str) -> Option<String> {
    find(&pages(), code).map(text)
}

/// Every code with its title, for a table of contents.
#[must_use]
pub fn index() -> String {
    let pages = pages();
    let width = pages.iter().map(|page| page.code.chars().count()).max().unwrap_or_default();
    pages.iter().map(|page| format!("{:width$}  {}\n", page.code, page.title)).collect()
}

/// The code that was probably meant by one that nobody knows.
#[must_use]
pub fn suggestion(code: &str) -> Option<String> {
    let pages = pages();
    let rules = crate::lint::rules().iter().map(|rule| rule.name);
    let known = pages.iter().map(|page| page.code.as_ref()).chain(rules);
    suggest::nearest(code, known).map(str::to_string)
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
    fn the_index_lists_every_page() {
        assert_eq!(index().lines().count(), pages().len());
        assert!(index().starts_with("FD001  "));
    }
}
