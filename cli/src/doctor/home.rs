//! The home: its folders, whose they are, who else may enter; the outbox, which operators must be able to write; the store's
//! mark, which tells an empty store from a disk that is not mounted. Modes are those of SPOOL.md §1.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use amanah_format::home;
use amanahd::catalogue::faces::doctor as face;

use super::{Findings, Patient, Severity};

/// Everybody else.
const OTHERS: u32 = 0o007;
/// What a group needs to drop into a folder.
const GROUP_WRITES: u32 = 0o070;
const PERMISSIONS: u32 = 0o7777;
/// The daemon's alone.
const OWN: u32 = 0o700;
/// Folders of a home that a daemon has opened once.
const FOLDERS: [&str; 8] = [
    home::SPOOL,
    home::OUTBOX,
    home::INBOX,
    home::SENT,
    home::RETURNED,
    home::RECEIPTS,
    home::LEDGER,
    home::REQUESTS,
];
/// Where the packages say what the outbox's access list is.
const TMPFILES: &str = "/usr/lib/tmpfiles.d/amanahd.conf";
/// The access list that new files take over (acl(5)).
const DEFAULT_ACL: &str = "system.posix_acl_default";

pub(super) fn look(patient: &Patient<'_>, findings: &mut Findings) {
    findings.look_at("home");
    let Ok(top) = std::fs::metadata(&patient.home) else {
        findings.add(
            Severity::Error,
            &face::HOME_MISSING,
            [&patient.home.display()],
        );
        return;
    };
    let mode = top.mode() & PERMISSIONS;
    if mode & OTHERS != 0 && patient.home != patient.config.folder {
        let values: [&dyn std::fmt::Display; 2] = [&patient.home.display(), &octal(mode)];
        findings.add(Severity::Warning, &face::HOME_OPEN, values);
    }
    if patient.snapshot.is_none() && !patient.home.join(home::SPOOL).exists() {
        // Never started: the daemon's own finding says so, and all folders are still to come.
        return;
    }
    for folder in FOLDERS {
        let path = patient.home.join(folder);
        match std::fs::metadata(&path) {
            Ok(found) => of_folder(folder, &path, (&top, &found), findings),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                findings.add(Severity::Error, &face::FOLDER_MISSING, [&path.display()]);
            }
            // Closed to this user: as it should be.
            Err(_) => {}
        }
    }
    store(patient, findings);
}

fn of_folder(folder: &str, path: &Path, (top, found): (&Metadata, &Metadata), to: &mut Findings) {
    let mode = found.mode() & PERMISSIONS;
    let shown = path.display();
    if found.uid() != top.uid() {
        to.add(
            Severity::Error,
            &face::FOLDER_OWNER,
            [&shown, &found.uid(), &top.uid()],
        );
    }
    if folder == home::SPOOL && mode != OWN {
        to.add(
            Severity::Error,
            &face::FOLDER_MODE,
            [&shown, &octal(mode), &octal(OWN)],
        );
    }
    if folder == home::OUTBOX || folder == home::REQUESTS {
        if mode & GROUP_WRITES != GROUP_WRITES {
            to.add(
                Severity::Warning,
                &face::OUTBOX_CLOSED,
                [&shown, &octal(mode)],
            );
        }
        if found.dev() != top.dev() {
            to.add(Severity::Note, &face::OUTBOX_ELSEWHERE, [&shown]);
        }
    }
    if folder == home::OUTBOX && Path::new(TMPFILES).exists() && !has_default_acl(path) {
        to.add(Severity::Warning, &face::OUTBOX_WITHOUT_ACL, [&shown]);
    }
}

/// A file system without access lists has none to miss.
fn has_default_acl(path: &Path) -> bool {
    let mut list = [0_u8; 1024];
    match rustix::fs::getxattr(path, DEFAULT_ACL, &mut list) {
        Ok(_) | Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::RANGE) => true,
        Err(_) => false,
    }
}

/// Only a home that has imported, or could, has a store to lose.
fn store(patient: &Patient<'_>, findings: &mut Findings) {
    findings.look_at("store");
    let inbox = patient.home.join(home::INBOX);
    let mark = inbox.join(amanahd::store::files::STORE_MARKER);
    let is_gone = mark
        .symlink_metadata()
        .is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    if is_gone && patient.snapshot.is_some() {
        findings.add(Severity::Error, &face::STORE_MISSING, [&inbox.display()]);
    }
}

fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}
