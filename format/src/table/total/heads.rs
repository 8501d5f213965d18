//! The sum of what many short texts' SHA-256 begin with. With its padding such a text is one block (FIPS 180-4, §5.1.1), and each is
//! hashed by itself: blocks are gathered and hashed one right after the other, so that the processor works on some at a time.

use sha2::block_api::compress256;
use sha2::{Digest as _, Sha256};

const BLOCK_BYTES: usize = 64;
/// After the text come the bit that ends it and its length in bits.
const TEXT_BYTES_MAX: usize = BLOCK_BYTES - 1 - size_of::<u64>();
/// Blocks that are hashed together.
const BLOCKS: usize = 32;
/// What every hash begins from (FIPS 180-4, §5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// A sum modulo 2^128 of the first 16 bytes (big-endian) of each text's SHA-256.
#[derive(Debug, Default)]
pub(super) struct Heads {
    sum: u128,
    waiting: Vec<[u8; BLOCK_BYTES]>,
}

impl Heads {
    pub(super) fn add(&mut self, text: &[u8]) {
        let Some(block) = block_of(text) else {
            let digest = Sha256::digest(text);
            let head = digest.first_chunk().copied().unwrap_or_default();
            self.sum = self.sum.wrapping_add(u128::from_be_bytes(head));
            return;
        };
        self.waiting.push(block);
        if self.waiting.len() >= BLOCKS {
            self.hash();
        }
    }

    /// What was added since the last time.
    pub(super) fn take(&mut self) -> u128 {
        self.hash();
        std::mem::take(&mut self.sum)
    }

    fn hash(&mut self) {
        for block in self.waiting.drain(..) {
            let mut state = INITIAL;
            compress256(&mut state, &[block]);
            let [a, b, c, d, ..] = state.map(u128::from);
            let head = a << 96 | b << 64 | c << 32 | d;
            self.sum = self.sum.wrapping_add(head);
        }
    }
}

/// A text and its padding; `None` where they are more than one block.
fn block_of(text: &[u8]) -> Option<[u8; BLOCK_BYTES]> {
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let mut block = [0; BLOCK_BYTES];
    let (head, rest) = block.split_at_mut_checked(text.len())?;
    head.copy_from_slice(text);
    *rest.first_mut()? = 0x80;
    let bits = u64::try_from(text.len()).ok()? * 8;
    *rest.last_chunk_mut()? = bits.to_be_bytes();
    Some(block)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn summed(texts: &[Vec<u8>]) -> u128 {
        texts.iter().fold(0, |sum: u128, text| {
            let digest = Sha256::digest(text);
            sum.wrapping_add(u128::from_be_bytes(*digest.first_chunk().unwrap()))
        })
    }

    #[test]
    fn every_length_is_hashed_as_the_standard_says() {
        for length in 0..=3 * BLOCK_BYTES {
            let text = vec![b'x'; length];
            let mut heads = Heads::default();
            heads.add(&text);
            assert_eq!(heads.take(), summed(&[text]), "{length} bytes");
            assert_eq!(heads.take(), 0, "nothing was added since");
        }
    }

    proptest! {
        #[test]
        fn none_is_left_out(texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..70), 0..100)) {
            let mut heads = Heads::default();
            texts.iter().for_each(|text| heads.add(text));
            prop_assert_eq!(heads.take(), summed(&texts));
        }
    }
}
