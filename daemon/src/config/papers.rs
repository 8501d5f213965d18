//! The papers beside the configuration: cards, agreements, revocations. Each is verified here and now, once; what counts
//! becomes the policy. A card that does not verify stops the load; an agreement that does not count permits nothing and is
//! only warned of; a revocation that verifies always counts, for it only narrows.

use std::path::{Path, PathBuf};

use amanah_format::{
    agreement::{Agreement, AgreementFile, CoSigned},
    digest::Digest,
    home,
    id::PartyId,
    keyring::Keyring,
    slip::{Body, VerifiedSlip},
    time::UtcTime,
};

use super::cards;
use super::checked::{Config, ConfigError};
use crate::engine::policy::Policy;

/// Ends of the names in the configuration's folder.
pub(super) const CARD: &str = home::CARD_SUFFIX;
const AGREEMENT: &str = ".agreement.amanah";
const REVOCATION: &str = ".revocation.amanah";
/// Where the daemon keeps revocations that came by wire, beneath the home; only its own user reads them.
const CAME_BY_WIRE: &str = "spool/revocations";
const SLIP: &str = ".slip.amanah";
/// Largest paper read: an agreement with its schemas. Anything longer is none.
const PAPER_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// A document that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// `config`, `card`, `agreement`, `revocation`.
    pub kind: &'static str,
    /// Where it lies.
    pub path: PathBuf,
    /// SHA-256: of a card's, agreement's or slip's text, else of the file.
    pub digest: Digest,
    /// Set when it does not count, and why (an agreement signed by one side only).
    pub warning: Option<String>,
}

/// Whether an agreement was loaded before, and its signatures judged then.
pub type Judged<'a> = &'a dyn Fn(&Digest) -> bool;

/// When signatures are judged, and those of which agreements were before.
type Judge<'a> = (UtcTime, Judged<'a>);

/// [`Config::policy_again`].
pub(super) fn policy(
    config: &Config,
    (now, judged): Judge<'_>,
) -> Result<(Policy, Vec<Loaded>), ConfigError> {
    let mut loaded = Vec::new();
    loaded.push(note(
        "config",
        &config.file,
        Digest::of(&read(&config.file)?),
    ));
    let cards = cards::load(config)?;
    loaded.extend(cards.loaded);
    let keyring = cards.keyring;
    let mut texts = Vec::new();
    let judge = (now, judged);
    let agreements = agreements(config, (&keyring, judge), &mut texts, &mut loaded)?;
    let revoked = revocations(config, (&keyring, now), &texts, &mut loaded)?;
    let policy = Policy::new(config.party.clone(), keyring, agreements, revoked);
    let policy = policy.with_card_notes(cards.notes);
    Ok((policy, loaded))
}

pub(super) fn note(kind: &'static str, path: &Path, digest: Digest) -> Loaded {
    Loaded {
        kind,
        path: path.to_owned(),
        digest,
        warning: None,
    }
}

