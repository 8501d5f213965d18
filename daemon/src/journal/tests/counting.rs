//! What is counted follows the rows through every change, also where a journal of an older program is opened; gaps are found
//! whichever number of a stream is missing.

use rusqlite::Connection;

use super::{Place, arrived, bundle, claim, manifest, noon, open, party};
use crate::engine::policy::{ReturnReason, Verdict};
use crate::journal::{FlowTally, NewInbound};

fn outbound(place: &Place) -> Vec<(String, u64)> {
    let tallies = place.journal.flow_tallies().unwrap();
    let out = tallies.into_iter().filter(|tally| tally.goes_out);
    out.map(|FlowTally { state, rows, .. }| (state, rows))
        .collect()
}

fn take(place: &Place, new: &NewInbound) {
    let mut receipt = |_: &str, _| b"receipt".to_vec();
    place.journal.take_over(new, noon(), &mut receipt).unwrap();
}

/// Two claims going out, one of them returned; three bundles in, one of them refused and one far ahead.
fn busy() -> Place {
    let place = open();
    for n in [1, 2] {
        place.journal.claim(&[claim(n)], noon()).unwrap();
    }
    let too_large = ReturnReason::TooLarge;
    place
        .journal
        .record_return(&bundle(2), too_large, noon())
        .unwrap();
    let refused = Verdict::Refuse(amanah_format::refusal::Refusal::FlowNotAgreed);
    for (name, sequence, verdict) in [
        (&b"one"[..], 1, Verdict::Admit),
        (b"four", 4, Verdict::Admit),
        (b"six", 6, refused),
    ] {
        let new = arrived(name, manifest(sequence), verdict);
        take(&place, &new);
    }
    place
}

#[test]
fn bundles_are_counted_by_peer_flow_and_state() {
    let place = busy();
    assert_eq!(
        outbound(&place),
        [("claiming".into(), 1), ("returned".into(), 1)]
    );
    let tallies = place.journal.flow_tallies().unwrap();
    let back: Vec<_> = tallies.iter().filter(|tally| !tally.goes_out).collect();
    assert_eq!(back.len(), 2, "{back:?}");
    assert_eq!((back[0].rows, back[0].bytes), (2, 14));
    assert!(
        back.iter()
            .all(|tally| tally.flow == "paspor" && tally.peer == party("imigrasi"))
    );
}

#[test]
fn the_oldest_under_way_is_found_for_each_flow() {
    let place = busy();
    let oldest = |goes_out, flow| {
        place
            .journal
            .oldest_unsettled(goes_out, &party("imigrasi"), flow)
            .unwrap()
    };
    assert_eq!(
        oldest(true, "manifes-umrah").map(|time| time.unix()),
        Some(0)
    );
    assert_eq!(oldest(false, "paspor"), Some(noon()));
    assert_eq!(oldest(true, "paspor"), None);
}

#[test]
fn missing_numbers_are_counted_also_where_the_first_one_is_missing() {
    let place = busy();
    let streams = place.journal.incoming_streams().unwrap();
    let [stream] = streams.as_slice() else {
        panic!("{streams:?}");
    };
    assert_eq!(
        (stream.contiguous, stream.highest, stream.missing),
        (1, 4, 2)
    );
    let place = open();
    let third = arrived(b"three", manifest(3), Verdict::Admit);
    take(&place, &third);
    let mut other = manifest(2);
    other.flow = "visa".parse().unwrap();
    take(&place, &arrived(b"visa", other, Verdict::Admit));
    let streams = place.journal.incoming_streams().unwrap();
    let missing: Vec<_> = streams
        .iter()
        .map(|stream| (stream.flow.as_str(), stream.missing))
        .collect();
    assert_eq!(missing, [("paspor", 2), ("visa", 1)]);
}

#[test]
fn a_journal_of_an_older_program_is_counted_anew() {
    let place = busy();
    let (path, before) = (place.path(), place.journal.flow_tallies().unwrap());
    let folder = place.folder;
    drop(place.journal);
    let older = "DROP TRIGGER outbound_came; DROP TRIGGER outbound_moved; DROP TRIGGER inbound_came;
        DROP TRIGGER inbound_moved; DROP TRIGGER inbound_gone; DROP INDEX outbound_oldest; DROP INDEX inbound_oldest;
        DROP TABLE tallies;
        CREATE TABLE tallies (way TEXT NOT NULL, state TEXT NOT NULL, rows INTEGER NOT NULL, PRIMARY KEY (way, state))
            STRICT, WITHOUT ROWID;
        CREATE TRIGGER outbound_came AFTER INSERT ON outbound BEGIN
            INSERT INTO tallies VALUES ('outbound', NEW.state, 1) ON CONFLICT DO UPDATE SET rows = rows + 1; END;";
    Connection::open(&path)
        .unwrap()
        .execute_batch(older)
        .unwrap();
    let journal = crate::journal::Journal::open(&path, &party("kemenhaj"), noon()).unwrap();
    let place = Place { folder, journal };
    assert_eq!(place.journal.flow_tallies().unwrap(), before);
    place.journal.claim(&[claim(3)], noon()).unwrap();
    assert_eq!(
        outbound(&place),
        [("claiming".into(), 2), ("returned".into(), 1)]
    );
}
