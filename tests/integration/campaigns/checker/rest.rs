//! What holds at the end, when nothing is under way and both daemons have stopped: exactly once, evidence for everything,
//! nothing left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::inbox::Inbox;
use super::journal::Rows;
use super::ledger::Ledger;
use super::{Side, Witness, files_of, hex_of, names_in, receipts, tape};

/// Where things lie only while they are under way.
const EMPTY_AT_REST: [&str; 5] = [
    "spool/work",
    "spool/queue",
    "spool/incoming",
    "outbox",
    "inbox/.staging",
];
/// What the daemon calls files that are not whole yet, and items that it has taken aside.
const UNFINISHED: [&str; 2] = [".amanah-tmp-", ".claimed-"];

/// What was counted, to be printed.
#[derive(Debug, Default, Clone, Copy)]
pub(in super::super) struct Counted {
    pub(in super::super) items: usize,
    pub(in super::super) bundles: usize,
    pub(in super::super) records: usize,
}

impl Witness {
    /// What holds at rest: both daemons have stopped.
    pub(in super::super) fn rest(&self) -> Result<Counted> {
        let mut counted = Counted {
            items: self.dropped.len(),
            ..Counted::default()
        };
        for dead in [0, 1] {
            self.instant(dead)?;
            let (me, other) = (&self.sides[dead], &self.sides[1 - dead]);
            let about = || format!("{} at rest", me.party);
            nothing_left(me).with_context(about)?;
            self.exactly_once(me, other).with_context(about)?;
            let rows = Rows::read(&me.home).with_context(about)?;
            rows.rest().with_context(about)?;
            let ledger = Ledger::read(&me.home, &me.party).with_context(about)?;
            ensure!(
                ledger.lines == rows.lines,
                "the published ledger is not the journal's"
            );
            counted.records += ledger.lines.len();
            counted.bundles += self.evidence(me, other, &ledger).with_context(about)?;
        }
        Ok(counted)
    }

