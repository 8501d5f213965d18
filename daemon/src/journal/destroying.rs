//! Destruction in steps that a crash can interrupt: intended, with what was there; done, with its record in the ledger; certified by a
//! signed destruction record, whose digest is in the ledger too. Each thing is counted once: counts are of the intention, or
//! remembered by the store. SPOOL.md §3.

use amanah_format::destruction::{Destroyed, Side};
use amanah_format::digest::Digest;
use amanah_format::id::{BundleId, Epoch, FlowName, PartyId, Sequence};
use amanah_format::ledger::RecordKind;
use amanah_format::limits::DESTROYED_MAX;
use amanah_format::time::UtcTime;
use rusqlite::{Connection, Row, params};

use super::holds::is_held;
use super::queries::{many, one, run};
use super::rows::{
    digest, from_sql_int, moment, number, optional_number, optional_text, sql_int, text, word,
    word_of,
};
use super::{Journal, JournalError, LedgerEntry};

/// A bundle whose destruction begins, and what is there of it at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doomed {
    /// Whether it went out or came in.
    pub side: Side,
    /// Its identity.
    pub manifest: Digest,
    /// The sender's id for it, where its text could be read.
    pub bundle: Option<BundleId>,
    /// With whom it was exchanged.
    pub peer: PartyId,
    /// In which flow, where its text could be read.
    pub flow: Option<FlowName>,
    /// The agreement by whose rule; none where it is this machine's own rule for what was refused.
    pub agreement: Option<Digest>,
    /// How long it was kept.
    pub days: u32,
    /// From when they counted.
    pub since: UtcTime,
    /// When it was found due.
    pub at: UtcTime,
    /// Its place in the stream, where its text could be read.
    pub place: Option<(Epoch, Sequence)>,
    /// Whether its sealed copy is there.
    pub sealed: bool,
    /// Originals or imported files that are there.
    pub files: u64,
}

/// Bundles that are gone and not certified yet, as many as fit into one destruction record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// Whether they went out or came in.
    pub side: Side,
    /// With whom they were exchanged.
    pub peer: PartyId,
    /// In which flow.
    pub flow: FlowName,
    /// By which agreement's rule.
    pub agreement: Digest,
    /// How long they were kept.
    pub days: u32,
    /// When the last of them was gone.
    pub done: UtcTime,
    /// In the order of their records.
    pub bundles: Vec<Destroyed>,
}

/// A destruction record that is signed.
#[derive(Debug, Clone)]
pub struct Act {
    /// Its number: [`Journal::next_act`].
    pub number: u64,
    /// With whom what it names was exchanged.
    pub peer: PartyId,
    /// The digest of its text.
    pub digest: Digest,
    /// Its container.
    pub container: Vec<u8>,
}

impl Journal {
    /// A destruction begins: from now on it is finished, whatever comes. False where it must not: under a hold, or destroyed
    /// already and not come back.
    ///
    /// # Errors
    /// [`JournalError`], as all functions of this file.
    pub fn doom(&self, doomed: &Doomed) -> Result<bool, JournalError> {
        self.edit(|sql| {
            let about = (&doomed.peer, doomed.flow.as_ref());
            if is_held(sql, about, &doomed.manifest)? {
                return Ok(false);
            }
            insert(sql, doomed)
        })
    }

