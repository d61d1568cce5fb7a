//! How many sockets there may be.

use rustix::process::{Resource, getrlimit, setrlimit};

/// More requests than this are never under way: each holds buffers of some 20 KB.
const MOST: u64 = 16_384;
/// What is not for traffic: the listener, its connections, files.
const OTHERS: u64 = 700;

/// Takes as many descriptors as the process may have, and answers how many requests can be under way. Containers often
/// begin with 1024 and may have half a million.
pub(super) fn requests_under_way() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(MOST + OTHERS, |maximum| maximum.min(MOST + OTHERS));
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(wanted);
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the number of open files stays limited");
        }
    }
    let current = getrlimit(Resource::Nofile).current.unwrap_or(MOST + OTHERS);
    usize::try_from(current.saturating_sub(OTHERS).clamp(64, MOST)).unwrap_or(64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_some_and_not_for_more_than_memory_has() {
        let most = requests_under_way();
        assert!((64..=16_384).contains(&most), "{most}");
    }
}
