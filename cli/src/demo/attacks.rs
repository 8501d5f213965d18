//! The demo attacks itself: with the sender's own keys, over its own connection, it tries what must never work. Each attempt
//! says what was expected and what came, and that the inbox is as it was before.

use std::path::PathBuf;
use std::time::Duration;

use amanah_format::agreement::{Agreement, AgreementFile};
use amanah_format::card::VerifiedCard;
use amanah_format::container;
use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::id::{FlowName, PartyId};
use amanah_format::limits::DOCUMENT_BYTES_MAX;
use amanah_format::manifest::AgreementRef;
use amanah_format::recipient::Recipient;
use amanah_format::signature::SecretKey;
use amanahd::clock::Clock;
use anyhow::{Context, Result, bail};

pub use super::attempt::{Attack, Kind};
use super::exchange::{Arrived, RETURNED, drop_item, inbox_tree, until_settled};
use super::forge::{Claim, flip_a_bit, forge};
use super::intruder::{Answer, Intruder};
use super::items::{Item, Way, tree_of};
use super::launch::Ran;
use super::pair::Pair;
use super::{attempt, pilgrims};

/// Longest wait for a step of an attack.
const STEP: Duration = Duration::from_secs(60);
/// A party that neither of the two is.
const STRANGER: &str = "pihak-lain";
/// A flow that the agreement does not list.
const NOT_AGREED: &str = "data-keluarga";
/// Seed of the manifests that are dropped here.
const SEED: u64 = 900;

/// The attacks, one after the other; the sender is paused meanwhile.
pub struct Siege<'a> {
    pair: &'a mut Pair,
    way: Way,
    folder: PathBuf,
    agreement: Agreement,
    reference: AgreementRef,
    card: VerifiedCard,
    signing: SecretKey,
}

impl<'a> Siege<'a> {
    /// Against the receiver of this direction; what is forged and what it gets is kept in `folder`.
    ///
    /// # Errors
    /// A card, key or agreement cannot be read.
    pub fn new(pair: &'a mut Pair, way: Way, folder: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let phu = &pair.phu;
        let file = home::agreement_file(&pair.agreement()?, 1);
        let file = std::fs::read(phu.folder().join(home::AGREEMENTS).join(file))
            .context("the agreement")?;
        let file = AgreementFile::parse(&file)?;
        let agreement = file.agreement()?;
        let card = std::fs::read(
            phu.folder()
                .join(home::CARDS)
                .join(home::card_file(&way.to)),
        )?;
        Ok(Self {
            reference: AgreementRef {
                id: agreement.id.clone(),
                version: agreement.version,
                digest: file.digest(),
            },
            card: VerifiedCard::verify(&card)?,
            signing: SecretKey::from_openssh(&std::fs::read_to_string(
                phu.folder().join(home::KEY_SIGNING),
            )?)?,
            agreement,
            pair,
            way,
            folder,
        })
    }

