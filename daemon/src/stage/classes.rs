//! What is fetched beside what: a listing says lengths and no lanes, so what is small passes what is large. Each class has a
//! fetcher of its own, one bundle after the other; the first one looks, and calls those for whom something lies there.

use tokio::sync::Notify;

use crate::transport::link::Offer;

/// How many there are.
pub(super) const CLASSES: usize = 4;

/// The longest of each class but the last: what takes two minutes at 64 kbit/s; what a day's manifests have; what a photo
/// archive has.
const BYTES_MAX: [u64; CLASSES - 1] = [1 << 20, 1 << 25, 1 << 30];

/// One class of lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Class(usize);

impl Class {
    /// Receipts, slips, small bundles.
    pub(super) const SMALL: Self = Self(0);

    /// The others.
    pub(super) const LARGE: [Self; CLASSES - 1] = [Self(1), Self(2), Self(3)];

    pub(super) fn of(offer: &Offer) -> Self {
        Self(BYTES_MAX.iter().filter(|most| offer.bytes > **most).count())
    }
}

/// Wakes the fetchers of what is large.
#[derive(Default)]
pub(super) struct Calls([Notify; CLASSES]);

impl Calls {
    /// Calls those for whom something lies there.
    pub(super) fn ring(&self, offers: &[Offer]) {
        for (number, call) in self.0.iter().enumerate() {
            if offers.iter().any(|offer| Class::of(offer) == Class(number)) {
                call.notify_one();
            }
        }
    }

    /// Until this class is called.
    pub(super) async fn called(&self, class: Class) {
        match self.0.get(class.0) {
            Some(call) => call.notified().await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::link::WireName;
    use amanah_format::digest::Digest;

    fn offer(bytes: u64) -> Offer {
        let name = WireName::Bundle(Digest::of(b"x"));
        Offer { name, bytes }
    }

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
            assert_eq!(Class::of(&offer(bytes)), class, "{bytes}");
        }
    }

    #[tokio::test]
    async fn only_those_for_whom_something_lies_there_are_called() {
        let calls = Calls::default();
        calls.ring(&[offer(7), offer(1 << 26)]);
        calls.called(Class::LARGE[1]).await;
        let other = calls.called(Class::LARGE[0]);
        let waited = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(waited, other).await.is_err());
    }
}
