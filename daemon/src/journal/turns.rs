//! Whose turn it is: what is to be done is listed peer by peer, of each the oldest, then of each the second, and so on. One that
//! brought ten thousand bundles before all others takes no more of a pass than its share, and within a peer the oldest is
//! the first.

use std::collections::{BTreeMap, BTreeSet};

use amanah_format::id::PartyId;
use rusqlite::Connection;

use super::JournalError;
use super::queries::{one, run};
use super::rows::text;

/// Nothing is left out.
static NOTHING: BTreeMap<PartyId, u32> = BTreeMap::new();

/// Which outgoing rows are under way: in these words the index says it, and so must who wants to use it.
pub(super) const OUTBOUND_UNDER_WAY: &str =
    "state NOT IN ('settled', 'returned', 'put-back', 'destroyed')";
/// The same of the incoming ones.
pub(super) const INBOUND_UNDER_WAY: &str = "state <> 'delivered'";

/// Which rows of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<'a> {
    /// So many of a peer's oldest are left out.
    pub skip: &'a BTreeMap<PartyId, u32>,
    /// At most so many …
    pub limit: u32,
    /// … and so many of one peer: whoever comes meanwhile waits for no more of another's.
    pub of_one: u32,
}

impl Page<'_> {
    /// The first rows, at most `limit`.
    #[must_use]
    pub const fn first(limit: u32) -> Self {
        Page {
            skip: &NOTHING,
            limit,
            of_one: limit,
        }
    }
}

/// Makes the indexes that find the peers whose turn it may be and the oldest of each, where they are missing: small ones, for
/// they hold only what is under way.
pub(super) fn ensure(sql: &Connection) -> Result<(), JournalError> {
    for index in [
        format!("outbound_turn ON outbound (state, peer, lane, age) WHERE {OUTBOUND_UNDER_WAY}"),
        format!("inbound_turn ON inbound (state, peer, flow, age) WHERE {INBOUND_UNDER_WAY}"),
    ] {
        run(sql, &format!("CREATE INDEX IF NOT EXISTS {index}"), [])?;
    }
    Ok(())
}

/// The peers that have rows in one of `states`, one found after the other.
pub(super) fn peers_in<'s>(
    sql: &Connection,
    (table, under_way): (&str, &str),
    states: impl Iterator<Item = &'s str>,
) -> Result<BTreeSet<PartyId>, JournalError> {
    let query = format!(
        "SELECT peer FROM {table} WHERE state = ?1 AND peer > ?2 AND {under_way} ORDER BY peer LIMIT 1"
    );
    let mut peers = BTreeSet::new();
    for state in states {
        let mut last = String::new();
        while let Some(peer) = one(sql, &query, (state, last.as_str()), |row| {
            text::<PartyId>(row, "peer")
        })? {
            peer.as_str().clone_into(&mut last);
            peers.insert(peer);
        }
    }
    Ok(peers)
}

/// A page of ages, taken from the peers in turn. `oldest` finds so many of a peer's ages, in any order.
pub(super) fn in_turn(
    peers: &BTreeSet<PartyId>,
    page: Page<'_>,
    mut oldest: impl FnMut(&PartyId, u32) -> Result<Vec<i64>, JournalError>,
) -> Result<Vec<i64>, JournalError> {
    let limit = size(page.limit);
    let parties = u32::try_from(peers.len()).unwrap_or(u32::MAX).max(1);
    let most = page.of_one.min(page.limit);
    let mut share = page.limit.div_ceil(parties).min(most);
    loop {
        let (mut turns, mut has_more) = (Vec::new(), false);
        for peer in peers {
            let skip = page.skip.get(peer).copied().unwrap_or(0);
            let mut ages = oldest(peer, skip.saturating_add(share))?;
            ages.sort_unstable();
            let ages = ages.into_iter().skip(size(skip)).take(size(share));
            let before = turns.len();
            turns.extend(ages.enumerate());
            has_more |= turns.len().saturating_sub(before) >= size(share);
        }
        if turns.len() >= limit || !has_more || share >= most {
            turns.sort_unstable();
            turns.truncate(limit);
            return Ok(turns.into_iter().map(|(_, age)| age).collect());
        }
        // Some have less than their share: the others may have the rest.
        share = share.saturating_mul(4).min(most);
    }
}

fn size(rows: u32) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first page of these peers' ages, and how many were read for it.
    fn page(rows: &[(&str, &[i64])], skip: &[(&str, u32)], limit: u32) -> (Vec<i64>, usize) {
        let party = |name: &str| name.parse::<PartyId>().unwrap();
        let of: BTreeMap<_, _> = rows
            .iter()
            .map(|(peer, ages)| (party(peer), *ages))
            .collect();
        let skip = skip.iter().map(|(peer, rows)| (party(peer), *rows));
        let (skip, mut read) = (skip.collect(), 0);
        let page = Page {
            skip: &skip,
            limit,
            of_one: 5,
        };
        let listed = in_turn(&of.keys().cloned().collect(), page, |peer, most| {
            let ages: Vec<i64> = of[peer].iter().copied().take(size(most)).collect();
            read += ages.len();
            Ok(ages)
        });
        (listed.unwrap(), read)
    }

    #[test]
    fn who_has_little_waits_for_nobody_who_has_much() {
        let much: Vec<i64> = (1..=1000).collect();
        let rows: &[(&str, &[i64])] = &[("bpkh", &[1001, 1003]), ("phu", &much), ("rsud", &[1002])];
        let (ages, read) = page(rows, &[], 7);
        assert_eq!(ages, [1, 1001, 1002, 2, 1003, 3, 4]);
        // Of one no more than is said, though the page has room.
        assert_eq!(page(rows, &[], 64).0, [1, 1001, 1002, 2, 1003, 3, 4, 5]);
        assert!(read <= 20, "{read}");
    }

    #[test]
    fn what_is_left_out_of_one_peer_takes_nothing_from_another() {
        let rows: &[(&str, &[i64])] = &[("bpkh", &[1, 2, 3, 4]), ("phu", &[5, 6])];
        let (ages, _) = page(rows, &[("bpkh", 3)], 9);
        assert_eq!(ages, [4, 5, 6]);
    }

    #[test]
    fn no_peers_no_rows() {
        assert!(page(&[], &[], 64).0.is_empty());
    }
}
