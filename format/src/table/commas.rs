//! Where cells and records end in a text without quotation marks: commas and line feeds, looked for in 64 bytes at a time. A search
//! that begins anew at each cell costs more than the few bytes between two of them.

/// Bytes that are looked at together: one bit of a mask for each.
const CHUNK_BYTES: usize = 64;
/// Moves the lowest bit of eight bytes together into the highest byte, in their order.
const GATHER: u64 = 0x0102_0408_1020_4080;

/// The commas and line feeds of a text, from the first to the last.
#[derive(Debug, Default)]
pub(super) struct Commas {
    /// Those of the chunk in hand that were not taken yet.
    mask: u64,
    /// Where the chunk in hand begins, and the next one.
    chunk: usize,
    next: usize,
}

impl Commas {
    /// The place of the next one; `text` is the same each time.
    pub(super) fn next(&mut self, text: &[u8]) -> Option<usize> {
        while self.mask == 0 {
            let rest = text.get(self.next..).filter(|rest| !rest.is_empty())?;
            self.mask = match rest.first_chunk() {
                Some(chunk) => mask(chunk),
                None => mask_of_last(rest),
            };
            self.chunk = self.next;
            self.next += CHUNK_BYTES;
        }
        let place = usize::try_from(self.mask.trailing_zeros()).unwrap_or_default();
        self.mask &= self.mask - 1;
        Some(self.chunk + place)
    }
}

fn mask(chunk: &[u8; CHUNK_BYTES]) -> u64 {
    let flags = chunk.map(|byte| u8::from((byte == b',') | (byte == b'\n')));
    let (words, _) = flags.as_chunks();
    words.iter().rev().fold(0, |mask, word| {
        (mask << 8) | (u64::from_le_bytes(*word).wrapping_mul(GATHER) >> 56)
    })
}

fn mask_of_last(rest: &[u8]) -> u64 {
    let mut chunk = [0; CHUNK_BYTES];
    for (to, from) in chunk.iter_mut().zip(rest) {
        *to = *from;
    }
    mask(&chunk)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &[u8]) -> Vec<usize> {
        let mut commas = Commas::default();
        std::iter::from_fn(|| commas.next(text)).collect()
    }

    fn looked_at(text: &[u8]) -> Vec<usize> {
        let is_end = |place: &usize| matches!(text[*place], b',' | b'\n');
        (0..text.len()).filter(is_end).collect()
    }

    #[test]
    fn each_place_of_a_chunk_has_its_bit() {
        for length in [1, 63, 64, 65, 128, 200] {
            for place in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'x'; length];
                    text[place] = byte;
                    let expected = if matches!(byte, b',' | b'\n') {
                        vec![place]
                    } else {
                        Vec::new()
                    };
                    assert_eq!(found(&text), expected, "{byte} at {place} of {length}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn it_finds_what_is_there(text in proptest::collection::vec(prop_oneof![Just(b','), Just(b'\n'), any::<u8>()], 0..300)) {
            prop_assert_eq!(found(&text), looked_at(&text));
        }
    }
}
