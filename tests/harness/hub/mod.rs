//! One real daemon as the hub of many peers. The peers are no daemons: each is the client side of the wire, its keys and its
//! stream, driven in this process, so that two hundred fit on a small machine. SSH, SFTP, seals and receipts are real.

mod papers;
mod peer;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use amanah::demo::launch::Launch;
use amanah::demo::ministry::Ministry;
use amanah::demo::pair::free_address;
use amanah_format::card::VerifiedCard;
use amanah_format::home;
use amanah_format::keyring::Keyring;
use amanah_format::signature::SecretKey;
use amanahd::config::edit;
use anyhow::{Context, Result, anyhow};
use tempfile::TempDir;

pub use self::peer::{Bundle, Peer};

/// The hub's party id.
const HUB: &str = "pusat";

/// The hub; its daemon ends before its ground goes.
pub struct Hub {
    /// Its daemon.
    pub ministry: Ministry,
    /// Where it listens.
    pub address: SocketAddr,
    _ground: TempDir,
}

impl Hub {
    /// A hub that knows so many peers, each with one flow to it, and whose daemon runs.
    ///
    /// # Errors
    /// A command fails, or papers cannot be made.
    pub fn of(program: &Path, peers: usize) -> Result<(Self, Vec<Peer>)> {
        let ground = tempfile::Builder::new().prefix("amanah-test-").tempdir()?;
        let address = free_address()?;
        let place = ground.path().join(HUB);
        let ministry = Ministry::new(Launch::of(program), place.clone(), HUB.parse()?);
        crate::papers::found(&ministry, Some(address))?;
        let own = fs::read(
            place
                .join(home::CARDS)
                .join(home::card_file(ministry.party())),
        )?;
        let own = VerifiedCard::verify(&own)?;
        let key = SecretKey::from_openssh(&fs::read_to_string(place.join(home::KEY_SIGNING))?)?;
        let config = place.join(home::CONFIG);
        let mut text = fs::read_to_string(&config)?;
        let mut all = Vec::new();
        for number in 1..=peers {
            let mut keyring = Keyring::default();
            keyring.trust(VerifiedCard::verify(own.container())?);
            let party = format!("daerah-{number:03}").parse()?;
            let papers = papers::of(&party, (&own, &key))?;
            let cards = place.join(home::CARDS).join(home::card_file(&party));
            fs::write(cards, &papers.card)?;
            let agreement = home::agreement_file(&papers.agreement.id, 1);
            let agreements = place.join(home::AGREEMENTS).join(agreement);
            fs::write(agreements, &papers.agreed)?;
            text = edit::with_peer(&text, &party, None).map_err(|reason| anyhow!(reason))?;
            all.push(Peer::new(papers, (Arc::new(keyring), address)));
        }
        fs::write(config, text)?;
        let mut hub = Self {
            ministry,
            address,
            _ground: ground,
        };
        hub.ministry.start().context("the hub")?;
        Ok((hub, all))
    }
}
