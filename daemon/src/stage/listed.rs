//! What one round listed, told to those who fetch what is large. Only one of them lists: a peer's bell counts from the last
//! listing of a connection, and a drop's folder is long to read.

use std::time::Duration;

use tokio::sync::watch;

use crate::transport::classes::Class;
use crate::transport::link::Offer;

/// Where the one that lists tells the others.
pub(super) struct Listing(watch::Sender<Vec<Offer>>);

/// One of the others.
pub(super) struct Waiting {
    class: Class,
    listed: watch::Receiver<Vec<Offer>>,
}

impl Listing {
    /// Nothing is listed yet.
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }

    /// Tells the others what waits; what is small of it is for the one that lists.
    pub(super) fn tell(&self, offers: Vec<Offer>) -> Vec<Offer> {
        let small = of_class(&offers, Class::SMALL);
        self.0.send_replace(offers);
        small
    }

    /// Those that fetch what is large: one for each class of it.
    pub(super) fn large(&self) -> [Waiting; Class::LARGE.len()] {
        Class::LARGE.map(|class| Waiting {
            class,
            listed: self.0.subscribe(),
        })
    }
}

impl Waiting {
    /// What was listed last of this class, as soon as there is another listing, and without one after so long: never nothing.
    pub(super) async fn next(&mut self, within: impl Fn() -> Duration) -> Vec<Offer> {
        loop {
            let _ = tokio::time::timeout(within(), self.listed.changed()).await;
            let offers = self.now();
            if !offers.is_empty() {
                return offers;
            }
        }
    }

    /// What was listed last of this class.
    pub(super) fn now(&mut self) -> Vec<Offer> {
        of_class(&self.listed.borrow_and_update(), self.class)
    }
}

fn of_class(offers: &[Offer], class: Class) -> Vec<Offer> {
    let of_it = offers.iter().filter(|offer| Class::of(offer) == class);
    of_it.copied().collect()
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

    #[tokio::test]
    async fn each_is_told_what_is_of_its_class_and_the_others_go_on_waiting() {
        let listing = Listing::new();
        let [mut medium, mut large, _] = listing.large();
        let (small, long) = (offer(7), offer(1 << 26));
        assert_eq!(listing.tell(vec![small, long]), [small]);
        let soon = || Duration::from_millis(20);
        assert_eq!(large.next(soon).await, [long]);
        let nothing = tokio::time::timeout(soon() * 2, medium.next(soon));
        assert!(nothing.await.is_err());
        // Without another listing it is the same again after a while: what failed is to be tried again.
        assert_eq!(large.next(soon).await, [long]);
    }
}
