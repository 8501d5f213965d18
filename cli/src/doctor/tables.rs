//! The database that rows of table flows land in: is its file there, or does its server take what an import brings? Nothing is
//! changed there. Whoever may not read its key file cannot ask the server; that is said of the keys already.

use amanahd::catalogue::faces::doctor as face;
use amanahd::config::checked::Database;
use amanahd::keys::KeysError;
use amanahd::supervise::{self, RunError};

use super::{Findings, Patient, Severity};

pub(super) fn look(patient: &Patient<'_>, offline: bool, findings: &mut Findings) {
    let Some(tables) = &patient.config.tables else {
        return;
    };
    findings.look_at("tables");
    match &tables.database {
        Database::Sqlite { path, .. } => {
            // One that has never run makes it.
            let gone = path.symlink_metadata();
            let is_gone = gone.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
            if is_gone && patient.snapshot.is_some() {
                findings.add(Severity::Error, &face::STORE_MISSING, [&path.display()]);
            }
        }
        Database::Postgres { .. } => {
            let checked = supervise::check_tables(patient.config);
            let looked = match checked {
                Ok(()) if offline => return,
                Ok(()) => supervise::look_at_tables(patient.config),
                Err(error) => Err(error),
            };
            match looked {
                Ok(false) => {}
                Ok(true) => findings.add(Severity::Warning, &face::TABLES_MIGHTY, []),
                Err(RunError::Keys(KeysError::Io { source, .. }))
                    if source.kind() == std::io::ErrorKind::PermissionDenied => {}
                Err(error) => findings.add(Severity::Error, &face::TABLES_UNUSABLE, [&error]),
            }
        }
    }
}
