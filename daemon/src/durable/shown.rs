//! Paths as logs may show them. Names of items are treated as personal: what lies deeper than a flow's folder in the
//! operators' folders is left out, but for our own claims.

use std::path::Path;

use amanah_format::home;

/// The folders of a home below which operators, or peers' bundles, name what is in them.
const NAMED_BY_PEOPLE: [&str; 4] = [home::OUTBOX, home::SENT, home::RETURNED, home::INBOX];
/// Of these, `PEER/FLOW` below them is shown.
const SHOWN_BELOW: usize = 2;
/// What stands for the rest.
const REST: &str = "…";

/// A path for a message: `/home/outbox/imigrasi/manifes/…`.
#[must_use]
pub fn shown(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    let is_named = |part: &&str| NAMED_BY_PEOPLE.contains(part);
    let Some(at) = parts.iter().position(|part| is_named(&part.as_ref())) else {
        return path.display().to_string();
    };
    let mut kept = at + 1;
    // The last name of a path is never taken for a folder of a peer or flow: it may be a stray item's.
    let folders = parts.len().saturating_sub(kept + 1).min(SHOWN_BELOW);
    kept += folders;
    let claim = parts
        .get(kept)
        .filter(|part| folders == SHOWN_BELOW && part.starts_with(home::CLAIM_PREFIX));
    kept += usize::from(claim.is_some());
    let mut text = parts
        .get(..kept)
        .unwrap_or_default()
        .join("/")
        .replacen("//", "/", 1);
    if kept < parts.len() {
        text.push('/');
        text.push_str(REST);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_below_a_flow_are_left_out_and_all_else_is_shown() {
        for (path, expected) in [
            (
                "/h/outbox/imigrasi/manifes/Siti.csv",
                "/h/outbox/imigrasi/manifes/…",
            ),
            (
                "/h/outbox/imigrasi/manifes/.claimed-1-0",
                "/h/outbox/imigrasi/manifes/.claimed-1-0",
            ),
            (
                "/h/outbox/imigrasi/manifes/.claimed-1-0/Siti/a",
                "/h/outbox/imigrasi/manifes/.claimed-1-0/…",
            ),
            ("/h/outbox/imigrasi/siti-aminah", "/h/outbox/imigrasi/…"),
            ("/h/outbox/siti-aminah", "/h/outbox/…"),
            ("/h/outbox", "/h/outbox"),
            (
                "returned/imigrasi/manifes/Siti.csv.why.txt",
                "returned/imigrasi/manifes/…",
            ),
            ("/h/inbox/.staging/00/Siti/a.csv", "/h/inbox/.staging/00/…"),
            ("/outbox/h/sent/imigrasi/manifes/Siti", "/outbox/h/sent/…"),
            ("/h/spool/work/1.payload", "/h/spool/work/1.payload"),
        ] {
            assert_eq!(shown(Path::new(path)), expected);
        }
    }
}