    /// Destructions that have begun and are not done, oldest first, at most `limit`: after a crash, or where something failed.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn doomed(&self, limit: u32) -> Result<Vec<Doomed>, JournalError> {
        let query = "SELECT * FROM destructions WHERE done IS NULL ORDER BY begun LIMIT ?1";
        self.read(|sql| many(sql, query, [limit], doomed_row))
    }

    /// The number that the next destruction record has.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn next_act(&self) -> Result<u64, JournalError> {
        let query = "SELECT coalesce(max(number), 0) + 1 FROM acts";
        let next = self.read(|sql| one(sql, query, [], |row| from_sql_int(row.get(0)?)))?;
        Ok(next.unwrap_or(1))
    }

    /// The oldest bundles that are gone and not certified, of one side, peer, agreement and flow; none where all are.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn uncertified(&self) -> Result<Option<Gone>, JournalError> {
        const WHICH: &str = "done IS NOT NULL AND act IS NULL AND agreement IS NOT NULL";
        let first = format!("SELECT * FROM destructions WHERE {WHICH} ORDER BY record LIMIT 1");
        let like = format!(
            "SELECT * FROM destructions WHERE {WHICH} AND side = ?1 AND peer = ?2 AND flow = ?3 AND agreement = ?4 AND days = ?5
            ORDER BY record LIMIT ?6"
        );
        self.read(|sql| {
            let Some(mut gone) = one(sql, &first, [], gone_row)? else {
                return Ok(None);
            };
            let key = params![
                word_of(gone.side)?,
                gone.peer.as_str(),
                gone.flow.as_str(),
                gone.agreement.as_bytes(),
                gone.days,
                i64::try_from(DESTROYED_MAX).unwrap_or(1)
            ];
            for (bundle, done) in many(sql, &like, key, destroyed_row)? {
                gone.bundles.push(bundle);
                gone.done = gone.done.max(done);
            }
            Ok(Some(gone))
        })
    }

    /// The destruction record of these bundles: its container, which bundles it is of, and its record in the ledger, in one
    /// transaction. Its file is to be written then.
    ///
    /// # Errors
    /// [`JournalError`]; `Conflict` where another one has its number.
    pub fn certify(&self, gone: &Gone, act: &Act, now: UtcTime) -> Result<(), JournalError> {
        self.change(now, |change| {
            let store = "INSERT OR IGNORE INTO acts (number, digest, peer, container) VALUES (?1, ?2, ?3, ?4)";
            let number = sql_int(act.number)?;
            let row = params![
                number,
                act.digest.as_bytes(),
                act.peer.as_str(),
                act.container
            ];
            if run(change.sql, store, row)? != 1 {
                return Err(JournalError::Conflict);
            }
            let side = word_of(gone.side)?;
            let mark = "UPDATE destructions SET act = ?3 WHERE side = ?1 AND digest = ?2 AND act IS NULL AND done IS NOT NULL";
            for bundle in &gone.bundles {
                let row = params![side, bundle.manifest.as_bytes(), number];
                if run(change.sql, mark, row)? != 1 {
                    return Err(JournalError::Conflict);
                }
            }
            change.append(LedgerEntry {
                kind: RecordKind::Destroyed,
                manifest: None,
                digests: vec![act.digest],
                code: None,
                by: None,
            })?;
            Ok(())
        })
    }

    /// Destruction records whose file is not known to be written.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn acts_to_write(&self) -> Result<Vec<Act>, JournalError> {
        let query = "SELECT * FROM acts WHERE container IS NOT NULL ORDER BY number LIMIT 64";
        self.read(|sql| {
            many(sql, query, [], |row| {
                Ok(Act {
                    number: number(row, "number")?,
                    peer: text(row, "peer")?,
                    digest: Digest::from_bytes(row.get("digest")?),
                    container: row.get("container")?,
                })
            })
        })
    }

    /// The file of a destruction record is written, durably.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn act_written(&self, number: u64) -> Result<(), JournalError> {
        let store = "UPDATE acts SET container = NULL WHERE number = ?1";
        self.edit(|sql| run(sql, store, [sql_int(number)?]).map(drop))
    }

    /// Brings the log into the file and cuts it: names that were removed stand in it as they were.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn empty_the_log(&self) -> Result<(), JournalError> {
        self.read(|sql| Ok(sql.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?))
    }
}