    /// All of them. `told` hears of each, and of the commands; returns what the paused sender delivered in the end.
    ///
    /// # Errors
    /// One could not be tried at all, or the true bundle did not arrive after all.
    pub fn run(
        mut self,
        delivered: &Arrived,
        told: &mut dyn FnMut(Event<'_>) -> Result<()>,
    ) -> Result<Arrived> {
        let way = self.way.clone();
        told(Event::Command(
            &self.pair.phu.run(&["pause", way.to.as_str()])?,
        ))?;
        self.pair
            .phu
            .wait_for_peer("the pause", &way.to, |peer| peer.paused && !peer.connected)?;
        let held_back = self.hold_back()?;
        let intruder = Intruder::connect(&self.pair.phu, self.pair.address, &self.card)?;
        let before = inbox_tree(&self.pair.imigrasi)?;
        for attempt in [
            Self::flipped_bit,
            Self::unknown_signer,
            Self::wrong_recipient,
            Self::flow_not_agreed,
            Self::replay,
        ] {
            let mut attack = attempt(&self, &intruder, delivered)?;
            attack.imported = inbox_tree(&self.pair.imigrasi)? != before;
            attack.way = self.arrow();
            told(Event::Attack(&attack))?;
        }
        drop(intruder);
        told(Event::Command(
            &self.pair.phu.run(&["resume", way.to.as_str()])?,
        ))?;
        let arrived = until_settled(&mut self.pair.phu, &[held_back], STEP, &mut |_| {})?;
        let attack = self.dropped_in_no_flow()?;
        told(Event::Attack(&attack))?;
        arrived
            .into_iter()
            .next()
            .context("the bundle that was held back")
    }

    /// Drops an item while the sender is paused: its sealed bundle waits in the queue.
    fn hold_back(&mut self) -> Result<super::exchange::Dropped> {
        let material = self.folder.join("ditahan-lalu-dikirim.csv");
        std::fs::write(&material, pilgrims::manifest(SEED, 300))?;
        let dropped = drop_item(&self.pair.phu, self.item(material)?)?;
        self.pair
            .phu
            .wait_for("the bundle in the queue", STEP, |status| {
                status
                    .outgoing
                    .iter()
                    .any(|bundle| bundle.state == "queued")
                    .then_some(())
            })?;
        Ok(dropped)
    }

    fn item(&self, material: PathBuf) -> Result<Item> {
        Ok(Item {
            from: self.way.from.clone(),
            to: self.way.to.clone(),
            flow: self.way.flow.clone(),
            name: material.file_name().unwrap_or_default().to_owned(),
            tree: tree_of(&material)?,
            material,
        })
    }

    /// A bundle that waits in the sender's queue, with one bit turned over on its way.
    fn flipped_bit(&self, intruder: &Intruder, _: &Arrived) -> Result<Attack> {
        let queue = self.pair.phu.path(&home::queue(&self.way.to));
        let path = std::fs::read_dir(&queue)?
            .next()
            .context("nothing in the queue")??
            .path();
        let hex = path
            .file_stem()
            .context("a bundle without a name")?
            .to_string_lossy()
            .into_owned();
        let answer = intruder.push(Digest::from_hex(&hex)?, &flip_a_bit(std::fs::read(&path)?)?)?;
        Ok(Attack::answered(&attempt::FLIPPED_BIT, answer))
    }

    /// Well formed in every way, but signed by a key that is on no card.
    fn unknown_signer(&self, intruder: &Intruder, _: &Arrived) -> Result<Attack> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        let bundle = forge(
            &self.claim(&self.way.to, &self.way.flow)?,
            &SecretKey::from_seed(&seed),
        )?;
        let answer = intruder.push(bundle.manifest, &bundle.bytes)?;
        if intruder.is_receipt_offered(bundle.manifest)? {
            bail!("a bundle by an unknown signer got a receipt");
        }
        Ok(Attack::answered(&attempt::UNKNOWN_SIGNER, answer))
    }

    /// Signed by the sender itself, but for another party.
    fn wrong_recipient(&self, intruder: &Intruder, _: &Arrived) -> Result<Attack> {
        let claim = self.claim(&STRANGER.parse()?, &self.way.flow)?;
        self.refused(intruder, &claim, &attempt::WRONG_RECIPIENT)
    }

    /// Signed by the sender itself, but in a flow that nobody agreed to.
    fn flow_not_agreed(&self, intruder: &Intruder, _: &Arrived) -> Result<Attack> {
        let claim = self.claim(&self.way.to, &NOT_AGREED.parse()?)?;
        self.refused(intruder, &claim, &attempt::FLOW_NOT_AGREED)
    }

    /// What gets a signed refusal: its receipt is fetched, kept and verified.
    fn refused(&self, intruder: &Intruder, claim: &Claim, kind: &'static Kind) -> Result<Attack> {
        let bundle = forge(claim, &self.signing)?;
        let answer = intruder.push(bundle.manifest, &bundle.bytes)?;
        if answer != Answer::Taken {
            return Ok(Attack::answered(kind, answer));
        }
        let receipt = intruder.receipt(bundle.manifest)?;
        let path = self
            .folder
            .join(amanah_format::receipt::name(&bundle.manifest));
        std::fs::write(&path, &receipt)?;
        self.pair.phu.run(&["verify".as_ref(), path.as_os_str()])?;
        Ok(Attack {
            got: outcome_in(&receipt)?,
            evidence: Some(path),
            ..Attack::answered(kind, answer)
        })
    }

