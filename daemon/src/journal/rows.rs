//! What comes out of the journal and what goes in: the values of its rows, and how columns become types.
//! Every column goes through its type's own parser on the way out, as a stranger's text would: a value that does not
//! read is an error, never a default. It runs no statement of its own.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::str::FromStr;

use amanah_format::agreement::Lane;
use amanah_format::digest::Digest;
use amanah_format::id::{BundleId, Epoch, FlowName, PartyId, Sequence};
use amanah_format::manifest::{AgreementRef, Manifest};
use amanah_format::refusal::Refusal;
use amanah_format::slip::HeldReason;
use amanah_format::time::UtcTime;
use rusqlite::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::JournalError;
use crate::engine::inbound::Inbound;
use crate::engine::outbound::Outbound;
use crate::engine::policy::Verdict;

/// An operator's item in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name in the outbox, raw bytes lossless.
    pub name: OsString,
    /// Its name while claimed.
    pub claim_name: String,
    /// File or folder.
    pub is_folder: bool,
    /// Its inode.
    pub inode: u64,
    /// Its length, or the sum of a folder's files.
    pub bytes: u64,
    /// ctime in nanoseconds after the claim's rename was seen (0 before).
    pub ctime_nanos: i128,
    /// Where it ended, relative to the home (`sent/…`, `returned/…`).
    pub resting_place: Option<String>,
}

/// A bundle to be claimed.
#[derive(Debug, Clone)]
pub struct NewClaim {
    /// Its id.
    pub bundle: BundleId,
    /// Where it goes.
    pub peer: PartyId,
    /// Its flow.
    pub flow: FlowName,
    /// Its lane.
    pub lane: Lane,
    /// What is in it; the claim names differ.
    pub items: Vec<Item>,
    /// When its items were seen settled, in milliseconds since 1970.
    pub seen_millis: u64,
}

/// An outgoing bundle as recorded.
#[derive(Debug, Clone)]
pub struct OutboundRow {
    /// Its id.
    pub bundle: BundleId,
    /// Where it goes.
    pub peer: PartyId,
    /// Its flow.
    pub flow: FlowName,
    /// Its lane.
    pub lane: Lane,
    /// Where it stands.
    pub state: Outbound,
    /// What is in it, in the order of the claim.
    pub items: Vec<Item>,
    /// When its items were seen settled, in milliseconds since 1970.
    pub seen_millis: u64,
    /// The agreement that it is sealed under; from `Sealed` on, as the next six.
    pub agreement: Option<AgreementRef>,
    /// The stream's epoch.
    pub epoch: Option<Epoch>,
    /// Its place in the stream.
    pub sequence: Option<Sequence>,
    /// Exact manifest bytes.
    pub manifest: Option<Vec<u8>>,
    /// Their digest: the bundle's identity.
    pub digest: Option<Digest>,
    /// The armour over them, from `Signed` on.
    pub signature: Option<String>,
    /// The payload's length (0 before `Sealed`).
    pub payload_bytes: u64,
    /// Why the peer refused it.
    pub refusal: Option<Refusal>,
    /// Why it was returned to the operator: a code.
    pub return_reason: Option<String>,
    /// Last change.
    pub changed: UtcTime,
    /// Last change, in milliseconds since 1970.
    pub changed_millis: u64,
    /// The peer says that it holds it, for this reason.
    pub held: Option<HeldReason>,
}

