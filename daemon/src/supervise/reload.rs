//! Reading the configuration's folder again: a wrong one is refused and the old one stays. What was loaded goes into the ledger, once.
//! Cards and agreements change under way; addresses, peers, the home and stores need a restart, and an alarm says so. Only
//! files of the sysadmin are read, and of what came by wire only revocations, which narrow.

use std::path::Path;
use std::sync::Arc;

use amanah_format::card::VerifiedCard;
use amanah_format::digest::Digest;
use amanah_format::ledger::RecordKind;

use crate::config::cards;
use crate::config::checked::{Config, ConfigError, Loaded};
use crate::engine::policy::Policy;
use crate::event::Event;
use crate::journal::LedgerEntry;
use crate::stage::{Node, StageError, slips};

/// Reads everything again; keeps what stands when any of it is wrong.
pub(super) fn again(old: &Config, node: &Arc<Node>) {
    match read(&old.file, node) {
        Ok((config, policy, loaded)) => {
            let moved = config.home != old.home || config.tables != old.tables;
            if config.listen != old.listen || config.peers != old.peers || moved {
                tracing::warn!(
                    "addresses, peers, the home or a store changed: restart the daemon for that; the rest is in force now"
                );
                node.board
                    .alarm("restart-needed", "configuration", node.clock.now());
            }
            let own_card = |policy: &Policy| {
                policy
                    .keyring()
                    .card(policy.own())
                    .map(VerifiedCard::digest)
            };
            if own_card(&node.rules.now()) != own_card(&policy) {
                tracing::warn!(
                    "our own card changed: keys are read at the start, restart the daemon for that"
                );
                node.board.alarm("restart-needed", "keys", node.clock.now());
                node.gates.cards_changed();
            }
            node.rules.replace(policy);
            match settle_in(&config, node, &loaded) {
                Ok(()) => tracing::info!(
                    event = Event::ConfigurationRead.name(),
                    "configuration read again"
                ),
                Err(error) => tracing::error!(
                    "the configuration is in force, but could not be noted: {error}"
                ),
            }
            node.board.quiet_all_of("configuration refused");
            node.bells.ring_all();
        }
        Err(reason) => {
            tracing::error!(
                event = Event::ConfigurationRefused.name(),
                "the new configuration is refused, the old one stays in force: {reason}"
            );
            node.board.alarm(
                "configuration-refused",
                "configuration refused",
                node.clock.now(),
            );
            node.bells.publish.ring();
        }
    }
}

fn read(file: &Path, node: &Node) -> Result<(Config, Policy, Vec<Loaded>), String> {
    let config = Config::load(file).map_err(|error| error.to_string())?;
    let (policy, loaded) = read_papers(&config, node).map_err(|error| error.to_string())?;
    Ok((config, policy, loaded))
}

/// Cards, agreements and revocations. What the journal has as loaded was judged then, once.
pub(super) fn read_papers(
    config: &Config,
    node: &Node,
) -> Result<(Policy, Vec<Loaded>), ConfigError> {
    let judged = |agreement: &Digest| {
        let fact = node.journal.fact(&fact_of("agreement", agreement));
        fact.is_ok_and(|fact| fact.is_some())
    };
    config.policy_again(node.clock.now(), &judged)
}

/// The fact that a document was loaded.
fn fact_of(kind: &str, digest: &Digest) -> String {
    format!("loaded {kind} {digest}")
}

/// What follows from a policy that has just come into force: outbox folders, ledger records, alarms, revocations to ship.
pub(super) fn settle_in(config: &Config, node: &Node, loaded: &[Loaded]) -> Result<(), StageError> {
    let now = node.clock.now();
    let policy = node.rules.now();
    for peer in &config.peers {
        node.spool
            .make_outbox(&peer.party, &policy.sendable(&peer.party, now))?;
    }
    for document in loaded {
        note(node, document)?;
    }
    if config.example_keys {
        tracing::warn!("example_keys: these keys are public; nothing is secret or proven here");
        node.board.alarm("example-keys", "example_keys", now);
    } else {
        node.board.quiet_all_of("example_keys");
    }
    for code in [cards::FORK, cards::OFFERED, cards::UNPROVEN] {
        let notes = policy.card_notes().iter();
        let of_code = notes.filter_map(|note| note.strip_prefix(code)?.strip_prefix(' '));
        let subjects: Vec<String> = of_code.map(str::to_owned).collect();
        node.board.alarm_exactly(code, &subjects, now);
    }
    for alarm in policy.alarms() {
        let (code, subject) = alarm.split_once(' ').unwrap_or((alarm, ""));
        node.board.alarm(code, subject, now);
    }
    for revocation in config.own_revocations(&policy, now) {
        slips::ship_revocation(
            node,
            &revocation.peer,
            &revocation.container,
            revocation.digest,
        )?;
    }
    Ok(())
}

/// One record for each document, when it is loaded for the first time.
fn note(node: &Node, document: &Loaded) -> Result<(), StageError> {
    if let Some(warning) = &document.warning {
        tracing::warn!(path = %document.path.display(), "does not count: {warning}");
        node.board.alarm(
            "document-does-not-count",
            &document.path.display().to_string(),
            node.clock.now(),
        );
        return Ok(());
    }
    node.board.quiet(
        "document-does-not-count",
        &document.path.display().to_string(),
    );
    let fact = fact_of(document.kind, &document.digest);
    if node.journal.fact(&fact)?.is_none() {
        let entry = LedgerEntry {
            kind: RecordKind::Loaded,
            manifest: None,
            digests: vec![document.digest],
            code: Some(document.kind.to_owned()),
            by: None,
        };
        node.journal.record(entry, node.clock.now())?;
        node.journal.set_fact(&fact, Some("yes"))?;
    }
    Ok(())
}
