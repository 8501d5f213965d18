//! `amanah card renew` and `card retire`: new keys under a new card, which the old card's key signs as well, so that peers take it
//! without a telephone call; later the old secret halves go. Old keys stay valid for an overlap, unless they are revoked.
//! Key files are written before the card that lists them: a crash between leaves a key that nobody knows of. FORMAT.md §11.2.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use amanah_format::{
    card::{Card, CardKeys, Valid, VerifiedCard, sign, sign_successor},
    home,
    id::PartyId,
    limits::CLOCK_SKEW_SECS,
    recipient::Identity,
    signature::{PublicKey, SecretKey},
    time::UtcTime,
};
use amanahd::{
    catalogue::{
        faces::{self, setup},
        moment,
    },
    keys::OwnKeys,
};
use zeroize::Zeroizing;

use crate::{
    exit::{Exit, Failure, Outcome},
    init::{YEAR_SECS, new_key},
    papers,
    place::Place,
    screen::Screen,
};

const DAY_SECS: i64 = 86_400;
/// Private files: the owner's alone.
const SECRET: u32 = 0o600;
const PUBLIC: u32 = 0o644;

/// Arguments of `renew`.
#[derive(Debug, clap::Args)]
pub(super) struct Renew {
    /// Only these keys: signing, transport, ledger, decryption; may be repeated [default: all]
    #[arg(long, value_name = "ROLE")]
    only: Vec<Role>,
    /// For how many years the new keys are valid
    #[arg(long, default_value_t = 2, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=10))]
    years: u8,
    /// For how many days the old keys stay valid beside the new ones
    #[arg(long, default_value_t = 60, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(2..=730))]
    overlap_days: u16,
    /// The old keys of these roles are not valid any more from now on: they were lost or stolen
    #[arg(long, conflicts_with = "overlap_days")]
    revoke: bool,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Role {
    Signing,
    Transport,
    Ledger,
    Decryption,
}

impl Role {
    /// The key file, beneath the configuration's folder.
    const fn file(self) -> &'static str {
        match self {
            Self::Signing => home::KEY_SIGNING,
            Self::Transport => home::KEY_TRANSPORT,
            Self::Ledger => home::KEY_LEDGER,
            Self::Decryption => home::KEY_DECRYPTION,
        }
    }
}

/// From when until when the new keys are valid, and how long the old ones still are.
struct Dates {
    now: UtcTime,
    from: UtcTime,
    until: UtcTime,
    old_until: UtcTime,
}

impl Dates {
    fn of(wanted: &Renew) -> Self {
        let now = papers::now();
        let overlap = i64::from(wanted.overlap_days) * DAY_SECS;
        Self {
            now,
            // A peer's clock may be behind ours.
            from: now.plus_secs(-CLOCK_SKEW_SECS),
            until: now.plus_secs(i64::from(wanted.years) * YEAR_SECS),
            old_until: if wanted.revoke {
                now
            } else {
                now.plus_secs(overlap)
            },
        }
    }

    /// Old keys that are still valid, ended where the new one takes over; then the new one.
    fn roll<K: Clone>(&self, old: &[Valid<K>], new: Option<K>) -> Vec<Valid<K>> {
        let valid = old.iter().filter(|valid| valid.until > self.now);
        let ends = |valid: &Valid<K>| Valid {
            until: match new {
                Some(_) => valid.until.min(self.old_until),
                None => valid.until,
            },
            ..valid.clone()
        };
        let mut keys: Vec<_> = valid.map(ends).collect();
        keys.extend(new.map(|key| Valid {
            key,
            from: self.from,
            until: self.until,
        }));
        keys
    }
}

/// The secret halves of new keys.
#[derive(Default)]
struct New {
    signing: Option<SecretKey>,
    transport: Option<SecretKey>,
    ledger: Option<SecretKey>,
    decryption: Option<Identity>,
}

