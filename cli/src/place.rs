//! Where this node lives: the configuration that the arguments name, its home, its cards. Also which language to speak.
//! Nothing is read before a command asks for it, so that offline commands need no configuration.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use amanah_format::{digest::Digest, home, id::PartyId, keyring::Keyring, signature::PublicKey};
use amanahd::{
    catalogue::{Language, faces::setup},
    config::{
        self,
        cards::{self, Trusted},
        checked::{Config, ConfigError},
        judged,
    },
    keys::OwnKeys,
};

use crate::{
    args::Globals,
    exit::{Exit, Outcome},
    papers,
    screen::Screen,
};

/// Where the packages put it.
const DEFAULT: &str = "/etc/amanah/amanah.toml";

/// The configuration file that is meant; it need not exist.
pub(crate) struct Place {
    pub(crate) file: PathBuf,
}

impl Place {
    /// `--config FILE`, `--home DIR` (then `DIR/amanah.toml`), or the packages' place.
    pub(crate) fn of(globals: &Globals) -> Self {
        let file = match (&globals.config, &globals.home) {
            (Some(file), _) => file.clone(),
            (None, Some(home)) => home.join(home::CONFIG),
            (None, None) => DEFAULT.into(),
        };
        Self {
            file: std::path::absolute(&file).unwrap_or(file),
        }
    }

    /// The folder of the configuration: keys, cards and agreements lie beneath it.
    pub(crate) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }

    pub(crate) fn config(&self) -> Result<Config, ConfigError> {
        Config::load(&self.file)
    }

    /// The home, and what is wrong with the configuration: a slip of the pen there must not hide what the daemon that still
    /// runs has published.
    pub(crate) fn home_at_least(&self) -> Result<(PathBuf, Option<ConfigError>), ConfigError> {
        let error = match self.config() {
            Ok(config) => return Ok((config.home, None)),
            Err(error) => error,
        };
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        let Ok(value) = config::toml_value(&text) else {
            return Err(error);
        };
        let home = value.get("home").and_then(|home| home.as_str());
        let home = self.folder().join(home.unwrap_or_default());
        if home.join(home::STATUS).exists() {
            Ok((home, Some(error)))
        } else {
            Err(error)
        }
    }

    pub(crate) fn cards(&self) -> PathBuf {
        self.folder().join(home::CARDS)
    }

    pub(crate) fn agreements(&self) -> PathBuf {
        self.folder().join(home::AGREEMENTS)
    }

    /// `cards/PARTY.card.amanah`
    pub(crate) fn card(&self, party: &PartyId) -> PathBuf {
        self.cards().join(papers::card_name(party))
    }

    /// `cards/PARTY.NUMBER.card.amanah`, or `cards/PARTY.card.amanah` for the first.
    pub(crate) fn card_numbered(&self, party: &PartyId, number: u32) -> PathBuf {
        match number {
            1 => self.card(party),
            _ => self
                .cards()
                .join(format!("{party}.{number}{}", papers::CARD)),
        }
    }

    /// Whether an agreement was loaded here before: then its signatures were judged.
    pub(crate) fn judged(&self) -> BTreeSet<Digest> {
        let home = self.config().map(|config| config.home);
        home.map_or_else(|_| BTreeSet::new(), |home| judged::as_published(&home))
    }

    /// Our signing keys, and those of them that may sign now, the one to sign with first.
    pub(crate) fn signing(&self, config: &Config) -> Outcome<(OwnKeys, Vec<PublicKey>)> {
        let order = self.keyring()?.signing_order(&config.party, papers::now());
        Ok((config.keys.signing()?, order))
    }

    /// Says whose card is missing, before a command needs it.
    pub(crate) fn demand_card(&self, party: &PartyId, screen: &Screen<'_>) -> Outcome<()> {
        if self.card(party).exists() {
            return Ok(());
        }
        Err(screen.failure(Exit::Missing, setup::NO_CARD, &[party]))
    }

    /// Every card that somebody put into `cards/`, each verified, and those that came by wire and count by the chain.
    pub(crate) fn keyring(&self) -> Outcome<Keyring> {
        Ok(self.trusted()?.keyring)
    }

    /// The same, with what a person must look at.
    pub(crate) fn trusted(&self) -> Outcome<Trusted> {
        let mut trusted = Trusted::default();
        for path in papers::in_folder(&self.cards(), papers::CARD)? {
            trusted.keyring.trust(papers::read_card(&path)?);
        }
        if let Ok(config) = self.config() {
            for peer in &config.peers {
                let came = cards::came(&config.home, &peer.party);
                cards::follow(came, &peer.party, &mut trusted);
            }
        }
        Ok(trusted)
    }

    /// The configuration's language when there is a configuration, else the environment's.
    pub(crate) fn language(&self) -> Language {
        let configured = self.config().ok().map(|config| config.language);
        let locales = ["LC_ALL", "LC_MESSAGES", "LANG"].map(|name| std::env::var(name).ok());
        choose(configured, &locales)
    }
}

/// POSIX: of LC_ALL, LC_MESSAGES, LANG the first that is set and not empty.
fn choose(configured: Option<Language>, locales: &[Option<String>]) -> Language {
    configured.unwrap_or_else(|| {
        let locale = locales.iter().flatten().find(|locale| !locale.is_empty());
        Language::of_locale(locale.map_or("", String::as_str))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_wins_over_the_locale_and_the_first_locale_counts() {
        let locales = [None, Some(String::new()), Some("id_ID.UTF-8".to_owned())];
        assert_eq!(choose(None, &locales), Language::Indonesian);
        assert_eq!(choose(Some(Language::English), &locales), Language::English);
        let english = [Some("C".to_owned()), None, Some("id_ID".to_owned())];
        assert_eq!(choose(None, &english), Language::English);
        assert_eq!(choose(None, &[]), Language::English);
    }
}
