//! Keys, cards and agreements, as a start would read them: whether they fit together, and how many days each still has.
//! Secret keys are opened only where this user may, and nothing of them is shown.

use std::os::unix::fs::MetadataExt;

use amanah_format::agreement::CoSigned;
use amanah_format::id::PartyId;
use amanah_format::time::UtcTime;
use amanahd::catalogue::faces::doctor as face;
use amanahd::config::{cards, judged};
use amanahd::engine::policy::Policy;
use amanahd::supervise;

use super::{Findings, Patient, Severity};

const DAY_SECS: i64 = 86_400;
/// New keys and their telephone calls take days; a note, a warning, an error so long before the end.
const KEY_DAYS: [i64; 3] = [30, 14, 3];
/// A new version of an agreement takes weeks to negotiate.
const AGREEMENT_DAYS: [i64; 3] = [60, 14, 3];

/// The policy that a start would have, where there would be one.
pub(super) fn look(patient: &Patient<'_>, findings: &mut Findings) -> Option<Policy> {
    findings.look_at("cards");
    let judged = judged::as_published(&patient.config.home);
    let read = patient
        .config
        .policy_again(patient.now, &|digest| judged.contains(digest));
    let (policy, loaded) = match read {
        Ok(read) => read,
        Err(error) => {
            findings.add(Severity::Error, &face::CONFIG_WRONG, [&error]);
            return None;
        }
    };
    for document in loaded {
        if let Some(warning) = document.warning {
            findings.add(
                Severity::Warning,
                &face::DOCUMENT_IGNORED,
                [&document.path.display(), &warning],
            );
        }
    }
    for conflict in policy.alarms() {
        findings.add(Severity::Error, &face::PAPERS_CONFLICT, [conflict]);
    }
    for note in policy.card_notes() {
        let (code, party) = note.split_once(' ').unwrap_or((note, ""));
        match code {
            cards::FORK => findings.add(Severity::Error, &face::CARD_FORK, [&party]),
            cards::OFFERED => findings.add(Severity::Warning, &face::CARD_OFFERED, [&party]),
            _ => findings.add(Severity::Warning, &face::CARD_UNPROVEN, [&party]),
        }
    }
    keys(patient, &policy, findings);
    ends_of_keys(patient, &policy, findings);
    agreements(patient, &policy, findings);
    Some(policy)
}

fn keys(patient: &Patient<'_>, policy: &Policy, findings: &mut Findings) {
    findings.look_at("keys");
    let folder = &patient.config.keys.folder;
    let is_root = rustix::process::geteuid().is_root();
    match std::fs::metadata(folder) {
        Ok(found) if found.mode() & 0o077 != 0 => {
            let mode = format!("{:04o}", found.mode() & 0o7777);
            findings.add(
                Severity::Warning,
                &face::KEYS_FOLDER_OPEN,
                [&folder.display(), &mode],
            );
        }
        Ok(_) | Err(_) => {}
    }
    let closed = std::fs::read_dir(folder)
        .is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied);
    if closed && !is_root {
        findings.add(Severity::Note, &face::KEYS_UNSEEN, []);
    } else if let Err(error) = supervise::check_keys(patient.config, policy) {
        findings.add(Severity::Error, &face::KEYS_WRONG, [&error]);
    }
}

/// How much it matters that something ends in so many days; none where it is far away.
fn urgency(days: i64, [note, warning, error]: [i64; 3]) -> Option<Severity> {
    if days <= error {
        Some(Severity::Error)
    } else if days <= warning {
        Some(Severity::Warning)
    } else {
        (days <= note).then_some(Severity::Note)
    }
}

fn days_until(end: UtcTime, now: UtcTime) -> i64 {
    (end.unix() - now.unix()).div_euclid(DAY_SECS)
}

fn ends_of_keys(patient: &Patient<'_>, policy: &Policy, findings: &mut Findings) {
    let end = |party: &PartyId| policy.keyring().card(party)?.card().keys.end();
    let left = |end| {
        let days = days_until(end, patient.now);
        Some((urgency(days, KEY_DAYS)?, end, days))
    };
    if let Some((severity, end, days)) = end(policy.own()).and_then(left) {
        findings.add(severity, &face::OWN_KEYS_END, [&end, &days]);
    }
    for peer in &patient.config.peers {
        if let Some((severity, end, days)) = end(&peer.party).and_then(left) {
            findings.add(severity, &face::PEER_KEYS_END, [&peer.party, &end, &days]);
        }
    }
}

fn agreements(patient: &Patient<'_>, policy: &Policy, findings: &mut Findings) {
    findings.look_at("agreements");
    for peer in &patient.config.peers {
        let with_peer = policy
            .agreements()
            .iter()
            .filter(|one| is_with(one, &peer.party));
        let mut some = false;
        for one in with_peer {
            let digest = one.digest();
            let text = one.agreement();
            if policy.in_force(&digest, patient.now) {
                some = true;
                let is_followed = policy.agreements().iter().any(|other| {
                    let other = other.agreement();
                    other.id == text.id && other.version > text.version
                });
                let days = days_until(text.ends, patient.now);
                if let Some(severity) = urgency(days, AGREEMENT_DAYS).filter(|_| !is_followed) {
                    findings.add(
                        severity,
                        &face::AGREEMENT_ENDS,
                        [&text.id, &peer.party, &text.ends, &days],
                    );
                }
            } else if let Some(until) = policy.drains_until(&digest, patient.now)
                && patient.now < until
            {
                findings.add(
                    Severity::Note,
                    &face::AGREEMENT_DRAINS,
                    [&text.id, &text.version, &until],
                );
            }
        }
        if !some {
            findings.add(Severity::Error, &face::AGREEMENT_NONE, [&peer.party]);
        }
    }
}

fn is_with(agreement: &CoSigned, peer: &PartyId) -> bool {
    let mut parties = agreement.agreement().parties.iter();
    parties.any(|party| &party.id == peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_spoken_of_at_thirty_fourteen_and_three_days() {
        for (days, expected) in [
            (31, None),
            (30, Some(Severity::Note)),
            (15, Some(Severity::Note)),
            (14, Some(Severity::Warning)),
            (4, Some(Severity::Warning)),
            (3, Some(Severity::Error)),
            (-1, Some(Severity::Error)),
        ] {
            assert_eq!(urgency(days, KEY_DAYS), expected, "{days}");
        }
        let now = UtcTime::from_unix(1_800_000_000).unwrap();
        assert_eq!(days_until(now.plus_secs(-1), now), -1);
        assert_eq!(days_until(now.plus_secs(DAY_SECS), now), 1);
    }
}
