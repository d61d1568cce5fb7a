//! The run's secret: who knows it may command the agent.
//!
//! It never leaves the process: not in logs, not in answers. Receivers are addressed by a token made from it, since that
//! stands in a ConfigMap that more people may read, and must not be enough to command anything.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// What a run and its agent know, and nobody else.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why a text is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It could be guessed.
    #[error("the secret is shorter than {SHORTEST} characters")]
    Short,
    /// It does not fit into a header.
    #[error("the secret has characters that are no plain ASCII")]
    Odd,
}

/// A secret is at least this long.
const SHORTEST: usize = 16;
/// A token is this long, in hexadecimal digits.
const TOKEN: usize = 32;

impl Secret {
    /// A secret as it stands in a file: the end of the line is not part of it.
    ///
    /// # Errors
    /// When it is too short or does not fit into a header.
    pub fn new(text: &str) -> Result<Secret, SecretError> {
        let text = text.trim();
        match () {
            () if !text.bytes().all(|byte| byte.is_ascii_graphic()) => Err(SecretError::Odd),
            () if text.len() < SHORTEST => Err(SecretError::Short),
            () => Ok(Secret(text.to_owned())),
        }
    }

    /// The secret itself, for the header that carries it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether this is the secret.
    pub(super) fn is(&self, given: &[u8]) -> bool {
        same(given, self.0.as_bytes())
    }

    /// The part of the receivers' addresses that only this run knows.
    #[must_use]
    pub fn token(&self) -> String {
        self.derived("receivers")
    }

    /// A text that shows knowledge of the secret for one purpose, and does not give it away.
    pub(super) fn derived(&self, purpose: &str) -> String {
        let digest = Sha256::digest(format!("firedrill {purpose} {}", self.0));
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.chars().take(TOKEN).collect()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Compares without telling by its time how much was right.
pub(super) fn same(given: &[u8], expected: &[u8]) -> bool {
    let differences = given.iter().zip(expected).fold(0, |sum, (one, other)| sum | (one ^ other));
    given.len() == expected.len() && std::hint::black_box(differences) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_what_stands_in_the_file() {
        let secret = Secret::new("0123456789abcdef\n").unwrap();
        assert!(secret.is(b"0123456789abcdef"));
        assert!(!secret.is(b"0123456789abcdeg") && !secret.is(b"0123456789abcde") && !secret.is(b""));
    }

    #[test]
    fn what_can_be_guessed_or_not_sent_is_none() {
        assert_eq!(Secret::new(" \n"), Err(SecretError::Short));
        assert_eq!(Secret::new("0123456789abcde"), Err(SecretError::Short));
        assert_eq!(Secret::new("0123456789 abcdef"), Err(SecretError::Odd));
        assert_eq!(Secret::new("0123456789\u{e9}bcdef"), Err(SecretError::Odd));
    }

    #[test]
    fn neither_debug_nor_the_token_gives_it_away() {
        let secret = Secret::new("0123456789abcdef").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.token().len(), 32);
        assert_ne!(secret.token(), secret.derived("knock"));
        assert_ne!(secret.token(), Secret::new("0123456789abcdeg").unwrap().token());
    }
}