/// Makes keys, then the card.
pub(super) fn renew(wanted: &Renew, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let config = place.config()?;
    let (keyring, dates) = (place.keyring()?, Dates::of(wanted));
    let newest = keyring.card(&config.party);
    let newest =
        newest.ok_or_else(|| screen.failure(Exit::Missing, setup::NO_CARD, &[&config.party]))?;
    let target = place.card_numbered(&config.party, newest.card().number.saturating_add(1));
    if target.exists() {
        return Err(screen.failure(Exit::Config, setup::EXISTS, &[&target.display()]));
    }
    let keys = config.keys.signing()?;
    let order = keyring.signing_order(&config.party, dates.now);
    let before = Some(keys.first_of(&order)).filter(|key| order.contains(&key.public()));
    let new = make(wanted)?;
    let card = next(newest, &new, &dates);
    let signer = new
        .signing
        .as_ref()
        .unwrap_or_else(|| keys.first_of(&order));
    let container = match before {
        Some(before) => sign_successor(&card, signer, before),
        // Nobody can vouch for it: every peer compares its fingerprint.
        None => sign(&card, signer),
    };
    let container = container.map_err(|error| Failure::new(Exit::Config, error))?;
    let card = VerifiedCard::verify(&container).map_err(|error| Failure::new(Exit::Io, error))?;
    keep(place.folder(), &config.party, &new, dates.now)?;
    papers::write_new(&target, &container, PUBLIC)?;
    report(wanted, (&target, &card, before.is_some()), &dates, screen)?;
    Ok(Exit::Ok)
}

fn make(wanted: &Renew) -> Outcome<New> {
    let is_wanted = |role: Role| wanted.only.is_empty() || wanted.only.contains(&role);
    let key = |role| is_wanted(role).then(new_key).transpose();
    Ok(New {
        signing: key(Role::Signing)?,
        transport: key(Role::Transport)?,
        ledger: key(Role::Ledger)?,
        decryption: is_wanted(Role::Decryption).then(Identity::generate),
    })
}

fn next(newest: &VerifiedCard, new: &New, dates: &Dates) -> Card {
    let old = newest.card();
    let public = |key: &Option<SecretKey>| key.as_ref().map(SecretKey::public);
    Card {
        number: old.number.saturating_add(1),
        previous: Some(newest.digest()),
        created: dates.now,
        keys: CardKeys {
            signing: dates.roll(&old.keys.signing, public(&new.signing)),
            transport: dates.roll(&old.keys.transport, public(&new.transport)),
            ledger: dates.roll(&old.keys.ledger, public(&new.ledger)),
            decryption: dates.roll(
                &old.keys.decryption,
                new.decryption.as_ref().map(Identity::recipient),
            ),
        },
        ..old.clone()
    }
}

/// Adds each new key at the end of its file.
fn keep(folder: &Path, party: &PartyId, new: &New, now: UtcTime) -> Outcome<()> {
    let keys = [
        (Role::Signing, &new.signing),
        (Role::Transport, &new.transport),
        (Role::Ledger, &new.ledger),
    ];
    for (role, key) in keys {
        let Some(key) = key else { continue };
        let path = folder.join(role.file());
        let name = role.file().rsplit('/').next().unwrap_or_default();
        let comment = format!("{name}@{party}");
        add(&path, &key.to_openssh(&comment), SECRET)?;
        let public = folder.join(format!("{}{}", role.file(), home::PUBLIC_SUFFIX));
        add(&public, &format!("{} {comment}\n", key.public()), PUBLIC)?;
    }
    if let Some(identity) = &new.decryption {
        add(
            &folder.join(Role::Decryption.file()),
            &identity.to_file(now),
            SECRET,
        )?;
    }
    Ok(())
}

fn add(path: &Path, more: &str, mode: u32) -> Outcome<()> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new);
    let mut text = match text {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Zeroizing::default(),
        Err(error) => return Err(Failure::io(path, &error)),
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(more);
    replace(path, text.as_bytes(), mode)
}

