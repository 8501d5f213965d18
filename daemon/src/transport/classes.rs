//! What is fetched beside what: a listing says lengths and no lanes, so what is small passes what is large. Each class is
//! fetched by itself, one bundle after the other.

use super::link::Offer;

/// How many there are.
pub(crate) const CLASSES: usize = 4;

/// The longest of each class but the last: what takes two minutes at 64 kbit/s; what a day's manifests have; what a photo
/// archive has.
const BYTES_MAX: [u64; CLASSES - 1] = [1 << 20, 1 << 25, 1 << 30];

/// One class of lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Class(usize);

impl Class {
    /// Receipts, slips, small bundles.
    pub(crate) const SMALL: Self = Self(0);

    /// The others.
    pub(crate) const LARGE: [Self; CLASSES - 1] = [Self(1), Self(2), Self(3)];

    pub(crate) fn of(offer: &Offer) -> Self {
        Self::of_bytes(offer.bytes)
    }

    pub(crate) fn of_bytes(bytes: u64) -> Self {
        Self(BYTES_MAX.iter().filter(|most| bytes > **most).count())
    }

    /// Its place among them, the shortest first.
    pub(crate) const fn rank(self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_length_has_one_class_and_the_longest_of_all_has_the_last() {
        for (bytes, class) in [
            (0, Class::SMALL),
            (1 << 20, Class::SMALL),
            ((1 << 20) + 1, Class::LARGE[0]),
            (1 << 25, Class::LARGE[0]),
            (1 << 30, Class::LARGE[1]),
            (u64::MAX, Class::LARGE[2]),
        ] {
            assert_eq!(Class::of_bytes(bytes), class, "{bytes}");
        }
    }
}
