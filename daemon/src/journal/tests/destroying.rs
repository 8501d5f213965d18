//! Destruction in steps: intended unless held, done once, certified once, its file written once; each survives a restart.
//! SPOOL.md §3.

use amanah_format::destruction::Side;
use amanah_format::digest::Digest;
use amanah_format::id::{Epoch, Sequence};
use amanah_format::ledger::RecordKind as Kind;

use super::{Place, agreement, noon, open, party};
use crate::journal::{Act, Doomed, HoldOn, JournalError};

impl Place {
    fn doomed(&self, manifest: Digest) -> Doomed {
        Doomed {
            side: Side::Received,
            manifest,
            bundle: None,
            peer: party("imigrasi"),
            flow: Some("manifes-umrah".parse().unwrap()),
            agreement: Some(agreement().digest),
            days: 30,
            since: noon(),
            at: noon().plus_secs(30 * 86_400),
            place: Some((Epoch::FIRST, Sequence::FIRST)),
            sealed: true,
            files: 2,
        }
    }
}

fn on(bundle: Option<Digest>) -> HoldOn {
    HoldOn {
        peer: party("imigrasi"),
        flow: "manifes-umrah".parse().unwrap(),
        bundle,
    }
}

#[test]
fn what_is_held_is_not_begun_until_the_hold_has_ended() {
    let place = open();
    let journal = &place.journal;
    let digest = Digest::of(b"1");
    for hold in [on(None), on(Some(digest))] {
        assert!(journal.hold(&hold, "perkara", 1000, noon()).unwrap());
        assert!(!journal.hold(&hold, "lagi", 1000, noon()).unwrap());
        assert!(!journal.doom(&place.doomed(digest)).unwrap());
        assert!(journal.end_hold(&hold, 1001, noon()).unwrap());
        assert!(!journal.end_hold(&hold, 1001, noon()).unwrap());
    }
    let others = on(Some(Digest::of(b"2")));
    assert!(journal.hold(&others, "perkara lain", 1000, noon()).unwrap());
    let held = &journal.holds().unwrap()[0];
    assert_eq!((held.number, held.reason.as_str()), (3, "perkara lain"));
    let flow = "manifes-umrah".parse().unwrap();
    assert!(!held.on.covers(&party("imigrasi"), Some(&flow), &digest));
    assert!(journal.doom(&place.doomed(digest)).unwrap());
    assert!(!journal.doom(&place.doomed(digest)).unwrap());
    assert_eq!(journal.doomed(9).unwrap(), [place.doomed(digest)]);
}

#[test]
fn what_is_gone_is_certified_once_and_its_file_written_once() {
    let place = open();
    let rows = [place.answered(1, None), place.answered(2, None)];
    for digest in &rows {
        assert!(place.journal.doom(&place.doomed(*digest)).unwrap());
    }
    assert_eq!(place.journal.uncertified().unwrap(), None);
    for digest in &rows {
        place.journal.received_destroyed(digest, 7, noon()).unwrap();
        place.journal.received_destroyed(digest, 9, noon()).unwrap();
    }
    let place = place.reopened();
    let journal = &place.journal;
    assert!(journal.doomed(9).unwrap().is_empty());
    let gone = journal.uncertified().unwrap().unwrap();
    let found: Vec<_> = gone
        .bundles
        .iter()
        .map(|one| (one.manifest, one.rows))
        .collect();
    assert_eq!(found, rows.map(|digest| (digest, 7)));
    assert!(gone.bundles[0].record < gone.bundles[1].record);
    let act = Act {
        number: journal.next_act().unwrap(),
        peer: gone.peer.clone(),
        digest: Digest::of(b"act"),
        container: b"container".to_vec(),
    };
    journal.certify(&gone, &act, noon()).unwrap();
    let again = journal.certify(&gone, &act, noon());
    assert!(matches!(again, Err(JournalError::Conflict)));
    assert_eq!(journal.uncertified().unwrap(), None);
    assert_eq!(journal.next_act().unwrap(), 2);
    let place = place.reopened();
    let waiting = place.journal.acts_to_write().unwrap();
    assert_eq!(waiting[0].container, b"container");
    place.journal.act_written(1).unwrap();
    assert!(place.journal.acts_to_write().unwrap().is_empty());
    let destroyed = place
        .kinds()
        .iter()
        .filter(|kind| **kind == Kind::Destroyed)
        .count();
    assert_eq!(destroyed, 3);
}
