//! `amanah init`: a party's keys, its first card, and a configuration with comments. Never overwrites anything; keys that
//! `ssh-keygen` or `age-keygen` made are taken as they are, and refused where others may read them.

use std::path::Path;

use amanah_format::{
    card::{Card, CardKeys, Valid, VerifiedCard, sign},
    document::{Document, Ext},
    home,
    id::PartyId,
    limits::CLOCK_SKEW_SECS,
    manifest::Manifest,
    recipient::Identity,
    signature::SecretKey,
    time::UtcTime,
};
use amanahd::{
    catalogue::{Language, faces::setup},
    config::checked::Config,
    durable,
    keys::{KeyFolder, OwnKeys},
};

use crate::{
    exit::{Exit, Failure, Outcome},
    papers,
    place::Place,
    screen::Screen,
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  amanah init --party kemenhaj --name 'Kementerian Haji dan Umrah' \\
    --contact 'Piket Pusdatin, +62 21 …' --address 10.20.0.1:2222 --network 10.20.0.0/16")]
pub(crate) struct Wanted {
    /// Party id: lower-case letters, digits and hyphens
    #[arg(long, value_name = "ID")]
    party: PartyId,
    /// Legal name of the party
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// Function and telephone of who answers for the keys
    #[arg(long, value_name = "TEXT")]
    contact: String,
    /// host:port where peers may dial us; may be repeated
    #[arg(long, value_name = "HOST:PORT")]
    address: Vec<String>,
    /// Network that may connect (CIDR): listen on the first --address; may be repeated
    #[arg(long, value_name = "CIDR", requires = "address")]
    network: Vec<String>,
    /// For how many years the keys are valid
    #[arg(long, default_value_t = 2, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=10))]
    years: u8,
}

/// Days of a year of validity; the day that a leap year has more is not worth a calendar.
pub(crate) const YEAR_SECS: i64 = 365 * 86_400;
/// Private files: the owner's alone.
const SECRET: u32 = 0o600;
const PUBLIC: u32 = 0o644;

/// Makes what is missing, the configuration last: with it the node exists.
pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let card_path = place.card(&wanted.party);
    for path in [&place.file, &card_path] {
        if path.symlink_metadata().is_ok() {
            return Err(screen.failure(Exit::Config, setup::EXISTS, &[&path.display()]));
        }
    }
    let text = configuration(wanted, place.folder(), screen.language);
    Config::parse(&text, &place.file).map_err(|reason| Failure::new(Exit::Usage, reason))?;
    let now = papers::now();
    durable::create_folder(&place.folder().join(home::KEYS), 0o700)?;
    durable::create_folder(&place.cards(), 0o755)?;
    durable::create_folder(&place.agreements(), 0o755)?;
    let keys = keys(&place.folder().join(home::KEYS), &wanted.party, now)?;
    let container = sign(&card(wanted, &keys, now), keys.signing.newest())
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    let card = VerifiedCard::verify(&container).map_err(|error| Failure::new(Exit::Io, error))?;
    papers::write_new(&card_path, &container, PUBLIC)?;
    papers::write_new(&place.file, text.as_bytes(), PUBLIC)?;
    report(place, &card_path, &card, screen)?;
    Ok(Exit::Ok)
}

fn report(
    place: &Place,
    card_path: &Path,
    card: &VerifiedCard,
    screen: &mut Screen<'_>,
) -> Outcome<()> {
    let fingerprint = card.digest().to_fingerprint();
    if screen.json {
        return screen.facts(&serde_json::json!({
            "format": "amanah-init/1",
            "party": card.card().party,
            "config": place.file,
            "card": card_path,
            "fingerprint": fingerprint,
        }));
    }
    screen.say(setup::INIT_DONE, &[&place.folder().display()])?;
    screen.say(setup::FINGERPRINT, &[&fingerprint])?;
    screen.hint(setup::INIT_NEXT, &[&card_path.display()])
}

/// The secret halves as far as the card needs them, and the public halves.
struct Keys {
    signing: OwnKeys,
    transport: OwnKeys,
    ledger: OwnKeys,
    decryption: Vec<Identity>,
}

/// Reads each key, after making those that are missing.
fn keys(folder: &Path, party: &PartyId, now: UtcTime) -> Outcome<Keys> {
    for role in ["signing", "transport", "ledger"] {
        if !folder.join(role).exists() {
            make_key(folder, role, party)?;
        }
    }
    if !folder.join("decryption.txt").exists() {
        let file = Identity::generate().to_file(now);
        papers::write_new(&folder.join("decryption.txt"), file.as_bytes(), SECRET)?;
    }
    let present = KeyFolder {
        folder: folder.to_owned(),
        credentials: None,
    };
    Ok(Keys {
        signing: present.signing()?,
        transport: present.transport()?,
        ledger: present.ledger()?,
        decryption: present.decryption()?,
    })
}

/// A new secret key out of the system's randomness.
pub(crate) fn new_key() -> Outcome<SecretKey> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Failure::new(Exit::Io, error))?;
    Ok(SecretKey::from_seed(&seed))
}

fn make_key(folder: &Path, role: &str, party: &PartyId) -> Outcome<()> {
    let key = new_key()?;
    let comment = format!("{role}@{party}");
    papers::write_new(
        &folder.join(role),
        key.to_openssh(&comment).as_bytes(),
        SECRET,
    )?;
    let public = format!("{} {comment}\n", key.public());
    papers::write_mode(
        &folder.join(format!("{role}.pub")),
        public.as_bytes(),
        PUBLIC,
    )
}

fn card(wanted: &Wanted, keys: &Keys, now: UtcTime) -> Card {
    // A peer's clock may be behind ours: the keys must be valid for it as well when it first meets them.
    let from = now.plus_secs(-CLOCK_SKEW_SECS);
    let until = now.plus_secs(i64::from(wanted.years) * YEAR_SECS);
    let valid = |keys: &OwnKeys| {
        vec![Valid {
            key: keys.newest().public(),
            from,
            until,
        }]
    };
    let decryption = keys.decryption.iter().map(|identity| Valid {
        key: identity.recipient(),
        from,
        until,
    });
    Card {
        format: Card::FORMAT.into(),
        party: wanted.party.clone(),
        name: wanted.name.clone(),
        number: 1,
        previous: None,
        created: now,
        keys: CardKeys {
            signing: valid(&keys.signing),
            transport: valid(&keys.transport),
            decryption: decryption.collect(),
            ledger: valid(&keys.ledger),
        },
        addresses: wanted.address.clone(),
        contact: wanted.contact.clone(),
        formats: vec![Manifest::FORMAT.into()],
        successor_of: None,
        ext: Ext::default(),
        critical: Vec::new(),
    }
}

/// `amanah.toml` with its comments, in the language of who installs it.
fn configuration(wanted: &Wanted, folder: &Path, language: Language) -> String {
    let home = if folder == Path::new("/etc/amanah") {
        "/var/lib/amanah"
    } else {
        "."
    };
    let listen = if wanted.network.is_empty() {
        setup::CONFIG_LISTEN_OFF.in_language(language).to_owned()
    } else {
        let address = wanted.address.first().map_or("", String::as_str);
        setup::CONFIG_LISTEN.with(
            language,
            &[&format!("{address:?}"), &format!("{:?}", wanted.network)],
        )
    };
    setup::CONFIG.with(language, &[&wanted.party, &home, &language.code(), &listen])
}