/// An incoming bundle as recorded.
#[derive(Debug, Clone)]
pub struct InboundRow {
    /// Its manifest's digest: its identity.
    pub digest: Digest,
    /// Who signed it.
    pub peer: PartyId,
    /// Where it stands.
    pub state: Inbound,
    /// The sender's id for it; this and the next four are none where its text could not be read.
    pub bundle: Option<BundleId>,
    /// Its flow.
    pub flow: Option<FlowName>,
    /// The agreement that it names.
    pub agreement: Option<Digest>,
    /// The stream's epoch.
    pub epoch: Option<Epoch>,
    /// Its place in the stream.
    pub sequence: Option<Sequence>,
    /// When it was taken over.
    pub received: UtcTime,
    /// The manifest's exact bytes.
    pub manifest: Vec<u8>,
    /// The armour over them.
    pub signature: Vec<u8>,
    /// The payload's length.
    pub payload_bytes: u64,
    /// Why it is held, while it is.
    pub held: Option<HeldReason>,
    /// Why it was refused.
    pub refusal: Option<Refusal>,
    /// receipt.json's exact bytes, from the outcome on.
    pub receipt: Option<Vec<u8>>,
    /// The armour over them, from `Acknowledged` on.
    pub receipt_signature: Option<String>,
    /// Whether its peer ever had the receipt.
    pub was_delivered: bool,
    /// Last change.
    pub changed: UtcTime,
    /// Last change, in milliseconds since 1970.
    pub changed_millis: u64,
}

/// A bundle newly taken over.
#[derive(Debug, Clone)]
pub struct NewInbound {
    /// Its manifest's digest.
    pub digest: Digest,
    /// Who signed it.
    pub peer: PartyId,
    /// Parsed manifest; none when its verified bytes are no manifest.
    pub manifest: Option<Manifest>,
    /// Its exact bytes.
    pub manifest_bytes: Vec<u8>,
    /// The armour over them.
    pub signature: Vec<u8>,
    /// The payload's length.
    pub payload_bytes: u64,
    /// When it was taken over.
    pub received: UtcTime,
    /// What the policy said.
    pub verdict: Verdict,
}

/// A slip of ours that waits for its peer.
#[derive(Debug, Clone)]
pub struct SlipRow {
    /// The digest of slip.json.
    pub digest: Digest,
    /// Whom it is for.
    pub peer: PartyId,
    /// The container's bytes.
    pub container: Vec<u8>,
}

/// A row of `SELECT *` from `outbound`, without its items.
pub(super) fn outbound_row(row: &Row<'_>) -> Result<OutboundRow, JournalError> {
    Ok(OutboundRow {
        bundle: text(row, "bundle")?,
        peer: text(row, "peer")?,
        flow: text(row, "flow")?,
        lane: lane_of(row.get("lane")?)?,
        state: word(row, "state")?,
        items: Vec::new(),
        seen_millis: number(row, "seen_millis")?,
        agreement: agreement_ref(row)?,
        epoch: optional_number(row, "epoch")?,
        sequence: optional_number(row, "sequence")?,
        manifest: row.get("manifest")?,
        digest: digest(row, "digest")?,
        signature: row.get("signature")?,
        payload_bytes: number(row, "payload_bytes")?,
        refusal: optional_word(row, "refusal")?,
        return_reason: row.get("return_reason")?,
        changed: moment(row, "changed")?,
        changed_millis: number(row, "changed_millis")?,
        held: optional_word(row, "held")?,
    })
}

/// A row of `SELECT *` from `inbound`.
pub(super) fn inbound_row(row: &Row<'_>) -> Result<InboundRow, JournalError> {
    Ok(InboundRow {
        digest: Digest::from_bytes(row.get("digest")?),
        peer: text(row, "peer")?,
        state: word(row, "state")?,
        bundle: optional_text(row, "bundle")?,
        flow: optional_text(row, "flow")?,
        agreement: digest(row, "agreement")?,
        epoch: optional_number(row, "epoch")?,
        sequence: optional_number(row, "sequence")?,
        received: moment(row, "received")?,
        manifest: row.get("manifest")?,
        signature: row.get("signature")?,
        payload_bytes: number(row, "payload_bytes")?,
        held: optional_word(row, "held")?,
        refusal: optional_word(row, "refusal")?,
        receipt: row.get("receipt")?,
        receipt_signature: row.get("receipt_signature")?,
        was_delivered: row.get("was_delivered")?,
        changed: moment(row, "changed")?,
        changed_millis: number(row, "changed_millis")?,
    })
}

