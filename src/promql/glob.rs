//! The simple patterns that most label matchers use: literal text, `.`, `.*` and `.+`. Anything else is left to the
//! `regex` crate; the two agree wherever both can say something.

/// One pattern, without alternatives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Glob(Box<[Piece]>);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Piece {
    Char(char),
    /// `.`
    AnyOne,
    /// `.*`
    AnyMany,
}

impl Glob {
    /// The pattern, when it is simple enough.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let mut pieces = Vec::with_capacity(text.len());
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '.' => {
                    let many = chars.next_if(|c| matches!(c, '*' | '+'));
                    pieces.extend((many != Some('*')).then_some(Piece::AnyOne));
                    pieces.extend(many.map(|_| Piece::AnyMany));
                }
                '\\' | '+' | '*' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '$' | '|' => {
                    return None;
                }
                c => pieces.push(Piece::Char(c)),
            }
        }
        Some(Self(pieces.into()))
    }

    /// Whether the whole of `text` fits. Falling back to the last `.*` is enough, because an earlier one could
    /// only have taken less of what the last one can take anyway.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let (mut piece, mut rest) = (0, text);
        let mut retry: Option<(usize, &str)> = None;
        loop {
            let next = rest.chars().next();
            match (self.0.get(piece), next) {
                (Some(Piece::AnyMany), _) => {
                    retry = Some((piece, rest));
                    piece += 1;
                }
                (Some(Piece::Char(want)), Some(c)) if *want == c => {
                    (piece, rest) = (piece + 1, &rest[c.len_utf8()..]);
                }
                (Some(Piece::AnyOne), Some(c)) => (piece, rest) = (piece + 1, &rest[c.len_utf8()..]),
                (None, None) => return true,
                _ => {
                    let Some((star, from)) = retry else {
                        return false;
                    };
                    let Some(skipped) = from.chars().next() else {
                        return false;
                    };
                    rest = &from[skipped.len_utf8()..];
                    (piece, retry) = (star + 1, Some((star, rest)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::matcher::anchored;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_simple_patterns_are_taken() {
        assert!(Glob::new("5..").is_some() && Glob::new(".*a.+").is_some() && Glob::new("").is_some());
        for other in ["a*", "a+", "(a)", "[a]", "a?", r"a\.b", "^a", "a$", ".*?", "a{2}"] {
            assert!(Glob::new(other).is_none(), "{other}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn globs_agree_with_the_real_engine(pattern in "(a|b|é|\\.|\\.\\*|\\.\\+){0,6}", text in "[abé\n]{0,8}") {
            let glob = Glob::new(&pattern).expect("simple");
            let regex = anchored(&pattern).expect("valid");
            prop_assert_eq!(glob.matches(&text), regex.is_match(&text), "{} on {:?}", pattern, text);
        }
    }
}
