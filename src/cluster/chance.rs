//! Chance that nobody can guess: for secrets and names, never for anything that a run decides.

use tokio_rustls::rustls::crypto::ring;

/// The operating system gives no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random numbers")]
pub(super) struct NoChance;

/// So many random bytes.
pub(super) fn bytes<const N: usize>() -> Result<[u8; N], NoChance> {
    let mut bytes = [0_u8; N];
    ring::default_provider().secure_random.fill(&mut bytes).map_err(|_| NoChance)?;
    Ok(bytes)
}

/// 256 bits, in the letters that a header may carry.
pub(super) fn token() -> Result<String, NoChance> {
    Ok(bytes::<32>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A short name in the letters that Kubernetes takes anywhere, beginning with one: about 30 bits.
pub(super) fn name() -> Result<String, NoChance> {
    const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
    // 26 does not divide 256: the slight preference for early letters matters to nobody here.
    Ok(bytes::<6>()?.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_differ() {
        let (one, other) = (name().unwrap(), name().unwrap());
        assert!(one.len() == 6 && one.bytes().all(|letter| letter.is_ascii_lowercase()), "{one}");
        assert_ne!(one, other);
        assert_eq!(token().unwrap().len(), 64);
    }
}
