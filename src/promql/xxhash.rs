//! XXH64 with seed 0. `limit_ratio` picks series by this hash of their labels, so that Prometheus and we pick the
//! same ones. Not used for anything else.

use super::labels::Labels;

const P1: u64 = 0x9E37_79B1_85EB_CA87;
const P2: u64 = 0xC2B2_AE3D_27D4_EB4F;
const P3: u64 = 0x1656_67B1_9E37_79F9;
const P4: u64 = 0x85EB_CA77_C2B2_AE63;
const P5: u64 = 0x27D4_EB2F_1656_67C5;

/// The hash of a label set in Prometheus' default in-memory layout (`model/labels/labels_stringlabels.go`, v3):
/// every name and value preceded by its length, one byte below 255, otherwise 255 and three bytes.
pub(crate) fn labels(labels: &Labels) -> u64 {
    let mut data = Vec::new();
    for text in labels.iter().flat_map(|(name, value)| [name, value]) {
        let len = text.len().to_le_bytes();
        if text.len() < 255 {
            data.push(len[0]);
        } else {
            data.extend_from_slice(&[255, len[0], len[1], len[2]]);
        }
        data.extend_from_slice(text.as_bytes());
    }
    bytes(&data)
}

fn bytes(data: &[u8]) -> u64 {
    let (mut hash, rest) = if data.len() >= 32 { stripes(data) } else { (P5, data) };
    hash = hash.wrapping_add(data.len() as u64);
    let mut words = rest.chunks_exact(8);
    for word in words.by_ref() {
        hash = (hash ^ round(0, le(word))).rotate_left(27).wrapping_mul(P1).wrapping_add(P4);
    }
    let mut halves = words.remainder().chunks_exact(4);
    for half in halves.by_ref() {
        hash = (hash ^ le(half).wrapping_mul(P1)).rotate_left(23).wrapping_mul(P2).wrapping_add(P3);
    }
    for byte in halves.remainder() {
        hash = (hash ^ u64::from(*byte).wrapping_mul(P5)).rotate_left(11).wrapping_mul(P1);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(P2);
    hash = (hash ^ (hash >> 29)).wrapping_mul(P3);
    hash ^ (hash >> 32)
}

fn stripes(data: &[u8]) -> (u64, &[u8]) {
    let mut lanes = [P1.wrapping_add(P2), P2, 0, 0u64.wrapping_sub(P1)];
    let mut stripes = data.chunks_exact(32);
    for stripe in stripes.by_ref() {
        for (lane, word) in lanes.iter_mut().zip(stripe.chunks_exact(8)) {
            *lane = round(*lane, le(word));
        }
    }
    let turns = [1, 7, 12, 18];
    let mut hash =
        lanes.iter().zip(turns).fold(0u64, |sum, (lane, turn)| sum.wrapping_add(lane.rotate_left(turn)));
    for lane in lanes {
        hash = (hash ^ round(0, lane)).wrapping_mul(P1).wrapping_add(P4);
    }
    (hash, stripes.remainder())
}

fn round(acc: u64, input: u64) -> u64 {
    acc.wrapping_add(input.wrapping_mul(P2)).rotate_left(31).wrapping_mul(P1)
}

fn le(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hashes_come_out() {
        assert_eq!(bytes(b""), 0xEF46_DB37_51D8_E999);
        assert_eq!(bytes(b"a"), 0xD24E_C4F1_A98C_6E5B);
        assert_eq!(bytes(b"abc"), 0x44BC_2CF5_AD77_0999);
        assert_eq!(bytes(b"Nobody inspects the spammish repetition"), 0xFBCE_A83C_8A37_8BF1);
    }
}
