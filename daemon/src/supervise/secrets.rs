//! The private keys of a start: read, compared with our own card, and handed on. What signs and what decrypts are two values from
//! the first moment; each goes to the one part that may use it.

use std::sync::Arc;

use amanah_format::recipient::Identity;
use amanah_format::signature::PublicKey;

use crate::clock::Clock;
use crate::config::checked::{Config, ConfigError};
use crate::engine::policy::Policy;
use crate::keys::OwnKeys;
use crate::keys::example::is_example_recipient;
use crate::stage::signer::Signer;

use super::RunError;

/// What signs: bundles, receipts and slips; checkpoints; SSH sessions.
pub(super) struct SigningKeys {
    pub(super) signing: Arc<Signer>,
    pub(super) ledger: OwnKeys,
    pub(super) transport: Arc<OwnKeys>,
}

/// Reads all, and compares them with our own card: a daemon with another key than its card would be refused everywhere.
pub(super) fn read(
    config: &Config,
    policy: &Policy,
) -> Result<(SigningKeys, Vec<Identity>), RunError> {
    let (signing, ledger) = (config.keys.signing()?, config.keys.ledger()?);
    let transport = config.keys.transport()?;
    let identities = config.keys.decryption()?;
    let (keyring, own, now) = (policy.keyring(), policy.own(), Clock::default().now());
    let one_of = |keys: &OwnKeys, may: &dyn Fn(&PublicKey) -> bool| keys.publics().iter().any(may);
    let opens = |recipient: &_| {
        let mut own = identities.iter();
        own.any(|identity| &identity.recipient() == recipient)
    };
    let faults = [
        (
            !one_of(&signing, &|key| keyring.may_sign(own, key, now)),
            "the signing key is not (or no longer) on our card",
        ),
        (
            !one_of(&transport, &|key| keyring.may_connect(own, key, now)),
            "the transport key is not (or no longer) on our card",
        ),
        (
            !one_of(&ledger, &|key| keyring.ledger_keys(own).contains(key)),
            "the ledger key is not on our card",
        ),
        (
            !keyring.recipients(own, now).iter().any(opens),
            "no decryption key of our card is among the identities",
        ),
        (
            !config.example_keys && holds_example(&identities),
            "an identity is of keys-example/, whose secret halves everybody has",
        ),
    ];
    match faults.into_iter().find(|(wrong, _)| *wrong) {
        Some((_, fault)) => Err(mismatch(config, fault)),
        None => Ok((
            SigningKeys {
                signing: Arc::new(Signer::new(signing)),
                ledger,
                transport: Arc::new(transport),
            },
            identities,
        )),
    }
}

fn holds_example(identities: &[Identity]) -> bool {
    let mut recipients = identities.iter().map(Identity::recipient);
    recipients.any(|recipient| is_example_recipient(&recipient))
}

fn mismatch(config: &Config, fault: &str) -> RunError {
    RunError::Config(ConfigError {
        path: config.keys.folder.clone(),
        reason: format!("{fault}; compare with `amanah card show`"),
    })
}
