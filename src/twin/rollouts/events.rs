//! How a message becomes an event's text.

use std::fmt::Write as _;

/// A finished message passed as a printf format without arguments, as upstream's recorder does in some places
/// (`Eventf` in utils/record/record.go v1.9.1): every percent sign is taken for a verb and garbled.
pub(in crate::twin) fn garbled(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    let mut chars = message.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        while chars.next_if(|c| "+-# 0123456789.".contains(*c)).is_some() {}
        match chars.next() {
            None => text.push_str("%!(NOVERB)"),
            Some('%') => text.push('%'),
            Some(verb) => write!(text, "%!{verb}(MISSING)").expect("a String takes everything"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::garbled;

    #[test]
    fn a_percent_sign_is_garbled_as_go_garbles_it() {
        assert_eq!(garbled("5 errors"), "5 errors");
        assert_eq!(garbled("above 5%"), "above 5%!(NOVERB)");
        assert_eq!(garbled("5% of all"), "5%!o(MISSING)f all");
        assert_eq!(garbled("100%%"), "100%");
        assert_eq!(garbled("%d pods"), "%!d(MISSING) pods");
    }
}
