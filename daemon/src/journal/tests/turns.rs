//! Listings of work, peer by peer: who came last with little stands before the rest of who came first with much. Within a
//! stream the order of arrival stays, also where what is long is imported beside what is short.

use std::collections::{BTreeMap, BTreeSet};

use amanah_format::agreement::Lane;

use super::{Place, arrived, bundle, claim, manifest, noon, open, party};
use crate::engine::outbound::OutboundEvent;
use crate::engine::policy::Verdict;
use crate::journal::{Flows, Page};

fn print(origin: &str, index: u64) -> Vec<u8> {
    format!("{origin} {index}").into_bytes()
}

impl Place {
    /// A bundle comes from `peer`, in a flow named like it.
    fn brings(&self, peer: &str, sequence: u64, payload_bytes: u64) {
        let mut manifest = manifest(sequence);
        (manifest.from, manifest.flow) = (party(peer), peer.parse().unwrap());
        let name = format!("{peer} {sequence}");
        let mut new = arrived(name.as_bytes(), manifest, Verdict::Admit);
        (new.peer, new.payload_bytes) = (party(peer), payload_bytes);
        self.journal.take_over(&new, noon(), &mut print).unwrap();
    }

    /// Who brought what is listed, and which number of theirs it is.
    fn admitted(&self, flows: &Flows, bytes: [u64; 2], page: Page<'_>) -> Vec<String> {
        let [least, most] = bytes;
        let rows = self
            .journal
            .admitted_in(flows, &BTreeSet::new(), &(least..=most), page);
        let name =
            |row: &crate::journal::InboundRow| format!("{} {}", row.peer, row.sequence.unwrap());
        rows.unwrap().iter().map(name).collect()
    }
}

const ANY: [u64; 2] = [0, u64::MAX];

#[test]
fn a_peer_with_one_bundle_stands_before_the_second_of_one_with_many() {
    let place = open();
    (1..=20).for_each(|sequence| place.brings("bpkh", sequence, 7));
    place.brings("rsud", 1, 7);
    place.brings("imigrasi", 1, 7);
    let all = Flows::AllBut(BTreeSet::new());
    assert_eq!(
        place.admitted(&all, ANY, Page::first(5)),
        ["bpkh 1", "rsud 1", "imigrasi 1", "bpkh 2", "bpkh 3"]
    );
    let skip = BTreeMap::from([(party("bpkh"), 18)]);
    let page = Page {
        skip: &skip,
        limit: 9,
        of_one: 1,
    };
    let listed = ["bpkh 19", "rsud 1", "imigrasi 1"];
    assert_eq!(place.admitted(&all, ANY, page), listed);
    let stream = (party("rsud"), "rsud".parse().unwrap());
    let one = Flows::These(BTreeSet::from([stream]));
    assert_eq!(place.admitted(&one, ANY, Page::first(5)), ["rsud 1"]);
}

#[test]
fn a_stream_keeps_its_order_whatever_the_lengths() {
    let place = open();
    let lengths = [5, 6, 100, 7, 101].into_iter();
    (1..)
        .zip(lengths)
        .for_each(|(sequence, bytes)| place.brings("bpkh", sequence, bytes));
    place.brings("rsud", 1, 200);
    let all = Flows::AllBut(BTreeSet::new());
    let (short, long) = ([0, 99], [100, u64::MAX]);
    assert_eq!(
        place.admitted(&all, short, Page::first(9)),
        ["bpkh 1", "bpkh 2"]
    );
    // The third waits for the two before it, another peer's for nobody.
    assert_eq!(place.admitted(&all, long, Page::first(9)), ["rsud 1"]);
}

#[test]
fn what_is_to_be_sealed_for_one_peer_waits_for_no_backlog_of_another() {
    let place = open();
    let claims = (1..=9).map(|number| {
        let mut claim = claim(number);
        claim.peer = party(if number == 9 { "rsud" } else { "bpkh" });
        claim
    });
    place
        .journal
        .claim(&claims.collect::<Vec<_>>(), noon())
        .unwrap();
    for number in 1..=9 {
        let event = OutboundEvent::StoodAside;
        place
            .journal
            .advance_outbound(&bundle(number), event, noon())
            .unwrap();
    }
    let listed = |limit, shut: &[&str]| -> Vec<_> {
        let shut: Vec<_> = shut.iter().map(|peer| party(peer)).collect();
        let rows = place
            .journal
            .unsealed_in(Lane::Normal, &shut, Page::first(limit));
        rows.unwrap().iter().map(|row| row.bundle).collect()
    };
    assert_eq!(listed(3, &[]), [bundle(1), bundle(9), bundle(2)]);
    assert_eq!(listed(9, &["bpkh"]), [bundle(9)]);
}