    /// Whether something lies at this side where things lie only while they are under way.
    pub(in super::super) fn is_under_way(&self, side: usize) -> Result<bool> {
        for place in EMPTY_AT_REST {
            if !below(&self.sides[side], place)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What this side sent is in the other's inbox and in its own `sent/`, once each; nothing was returned.
    fn exactly_once(&self, me: &Side, other: &Side) -> Result<()> {
        let inbox = Inbox::read(other)?;
        for item in self.dropped.iter().filter(|item| item.from == me.party) {
            ensure!(
                inbox.count(item) == 1,
                "{}: imported {} times",
                item.name,
                inbox.count(item)
            );
            let sent = me
                .home
                .join("sent")
                .join(&item.to)
                .join(&item.flow)
                .join(&item.name);
            ensure!(
                files_of(&sent)?.as_ref() == Some(&item.files),
                "{}: not in sent/",
                item.name
            );
        }
        ensure!(
            below(me, "returned")?.is_empty(),
            "returned: {:?}",
            below(me, "returned")?
        );
        Ok(())
    }

    /// Each bundle that came in has its marker, its archived bytes, its receipt at both sides, its records at both sides,
    /// and a place of its own in a stream without a gap; there is nothing else. The number of bundles.
    fn evidence(&self, me: &Side, sender: &Side, ledger: &Ledger) -> Result<usize> {
        let folder = me.home.join("receipts/sent").join(&sender.party);
        let issued = receipts(&folder)?;
        let names: BTreeSet<String> = issued
            .iter()
            .map(|path| hex_of(path))
            .collect::<Result<_>>()?;
        let set = |names: Vec<String>| -> BTreeSet<String> {
            names
                .iter()
                .filter_map(|name| Some(name.split('.').next()?.to_owned()))
                .collect()
        };
        let pairs = [
            me.home.join("inbox/.imports"),
            me.home.join("spool/archive/received").join(&sender.party),
            sender.home.join("spool/archive/sent").join(&me.party),
            sender.home.join("receipts/received").join(&me.party),
        ];
        for place in pairs {
            let found = set(names_in(&place)?);
            ensure!(
                found == names,
                "{}: other bundles: {:?}",
                place.display(),
                found.symmetric_difference(&names).collect::<Vec<_>>()
            );
        }
        let folders = Inbox::read(me)?.bundles.len();
        ensure!(
            folders == names.len(),
            "{folders} folders, {} receipts",
            names.len()
        );
        let theirs = Ledger::read(&sender.home, &sender.party)?;
        let mut streams: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for receipt in &issued {
            let (flow, sequence) = recorded(receipt, ledger, &theirs)?;
            let numbers = streams.entry(flow).or_default();
            ensure!(
                numbers.insert(sequence),
                "{}: a place taken twice",
                receipt.display()
            );
        }
        for (flow, numbers) in streams {
            let last = numbers.last().copied().unwrap_or_default();
            ensure!(
                numbers == (1..=last).collect(),
                "{flow}: a gap in {numbers:?}"
            );
        }
        Ok(names.len())
    }
}

/// Records that a bundle has exactly once, at its recipient and at its sender.
const IN: [&str; 4] = [
    "admitted",
    "imported",
    "receipt-signed",
    "receipt-delivered",
];
const OUT: [&str; 4] = ["sealed", "signed", "receipt-verified", "settled"];

/// A receipt names the record of its import, and each step of the bundle has one record; its place in its stream.
fn recorded(receipt: &Path, ours: &Ledger, theirs: &Ledger) -> Result<(String, u64)> {
    let hex = hex_of(receipt)?;
    let text = tape::document(receipt, "receipt.json")?;
    let index = text["ledger"]["index"]
        .as_u64()
        .context("a receipt without a record")?;
    let record = ours
        .records
        .get(usize::try_from(index)?)
        .context("no such record")?;
    ensure!(
        record.0 == "imported",
        "{hex}: its receipt names a record of {}",
        record.0
    );
    ensure!(
        record.1 == Some(format!("sha256:{hex}")),
        "{hex}: the record of another"
    );
    for (kinds, ledger) in [(&IN, ours), (&OUT, theirs)] {
        let found = ledger.of(&hex);
        // One that found no room after it was admitted was held, and judged anew.
        let held = found.get("held").copied().unwrap_or(0);
        for kind in *kinds {
            let most = if kind == "admitted" { 1 + held } else { 1 };
            let times = found.get(kind).copied().unwrap_or(0);
            ensure!((1..=most).contains(&times), "{hex}: {kind}: {found:?}");
        }
    }
    let flow = text["flow"]
        .as_str()
        .context("a receipt without a flow")?
        .to_owned();
    Ok((
        flow,
        text["sequence"]
            .as_u64()
            .context("a receipt without a place")?,
    ))
}

/// Nothing is under way: nothing lies in work, queue, incoming, outbox, staging; nothing unfinished lies anywhere.
fn nothing_left(side: &Side) -> Result<()> {
    for place in EMPTY_AT_REST {
        let left = below(side, place)?;
        ensure!(left.is_empty(), "{place}: left behind: {left:?}");
    }
    let mut folders = vec![side.home.clone()];
    while let Some(folder) = folders.pop() {
        for name in names_in(&folder)? {
            let unfinished = UNFINISHED.iter().any(|start| name.starts_with(start));
            ensure!(!unfinished, "{}: left behind: {name}", folder.display());
            let path = folder.join(name);
            if fs::symlink_metadata(&path)?.is_dir() {
                folders.push(path);
            }
        }
    }
    Ok(())
}

/// The files below a place of the home.
fn below(side: &Side, place: &str) -> Result<Vec<std::path::PathBuf>> {
    let files = files_of(&side.home.join(place))?.unwrap_or_default();
    Ok(files.into_keys().collect())
}
