//! Destruction in steps: intended unless held, done once, certified once, its file written once; each survives a restart.
//! SPOOL.md §3.

use amanah_format::destruction::Side;
use amanah_format::digest::Digest;
use amanah_format::id::{Epoch, Sequence};
use amanah_format::ledger::RecordKind as Kind;
use amanah_format::time::UtcTime;

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

impl Place {
    /// Destroyed, and certified by the next destruction record.
    fn gone(&self, digest: &Digest, rows: u64, now: UtcTime) {
        self.journal.received_destroyed(digest, rows, now).unwrap();
        let gone = self.journal.uncertified().unwrap().unwrap();
        let number = self.journal.next_act().unwrap();
        let act = Act {
            number,
            peer: gone.peer.clone(),
            digest: Digest::of(&number.to_be_bytes()),
            container: b"container".to_vec(),
        };
        self.journal.certify(&gone, &act, now).unwrap();
    }

    fn gone_newest_first(&self) -> Vec<Digest> {
        let rows = self.journal.destroyed_imports(0, 9).unwrap();
        rows.into_iter().map(|row| row.digest).collect()
    }
}

#[test]
fn what_came_back_is_kept_again_and_destroyed_and_certified_once_more() {
    let place = open();
    let journal = &place.journal;
    let rows = [place.answered(1, None), place.answered(2, None)];
    for (number, digest) in (0..).zip(&rows) {
        assert!(journal.doom(&place.doomed(*digest)).unwrap());
        place.gone(digest, 7, noon().plus_secs(number));
        assert!(!journal.doom(&place.doomed(*digest)).unwrap(), "it is gone");
    }
    let [first, second] = rows;
    assert_eq!(place.gone_newest_first(), [second, first]);
    let never = Digest::of(b"never came");
    for _ in 0..2 {
        journal.came_back(&[first, never]).unwrap();
        assert_eq!(place.gone_newest_first(), [second]);
    }
    assert_eq!(journal.answered_imports(0, 9).unwrap().len(), 1);
    let place = place.reopened();
    let journal = &place.journal;
    let hold = on(Some(first));
    assert!(journal.hold(&hold, "perkara", 1000, noon()).unwrap());
    assert!(!journal.doom(&place.doomed(first)).unwrap());
    assert!(journal.end_hold(&hold, 1000, noon()).unwrap());
    let again = Doomed {
        sealed: false,
        files: 0,
        ..place.doomed(first)
    };
    assert!(journal.doom(&again).unwrap());
    assert!(!journal.doom(&again).unwrap(), "it has begun");
    assert_eq!(journal.doomed(9).unwrap(), [again]);
    place.gone(&first, 5, noon().plus_secs(9));
    assert_eq!(place.gone_newest_first(), [first, second]);
    let certified = place
        .kinds()
        .iter()
        .filter(|kind| **kind == Kind::Destroyed)
        .count();
    assert_eq!(certified, 6, "three times gone, three times certified");
}

#[test]
fn what_came_back_before_it_was_certified_waits_for_that() {
    let place = open();
    let journal = &place.journal;
    let digest = place.answered(1, None);
    assert!(journal.doom(&place.doomed(digest)).unwrap());
    journal.received_destroyed(&digest, 7, noon()).unwrap();
    journal.came_back(&[digest]).unwrap();
    assert!(!journal.doom(&place.doomed(digest)).unwrap());
    let gone = journal.uncertified().unwrap().unwrap();
    assert_eq!(gone.bundles[0].rows, 7);
    let act = Act {
        number: 1,
        peer: gone.peer.clone(),
        digest: Digest::of(b"act"),
        container: b"container".to_vec(),
    };
    journal.certify(&gone, &act, noon()).unwrap();
    assert!(journal.doom(&place.doomed(digest)).unwrap());
}

#[test]
fn an_import_that_is_done_again_is_known_and_not_for_ever() {
    let place = open();
    let journal = &place.journal;
    let digest = place.answered(1, None);
    assert!(!journal.is_importing_again(noon().plus_secs(-1)).unwrap());
    journal.store_lost(&digest, noon()).unwrap();
    assert!(journal.is_importing_again(noon().plus_secs(-1)).unwrap());
    assert!(!journal.is_importing_again(noon()).unwrap());
}