/// Replaces a key file; whose it was, it stays: the daemon refuses keys of another owner.
fn replace(path: &Path, bytes: &[u8], mode: u32) -> Outcome<()> {
    let owner = std::fs::metadata(path)
        .ok()
        .map(|old| (old.uid(), old.gid()));
    papers::write_mode(path, bytes, mode)?;
    let own = rustix::process::geteuid().as_raw();
    if let Some((user, group)) = owner.filter(|(user, _)| *user != own) {
        chown(path, Some(user), Some(group)).map_err(|error| Failure::io(path, &error))?;
    }
    Ok(())
}

fn report(
    wanted: &Renew,
    (target, card, vouched): (&Path, &VerifiedCard, bool),
    dates: &Dates,
    screen: &mut Screen<'_>,
) -> Outcome<()> {
    let (number, fingerprint) = (card.card().number, card.digest().to_fingerprint());
    if screen.json {
        return screen.facts(&serde_json::json!({
            "format": "amanah-card-renew/1", "card": target, "number": number, "fingerprint": fingerprint,
            "vouched": vouched, "revoked": wanted.revoke, "old_keys_until": dates.old_until,
        }));
    }
    screen.say(setup::RENEWED, &[&number, &target.display()])?;
    screen.say(setup::FINGERPRINT, &[&fingerprint])?;
    let until = moment::wib(dates.old_until, screen.language);
    if wanted.revoke {
        screen.say(setup::RENEWED_REVOKED, &[])?;
    } else {
        screen.say(setup::RENEWED_UNTIL, &[&until])?;
    }
    if !vouched {
        screen.say(setup::RENEWED_UNVOUCHED, &[])?;
    }
    screen.hint(faces::RESTART, &[])?;
    screen.hint(setup::RENEWED_NEXT, &[])
}

/// Takes the secret halves of ended keys out of their files. Decryption identities stay: what was sealed to them may be needed again.
pub(super) fn retire(place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let (config, keyring, now) = (place.config()?, place.keyring()?, papers::now());
    let newest = keyring.card(&config.party);
    let newest =
        newest.ok_or_else(|| screen.failure(Exit::Missing, setup::NO_CARD, &[&config.party]))?;
    let listed = &newest.card().keys;
    let mut gone = Vec::new();
    for (role, keys, of_card) in [
        (Role::Signing, config.keys.signing()?, &listed.signing),
        (Role::Transport, config.keys.transport()?, &listed.transport),
        (Role::Ledger, config.keys.ledger()?, &listed.ledger),
    ] {
        gone.extend(retire_role(place, (role, &keys, of_card), now)?);
    }
    if screen.json {
        screen.facts(&serde_json::json!({"format": "amanah-card-retire/1", "retired": gone}))?;
    } else if gone.is_empty() {
        screen.say(setup::RETIRED_NONE, &[])?;
    } else {
        for fingerprint in &gone {
            screen.say(setup::RETIRED, &[fingerprint])?;
        }
        screen.hint(setup::RETIRED_NEXT, &[])?;
    }
    Ok(Exit::Ok)
}

fn retire_role(
    place: &Place,
    (role, keys, listed): (Role, &OwnKeys, &[Valid<PublicKey>]),
    now: UtcTime,
) -> Outcome<Vec<String>> {
    let stays = |key: &&SecretKey| {
        let mut listed = listed.iter();
        listed.any(|valid| valid.key == key.public() && now < valid.until)
    };
    let (staying, ended): (Vec<_>, Vec<_>) = keys.all().partition(stays);
    if ended.is_empty() || staying.is_empty() {
        return Ok(Vec::new());
    }
    let mut text = Zeroizing::new(String::new());
    let mut publics = String::new();
    for key in staying {
        text.push_str(&key.to_openssh(""));
        publics.push_str(&format!("{}\n", key.public()));
    }
    replace(&place.folder().join(role.file()), text.as_bytes(), SECRET)?;
    let public = format!("{}{}", role.file(), home::PUBLIC_SUFFIX);
    replace(&place.folder().join(public), publics.as_bytes(), PUBLIC)?;
    Ok(ended.iter().map(|key| key.public().fingerprint()).collect())
}
