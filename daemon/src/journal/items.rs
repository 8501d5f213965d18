//! The operator's items of an outgoing bundle: names as raw bytes, and what the file system says of them.
//! Names are personal data: within the journal they are in this table alone, never in the ledger (SPOOL.md §1).

use std::os::unix::ffi::OsStrExt;

use amanah_format::id::BundleId;
use rusqlite::{Connection, params};

use super::queries::run;
use super::rows::sql_int;
use super::{Item, Journal, JournalError};

impl Journal {
    /// Updates items' inode, length, ctime, resting place (facts of the file system beside the state); an item is found
    /// by its claim name.
    ///
    /// # Errors
    /// [`JournalError::Unknown`] for an item that is not in the bundle.
    pub fn note_items(&self, bundle: &BundleId, items: &[Item]) -> Result<(), JournalError> {
        self.edit(|sql| {
            items
                .iter()
                .try_for_each(|item| update_item(sql, bundle, item))
        })
    }
}

pub(super) fn insert_item(
    sql: &Connection,
    bundle: &BundleId,
    position: i64,
    item: &Item,
) -> Result<(), JournalError> {
    let store = "INSERT INTO items
        (bundle, position, name, claim_name, is_folder, inode, bytes, ctime_nanos, resting_place)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let values = params![
        bundle.to_string(),
        position,
        item.name.as_bytes(),
        item.claim_name,
        item.is_folder,
        item.inode.cast_signed(),
        sql_int(item.bytes)?,
        item.ctime_nanos.to_be_bytes(),
        item.resting_place,
    ];
    run(sql, store, values)?;
    Ok(())
}

fn update_item(sql: &Connection, bundle: &BundleId, item: &Item) -> Result<(), JournalError> {
    let store = "UPDATE items SET inode = ?3, bytes = ?4, ctime_nanos = ?5, resting_place = ?6
        WHERE bundle = ?1 AND claim_name = ?2";
    let values = params![
        bundle.to_string(),
        item.claim_name,
        item.inode.cast_signed(),
        sql_int(item.bytes)?,
        item.ctime_nanos.to_be_bytes(),
        item.resting_place,
    ];
    match run(sql, store, values)? {
        1 => Ok(()),
        _ => Err(JournalError::Unknown(format!("{bundle} with such an item"))),
    }
}
