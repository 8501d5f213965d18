//! What goes wrong with a server, as people may read it: what it is, where, and what to do. The server's own words are shown where
//! they name accounts, databases and rights; elsewhere only the kind of the failure, because the others may hold what stands in a row.

use std::error::Error;
use std::fmt::Write;

use tokio_postgres::error::DbError;

use crate::store::StoreError;

/// Where the rights are made.
const GRANTS: &str = "docs/postgresql-grants.sql";

/// A failure of one question.
#[derive(Debug)]
pub(super) struct Failure {
    /// The database, as people know it.
    pub(super) place: String,
    /// None: no answer in time.
    pub(super) error: Option<tokio_postgres::Error>,
}

impl Failure {
    /// The server's code (SQLSTATE) where it is the server that complains.
    pub(super) fn code(&self) -> Option<&str> {
        Some(self.error.as_ref()?.code()?.code())
    }

    /// Two rows of one key, where only one may be.
    pub(super) fn is_double(&self) -> bool {
        self.code() == Some("23505")
    }

    /// Whether the connection can be used no more: it is gone, or what it was set up for is.
    pub(super) fn is_lost(&self) -> bool {
        self.code().is_none_or(|code| {
            let is_other = matches!(code, "42P01" | "3F000");
            is_other || code.starts_with("57P") || code.starts_with("08")
        })
    }

    /// A failure to get a connection that can be used.
    pub(super) fn into_unusable(self) -> StoreError {
        let Some(error) = &self.error else {
            return missing(&self.place, "no answer in time");
        };
        match error.as_db_error() {
            Some(said) => complaint(&self.place, said, true),
            None => missing(&self.place, &chain(error)),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        let place = &failure.place;
        match &failure.error {
            None => Self::Database(format!("{place}: no answer in time; it is tried again")),
            Some(error) => match error.as_db_error() {
                Some(said) => complaint(place, said, false),
                None => {
                    let words = chain(error);
                    Self::Database(format!(
                        "{place}: the connection was lost ({words}); it is tried again"
                    ))
                }
            },
        }
    }
}

pub(super) fn missing(place: &str, why: &str) -> StoreError {
    StoreError::Missing(format!("{place} cannot be used: {why}"))
}

/// By the classes of the server's manual, appendix A. Not to be used is what is so for every bundle.
fn complaint(place: &str, said: &DbError, is_connecting: bool) -> StoreError {
    let (code, words) = (said.code().code(), said.message());
    match (code, code.get(..2).unwrap_or_default()) {
        ("53100", _) => StoreError::Full,
        ("55P03" | "40001" | "40P01" | "55006", _) => StoreError::Busy,
        ("54000", _) => StoreError::Schema(format!(
            "{place}: a value of a key is too long for an index of this database; agree on a shorter one"
        )),
        ("53300", _) => missing(
            place,
            "it has no connection left; raise max_connections, or the role's limit",
        ),
        ("28P01" | "28000", _) => missing(
            place,
            &format!("{words}; see the role's password and pg_hba.conf"),
        ),
        ("3D000" | "3F000" | "25006", _) => missing(place, &format!("{words}; see {GRANTS}")),
        ("42501", _) if is_connecting => missing(place, &format!("{words}; see {GRANTS}")),
        ("42501", _) => StoreError::Database(format!("{place}: {words}; see {GRANTS}")),
        (_, "57" | "08") if is_connecting => missing(place, words),
        (_, "57" | "08") => StoreError::Database(format!("{place}: {words}; it is tried again")),
        _ => StoreError::Database(format!("{place}: {}", kind_of(said))),
    }
}

/// Without the server's words: names of the schema's own things alone.
fn kind_of(said: &DbError) -> String {
    let mut kind = format!("error {}", said.code().code());
    for (what, name) in [
        ("table", said.table()),
        ("column", said.column()),
        ("constraint", said.constraint()),
    ] {
        if let Some(name) = name {
            // Writing to a string never fails.
            let _ = write!(kind, ", {what} {name}");
        }
    }
    kind
}

/// An error of the connection with its causes, none of which is the server's.
fn chain(error: &tokio_postgres::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        // Writing to a string never fails.
        let _ = write!(said, ": {inner}");
        cause = inner.source();
    }
    said
}