fn insert(sql: &Connection, doomed: &Doomed) -> Result<bool, JournalError> {
    // The row of one that came back is about the last time; what is not certified yet waits for that.
    let store = "INSERT INTO destructions
        (side, digest, bundle, peer, flow, agreement, days, since, begun, epoch, sequence, sealed, files)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
        ON CONFLICT (side, digest) DO UPDATE SET agreement = excluded.agreement, days = excluded.days, since = excluded.since,
            begun = excluded.begun, sealed = excluded.sealed, files = excluded.files,
            records = NULL, done = NULL, record = NULL, act = NULL
        WHERE destructions.side = 'received' AND destructions.done IS NOT NULL
            AND (destructions.act IS NOT NULL OR destructions.agreement IS NULL)
            AND EXISTS (SELECT 1 FROM inbound WHERE inbound.digest = destructions.digest AND inbound.destroyed IS NULL)";
    let (epoch, sequence) = doomed.place.unzip();
    let row = params![
        word_of(doomed.side)?,
        doomed.manifest.as_bytes(),
        doomed.bundle.map(|bundle| bundle.to_string()),
        doomed.peer.as_str(),
        doomed.flow.as_ref().map(FlowName::as_str),
        doomed.agreement.as_ref().map(Digest::as_bytes),
        doomed.days,
        doomed.since.unix(),
        doomed.at.unix(),
        epoch.map(|epoch| sql_int(epoch.get())).transpose()?,
        sequence.map(|number| sql_int(number.get())).transpose()?,
        doomed.sealed,
        sql_int(doomed.files)?,
    ];
    Ok(run(sql, store, row)? == 1)
}

/// All of it is gone, and this is its record; nothing where the destruction was not intended by a row.
pub(super) fn note_done(
    sql: &Connection,
    (side, manifest): (Side, &Digest),
    (rows, record): (u64, u64),
    now: UtcTime,
) -> Result<(), JournalError> {
    let store = "UPDATE destructions SET done = ?3, records = ?4, record = ?5 WHERE side = ?1 AND digest = ?2 AND done IS NULL";
    let row = params![
        word_of(side)?,
        manifest.as_bytes(),
        now.unix(),
        sql_int(rows)?,
        sql_int(record)?
    ];
    run(sql, store, row).map(drop)
}

fn doomed_row(row: &Row<'_>) -> Result<Doomed, JournalError> {
    let (epoch, sequence) = (
        optional_number(row, "epoch")?,
        optional_number(row, "sequence")?,
    );
    Ok(Doomed {
        side: word(row, "side")?,
        manifest: Digest::from_bytes(row.get("digest")?),
        bundle: optional_text(row, "bundle")?,
        peer: text(row, "peer")?,
        flow: optional_text(row, "flow")?,
        agreement: digest(row, "agreement")?,
        days: row.get("days")?,
        since: moment(row, "since")?,
        at: moment(row, "begun")?,
        place: epoch.zip(sequence),
        sealed: row.get("sealed")?,
        files: number(row, "files")?,
    })
}

fn gone_row(row: &Row<'_>) -> Result<Gone, JournalError> {
    Ok(Gone {
        side: word(row, "side")?,
        peer: text(row, "peer")?,
        flow: text(row, "flow")?,
        agreement: Digest::from_bytes(row.get("agreement")?),
        days: row.get("days")?,
        done: moment(row, "done")?,
        bundles: Vec::new(),
    })
}

fn destroyed_row(row: &Row<'_>) -> Result<(Destroyed, UtcTime), JournalError> {
    let missing = |what: &str| JournalError::Damaged(format!("a destruction without its {what}"));
    let bundle = Destroyed {
        manifest: Digest::from_bytes(row.get("digest")?),
        epoch: optional_number(row, "epoch")?.ok_or_else(|| missing("epoch"))?,
        sequence: optional_number(row, "sequence")?.ok_or_else(|| missing("number"))?,
        since: moment(row, "since")?,
        at: moment(row, "begun")?,
        sealed: row.get("sealed")?,
        files: number(row, "files")?,
        rows: number(row, "records")?,
        record: number(row, "record")?,
    };
    Ok((bundle, moment(row, "done")?))
}