pub(super) fn wrong(path: &Path, reason: impl Into<String>) -> ConfigError {
    ConfigError {
        path: path.to_owned(),
        reason: reason.into(),
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    let bytes = std::fs::metadata(path)
        .map_err(|error| wrong(path, error.to_string()))?
        .len();
    if bytes > PAPER_BYTES_MAX {
        return Err(wrong(
            path,
            format!("{bytes} bytes: at most {PAPER_BYTES_MAX} are read"),
        ));
    }
    std::fs::read(path).map_err(|error| wrong(path, error.to_string()))
}

/// Files of one kind in a folder of the configuration, by name; none where the folder is missing.
pub(super) fn files(folder: &Path, end: &str) -> Result<Vec<PathBuf>, ConfigError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(wrong(folder, error.to_string())),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| wrong(folder, error.to_string()))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(end) && !name.starts_with('.') {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// An agreement's text as far as revocations need it: digest and parties, signed or not.
type KnownText = (Digest, Agreement);

fn agreements(
    config: &Config,
    (keyring, (now, judged)): (&Keyring, Judge<'_>),
    texts: &mut Vec<KnownText>,
    loaded: &mut Vec<Loaded>,
) -> Result<Vec<CoSigned>, ConfigError> {
    let mut in_force = Vec::new();
    for path in files(&config.folder.join(home::AGREEMENTS), AGREEMENT)? {
        let bytes = read(&path)?;
        let mut line = note("agreement", &path, Digest::of(&bytes));
        match agreement(&bytes, &config.party, &mut line, texts) {
            Ok(file) if judged(&file.digest()) => match file.verify_again(keyring) {
                Ok(co_signed) => in_force.push(co_signed),
                Err(error) => line.warning = Some(error.to_string()),
            },
            Ok(file) => match file.verify(keyring, now) {
                Ok(co_signed) => in_force.push(co_signed),
                Err(error) => line.warning = Some(error.to_string()),
            },
            Err(reason) => line.warning = Some(reason),
        }
        loaded.push(line);
    }
    Ok(in_force)
}

fn agreement(
    bytes: &[u8],
    own: &PartyId,
    line: &mut Loaded,
    texts: &mut Vec<KnownText>,
) -> Result<AgreementFile, String> {
    let file = AgreementFile::parse(bytes).map_err(|error| error.to_string())?;
    let text = file.agreement().map_err(|error| error.to_string())?;
    line.digest = file.digest();
    let ours = text.parties.iter().any(|party| &party.id == own);
    texts.push((file.digest(), text));
    if ours {
        Ok(file)
    } else {
        Err(format!("{own} is not a party to it"))
    }
}

fn revocations(
    config: &Config,
    judge: (&Keyring, UtcTime),
    texts: &[KnownText],
    loaded: &mut Vec<Loaded>,
) -> Result<Vec<(Digest, UtcTime)>, ConfigError> {
    let mut revoked = Vec::new();
    let mut paths = files(&config.folder.join(home::AGREEMENTS), REVOCATION)?;
    match std::fs::read_dir(config.home.join(CAME_BY_WIRE)) {
        // An operator's own look at the agreements may not see these; the daemon, whose folder it is, always does.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {}
        Ok(_) | Err(_) => paths.extend(files(&config.home.join(CAME_BY_WIRE), SLIP)?),
    }
    for path in paths {
        let bytes = read(&path)?;
        let mut line = note("revocation", &path, Digest::of(&bytes));
        match revocation(&bytes, judge, texts) {
            Ok((slip, agreement)) => {
                line.digest = slip.digest();
                revoked.push((agreement, slip.slip().created));
            }
            Err(reason) => line.warning = Some(reason),
        }
        loaded.push(line);
    }
    Ok(revoked)
}

/// A revocation of our own that the sysadmin installed: the peer is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnRevocation {
    /// Whom to tell.
    pub peer: PartyId,
    /// The signed slip as it travels.
    pub container: Vec<u8>,
    /// SHA-256 of the slip's text.
    pub digest: Digest,
}

/// [`Config::own_revocations`]: what cannot be read or does not verify was warned of by the load already.
pub(super) fn own_revocations(
    config: &Config,
    keyring: &Keyring,
    now: UtcTime,
) -> Vec<OwnRevocation> {
    let paths = files(&config.folder.join(home::AGREEMENTS), REVOCATION).unwrap_or_default();
    let mut found = Vec::new();
    for container in paths.iter().filter_map(|path| read(path).ok()) {
        let Ok(verified) = verified(&container, keyring, now) else {
            continue;
        };
        let slip = verified.slip();
        if slip.from == config.party && matches!(slip.body, Body::Revocation { .. }) {
            found.push(OwnRevocation {
                peer: slip.to.clone(),
                digest: verified.digest(),
                container,
            });
        }
    }
    found
}

/// A slip that ends one of the known agreements, signed by one of its parties.
fn revocation(
    bytes: &[u8],
    (keyring, now): (&Keyring, UtcTime),
    texts: &[KnownText],
) -> Result<(VerifiedSlip, Digest), String> {
    let slip = verified(bytes, keyring, now)?;
    let Body::Revocation { agreement, .. } = &slip.slip().body else {
        return Err("a slip, but no revocation".into());
    };
    let digest = agreement.digest;
    let known = texts.iter().find(|(text, _)| text == &digest);
    let (_, text) = known.ok_or_else(|| format!("it revokes {digest}, which is not here"))?;
    let from = &slip.slip().from;
    if !text.parties.iter().any(|party| &party.id == from) {
        return Err(format!(
            "{from} is not a party to the agreement that it revokes"
        ));
    }
    Ok((slip, digest))
}

/// A revocation stays one after its signer's key has expired: then it is judged at the moment when it was made.
fn verified(bytes: &[u8], keyring: &Keyring, now: UtcTime) -> Result<VerifiedSlip, String> {
    VerifiedSlip::verify(bytes, keyring, now).or_else(|error| {
        let made = made_at(bytes).filter(|made| *made <= now);
        made.and_then(|made| VerifiedSlip::verify(bytes, keyring, made).ok())
            .ok_or_else(|| error.to_string())
    })
}

/// What an unverified slip says of its own age; believed only when the signature then verifies.
fn made_at(bytes: &[u8]) -> Option<UtcTime> {
    #[derive(serde::Deserialize)]
    struct Made {
        created: UtcTime,
    }
    let parts =
        amanah_format::container::unpack_small(bytes, amanah_format::limits::DOCUMENT_BYTES_MAX);
    let (_, text) = parts.ok()?.into_iter().next()?;
    serde_json::from_slice::<Made>(&text)
        .ok()
        .map(|made| made.created)
}
