//! Which agreements were loaded before, as the published ledger says: for commands that look on from outside. The daemon itself asks
//! its journal.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;

use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::ledger::{Record, RecordKind};

/// Digests of agreements that this home has loaded; none where its ledger cannot be read.
#[must_use]
pub fn as_published(home: &Path) -> BTreeSet<Digest> {
    let Ok(file) = std::fs::File::open(home.join(home::LEDGER_RECORDS)) else {
        return BTreeSet::new();
    };
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    let loaded = lines.filter(|line| line.contains("\"loaded\""));
    let records = loaded.filter_map(|line| Record::parse(line.as_bytes()).ok());
    let agreements = records.filter(|record| {
        record.kind == RecordKind::Loaded && record.code.as_deref() == Some("agreement")
    });
    agreements.flat_map(|record| record.digests).collect()
}