/// A row of `SELECT *` from `items`.
pub(super) fn item_row(row: &Row<'_>) -> Result<Item, JournalError> {
    let inode: i64 = row.get("inode")?;
    Ok(Item {
        name: OsString::from_vec(row.get("name")?),
        claim_name: row.get("claim_name")?,
        is_folder: row.get("is_folder")?,
        inode: inode.cast_unsigned(),
        bytes: number(row, "bytes")?,
        ctime_nanos: i128::from_be_bytes(row.get("ctime_nanos")?),
        resting_place: row.get("resting_place")?,
    })
}

fn agreement_ref(row: &Row<'_>) -> Result<Option<AgreementRef>, JournalError> {
    let Some(digest) = digest(row, "agreement")? else {
        return Ok(None);
    };
    Ok(Some(AgreementRef {
        id: text(row, "agreement_id")?,
        version: row.get("agreement_version")?,
        digest,
    }))
}

/// A number as SQLite holds it: at most 2^63 - 1.
pub(super) fn sql_int(number: u64) -> Result<i64, JournalError> {
    i64::try_from(number)
        .map_err(|_| JournalError::Make(format!("{number} is more than a row can hold")))
}

pub(super) fn from_sql_int(number: i64) -> Result<u64, JournalError> {
    u64::try_from(number).map_err(|_| damaged("a count", &number.to_string()))
}

/// The lanes in the order in which they are served.
pub(super) const fn lane_rank(lane: Lane) -> i64 {
    match lane {
        Lane::Urgent => 0,
        Lane::Normal => 1,
        Lane::Bulk => 2,
    }
}

fn lane_of(rank: i64) -> Result<Lane, JournalError> {
    match rank {
        0 => Ok(Lane::Urgent),
        1 => Ok(Lane::Normal),
        2 => Ok(Lane::Bulk),
        other => Err(damaged("lane", &other.to_string())),
    }
}

/// The text form that a closed list has in JSON, as the column holds it.
pub(super) fn word_of(value: impl Serialize) -> Result<String, JournalError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(other) => Err(damaged("a word", &other.to_string())),
        Err(error) => Err(damaged("a word", &error.to_string())),
    }
}

fn word_from<T: DeserializeOwned>(column: &str, word: String) -> Result<T, JournalError> {
    serde_json::from_value(serde_json::Value::String(word))
        .map_err(|error| damaged(column, &error.to_string()))
}

pub(super) fn word<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T, JournalError> {
    word_from(column, row.get(column)?)
}

pub(super) fn optional_word<T: DeserializeOwned>(
    row: &Row<'_>,
    column: &str,
) -> Result<Option<T>, JournalError> {
    let word: Option<String> = row.get(column)?;
    word.map(|word| word_from(column, word)).transpose()
}

pub(super) fn text<T: FromStr>(row: &Row<'_>, column: &str) -> Result<T, JournalError> {
    let text: String = row.get(column)?;
    text.parse().map_err(|_| damaged(column, &text))
}

pub(super) fn optional_text<T: FromStr>(
    row: &Row<'_>,
    column: &str,
) -> Result<Option<T>, JournalError> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|_| damaged(column, &text)))
        .transpose()
}

pub(super) fn number(row: &Row<'_>, column: &str) -> Result<u64, JournalError> {
    from_sql_int(row.get(column)?)
}

pub(super) fn optional_number<T: TryFrom<u64>>(
    row: &Row<'_>,
    column: &str,
) -> Result<Option<T>, JournalError> {
    let Some(stored) = row.get::<_, Option<i64>>(column)? else {
        return Ok(None);
    };
    let number = T::try_from(from_sql_int(stored)?);
    number
        .map(Some)
        .map_err(|_| damaged(column, &stored.to_string()))
}

pub(super) fn digest(row: &Row<'_>, column: &str) -> Result<Option<Digest>, JournalError> {
    let bytes: Option<[u8; 32]> = row.get(column)?;
    Ok(bytes.map(Digest::from_bytes))
}

pub(super) fn moment(row: &Row<'_>, column: &str) -> Result<UtcTime, JournalError> {
    let secs: i64 = row.get(column)?;
    UtcTime::from_unix(secs).map_err(|_| damaged(column, &secs.to_string()))
}

fn damaged(column: &str, found: &str) -> JournalError {
    JournalError::Damaged(format!("{column}: {found}"))
}