    /// A bundle that was imported before, bit by bit.
    fn replay(&self, intruder: &Intruder, delivered: &Arrived) -> Result<Attack> {
        let (phu, to) = (&self.pair.phu, &self.way.to);
        let bundle = std::fs::read(phu.archived(to, &delivered.manifest))?;
        let path = phu.receipt(to, &delivered.manifest);
        let first = std::fs::read(&path)?;
        let answer = intruder.push(delivered.manifest, &bundle)?;
        let got = match answer {
            Answer::Taken if intruder.receipt(delivered.manifest)? == first => {
                "the same receipt".to_owned()
            }
            Answer::Taken => "another receipt".to_owned(),
            Answer::Denied(code) => code,
        };
        Ok(Attack {
            got,
            evidence: Some(path),
            ..Attack::answered(&attempt::REPLAY, Answer::Taken)
        })
    }

    /// An operator's drop into a folder that is no agreed flow: it comes back with the reason, and never leaves.
    fn dropped_in_no_flow(&mut self) -> Result<Attack> {
        let material = self.folder.join("kartu keluarga.csv");
        std::fs::write(&material, pilgrims::manifest(SEED + 1, 3))?;
        let mut item = self.item(material)?;
        item.flow = NOT_AGREED.parse()?;
        let before = inbox_tree(&self.pair.imigrasi)?;
        let place = self.pair.phu.path(&home::returned(&item.to, &item.flow));
        let name = item.name.to_string_lossy().into_owned();
        drop_item(&self.pair.phu, item)?;
        let reason = self
            .pair
            .phu
            .wait_for("the returned item", STEP, |status| returned(status, &name))?;
        let why = place.join(home::why_name(&name));
        if tree_of(&place.join(&name))?.is_empty() || std::fs::read_to_string(&why)?.is_empty() {
            bail!("{}: returned without its bytes or reason", place.display());
        }
        Ok(Attack {
            got: format!("{RETURNED} {reason}"),
            way: self.arrow(),
            imported: inbox_tree(&self.pair.imigrasi)? != before,
            evidence: Some(why),
            ..Attack::answered(&attempt::DROP_NOT_AGREED, Answer::Taken)
        })
    }

    fn arrow(&self) -> String {
        format!("{} → {}", self.way.from, self.way.to)
    }

    fn claim(&self, to: &PartyId, flow: &FlowName) -> Result<Claim> {
        let agreed = self.agreement.flow(&self.way.flow).context("the flow")?;
        let now = Clock::default().now();
        let recipients = self
            .card
            .card()
            .keys
            .decryption
            .iter()
            .filter(|key| key.at(now));
        let recipients: Vec<Recipient> = recipients.map(|key| key.key.clone()).collect();
        Ok(Claim {
            from: self.way.from.clone(),
            to: to.clone(),
            flow: flow.clone(),
            agreement: self.reference.clone(),
            purpose: agreed
                .purpose
                .first()
                .context("a flow without a purpose")?
                .clone(),
            recipients,
        })
    }
}

/// What happens during the siege.
pub enum Event<'a> {
    /// A command of the sender was run.
    Command(&'a Ran),
    /// An attempt ended.
    Attack(&'a Attack),
}

/// `imported`, or `refused CODE`, as a receipt says.
fn outcome_in(receipt: &[u8]) -> Result<String> {
    let files = container::unpack_small(receipt, DOCUMENT_BYTES_MAX)?;
    let (_, text) = files.first().context("an empty receipt")?;
    let receipt: serde_json::Value = serde_json::from_slice(text)?;
    let word = |name: &str| {
        receipt
            .get(name)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    Ok(format!("{} {}", word("outcome"), word("refusal"))
        .trim_end()
        .to_owned())
}

/// Why an item of this name came back; none before it has.
pub(super) fn returned(status: &amanahd::snapshot::Snapshot, name: &str) -> Option<String> {
    let carries = |bundle: &&amanahd::snapshot::OutgoingStatus| {
        bundle.state == RETURNED && bundle.items.iter().any(|item| item.name == name)
    };
    status.outgoing.iter().find(carries)?.return_reason.clone()
}
