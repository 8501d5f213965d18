//! Witness: what a peer's newest checkpoint means beside the one that was seen before. Pure. FORMAT.md §15.4.
//! A ledger only grows: what is smaller, another tree of the same size, or larger without a proof that it grew out of the one
//! before, is another ledger.

use amanah_format::digest::Digest;
use amanah_format::ledger::{Checkpoint, is_consistent};
use amanah_format::time::UtcTime;

/// Checkpoints in a row whose proof begins at another size than the one seen here, although the peer took our word where to begin:
/// one or two may have been under way.
const UNPROVEN_MAX: u32 = 3;
/// Who has not taken our word within so long shows without ever looking.
const UNPROVEN_SECS_MAX: i64 = 86_400;

/// A peer whose ledger has grown shows it within an hour, or at its next connection: after a day in which records were due and it
/// was there, it is not showing any more.
const UNSEEN_SECS_MAX: i64 = 86_400;
/// A peer that has just connected shows within seconds.
const CONNECTED_SECS_MIN: i64 = 600;

/// Whether what a peer owes since then is older than anybody needs who shows it.
#[must_use]
pub fn is_overdue(owed: UtcTime, now: UtcTime) -> bool {
    now > owed.plus_secs(UNSEEN_SECS_MAX)
}

/// Whether a peer keeps its ledger from being seen: receipts were exchanged at `owed` and later, its ledger was not seen to grow
/// since, and it is `connected` long enough to have shown it.
#[must_use]
pub fn is_unseen(owed: UtcTime, connected: Option<UtcTime>, now: UtcTime) -> bool {
    is_overdue(owed, now)
        && connected.is_some_and(|since| now >= since.plus_secs(CONNECTED_SECS_MIN))
}

/// What a checkpoint means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// None of this ledger was seen before.
    First,
    /// The very one that was seen last.
    Same,
    /// It has grown out of the one seen last.
    Grown,
    /// It is larger, and its proof begins elsewhere: the peer is told where we are.
    Unproven,
    /// It is not the ledger that was seen before.
    Fork,
}

/// Whether a peer that shows again and again without the proof that it is asked for has had its time: `times` counts what it
/// showed after it took our word, `since` is when it began.
#[must_use]
pub fn is_evasive(times: u32, since: UtcTime, now: UtcTime) -> bool {
    times > UNPROVEN_MAX || now > since.plus_secs(UNPROVEN_SECS_MAX)
}

/// Judges `now` by what was seen `before`; `proof` begins at the size `from`.
#[must_use]
pub fn judge(
    before: Option<&Checkpoint>,
    now: &Checkpoint,
    (from, proof): (u64, &[Digest]),
) -> Heard {
    let Some(before) = before else {
        return Heard::First;
    };
    if before.origin != now.origin || now.size < before.size {
        return Heard::Fork;
    }
    if now.size == before.size {
        return match now.root == before.root {
            true => Heard::Same,
            false => Heard::Fork,
        };
    }
    if from != before.size {
        return Heard::Unproven;
    }
    let (first, second) = ((before.size, before.root), (now.size, now.root));
    match is_consistent(first, second, proof) {
        true => Heard::Grown,
        false => Heard::Fork,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amanah_format::ledger::{Prover, Tree, leaf_hash};

    /// A ledger of records that bear the name of whoever wrote them.
    fn checkpoint(writer: &str, size: u64) -> Checkpoint {
        let mut tree = Tree::default();
        (0..size).for_each(|index| tree.push(leaf(writer, index)));
        Checkpoint {
            origin: "amanah/imigrasi/1".to_owned(),
            size,
            root: tree.root(),
        }
    }

    fn leaf(writer: &str, index: u64) -> Digest {
        // What the second writer changes is the third record.
        let writer = if index == 2 { writer } else { "both" };
        leaf_hash(format!("{writer} {index}").as_bytes())
    }

    fn proof(writer: &str, from: u64, to: u64) -> Vec<Digest> {
        let mut prover = Prover::new(from, to);
        (0..to).for_each(|index| prover.push(leaf(writer, index)));
        prover.finish()
    }

    #[test]
    fn who_shows_nothing_for_a_day_is_noticed_once_it_is_there() {
        let owed = UtcTime::from_unix(1_800_000_000).unwrap();
        let late = owed.plus_secs(86_401);
        assert!(is_unseen(owed, Some(owed), late));
        assert!(!is_unseen(owed, Some(owed), owed.plus_secs(86_400)));
        assert!(!is_unseen(owed, None, late), "away");
        assert!(
            !is_unseen(owed, Some(late.plus_secs(-599)), late),
            "just back"
        );
        assert!(is_unseen(owed, Some(late.plus_secs(-600)), late));
    }

    #[test]
    fn who_never_proves_it_is_caught_and_who_was_only_slow_is_not() {
        let since = UtcTime::from_unix(1_800_000_000).unwrap();
        let later = |secs| since.plus_secs(secs);
        assert!(!is_evasive(3, since, later(86_400)));
        assert!(is_evasive(4, since, since));
        assert!(is_evasive(0, since, later(86_401)));
        assert!(
            !is_evasive(1, since, later(-60)),
            "a clock that was set back"
        );
    }

    #[test]
    fn a_ledger_that_only_grew_is_followed_and_any_other_is_a_fork() {
        let seen = checkpoint("honest", 5);
        let heard = |writer: &str, size: u64, from: u64| {
            let proof = proof(writer, from, size);
            judge(Some(&seen), &checkpoint(writer, size), (from, &proof))
        };
        assert_eq!(judge(None, &seen, (0, &[])), Heard::First);
        assert_eq!(heard("honest", 5, 5), Heard::Same);
        assert_eq!(heard("honest", 9, 5), Heard::Grown);
        assert_eq!(heard("honest", 9, 4), Heard::Unproven);
        assert_eq!(heard("honest", 9, 0), Heard::Unproven);
        assert_eq!(heard("honest", 4, 4), Heard::Fork, "cut off");
        for size in [5, 6, 9] {
            assert_eq!(heard("other", size, 5), Heard::Fork, "{size}");
        }
        let (now, proof) = (checkpoint("honest", 9), proof("honest", 5, 9));
        assert_eq!(judge(Some(&seen), &now, (5, &proof[1..])), Heard::Fork);
        let mut elsewhere = now.clone();
        elsewhere.origin = "amanah/imigrasi/2".to_owned();
        assert_eq!(judge(Some(&seen), &elsewhere, (5, &proof)), Heard::Fork);
    }
}
