//! The ground of a group: one real receiving daemon, and somebody with the sender's keys who pushes. What must hold after each
//! case is checked here: the answer and its repetition, the signature, the inbox, the tree around, memory, a good bundle after.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use amanah_format::card::VerifiedCard;
use amanah_format::home;
use amanah_format::keyring::Keyring;
use amanah_format::receipt::{Outcome, VerifiedReceipt};
use amanah_tests::exchange::{Exchange, PATIENCE, inbox_tree};
use amanah_tests::intruder::{Answer, Intruder};
use amanah_tests::waiting::until;
use anyhow::{Context, Result, bail, ensure};

use super::Expect;
use super::limits::Used;
use super::workshop::{Bundle, Workshop, now};
use crate::program;

/// Longest time from an answer to an empty staging.
const SWEEP: Duration = Duration::from_secs(10);
/// What is told to operators of bundles that were refused.
const NOTES: &str = "quarantine";
/// Where a database for tables lies, if there is one.
const STORE: &str = "store";
/// Where a receiver's home may change: the rest of the ground stays as it was.
const OWN: [&str; 10] = [
    home::SPOOL,
    home::RECEIPTS,
    home::LEDGER,
    home::STATUS,
    home::RETENTION,
    home::DESTRUCTIONS,
    home::INBOX,
    NOTES,
    STORE,
    "imigrasi.log",
];

type Maker = dyn Fn(&Workshop) -> Result<Bundle>;

/// One named case.
pub(super) struct Case {
    name: String,
    expect: Expect,
    make: Box<Maker>,
}

pub(super) fn case(
    name: &str,
    expect: Expect,
    make: impl Fn(&Workshop) -> Result<Bundle> + 'static,
) -> Case {
    Case {
        name: name.to_owned(),
        expect,
        make: Box::new(make),
    }
}

/// A receiving daemon and who pushes at it.
pub(super) struct Ground {
    pub(super) intruder: Intruder,
    pub(super) exchange: Exchange,
    pub(super) shop: Workshop,
    keyring: Keyring,
    around: BTreeMap<PathBuf, u32>,
    /// What the daemon had used when the first case came, and the most that one case cost it.
    before: Used,
    cpu_max: Duration,
    pub(super) tried: BTreeSet<String>,
    pub(super) wrong: Vec<String>,
}

/// The peer's card as the sender has it, and a connection with the sender's key.
fn connected(exchange: &Exchange, shop: &Workshop) -> Result<(VerifiedCard, Intruder)> {
    let (phu, address) = (&exchange.pair.phu, exchange.pair.address);
    let cards = phu.folder().join(home::CARDS);
    let card = fs::read(cards.join(home::card_file(&shop.way.to)))?;
    let card = VerifiedCard::verify(&card)?;
    let intruder = Intruder::connect(phu, address, &card)?;
    Ok((card, intruder))
}

impl Ground {
    pub(super) fn new() -> Self {
        Self::with(Exchange::found(program()).unwrap())
    }

    pub(super) fn with(mut exchange: Exchange) -> Self {
        exchange.pair.imigrasi.start().unwrap();
        let shop = Workshop::of(&exchange).unwrap();
        let (card, intruder) = connected(&exchange, &shop).unwrap();
        let mut keyring = Keyring::default();
        keyring.trust(card);
        let before = Used::by(&exchange.pair.imigrasi).unwrap();
        let mut ground = Self {
            before,
            cpu_max: Duration::ZERO,
            intruder,
            shop,
            keyring,
            around: BTreeMap::new(),
            tried: BTreeSet::new(),
            wrong: Vec::new(),
            exchange,
        };
        ground.settle_down();
        ground
    }

    /// The daemon dies as in a power cut and comes back, and the sender dials it anew.
    pub(super) fn restart(&mut self) {
        self.exchange.pair.imigrasi.kill().unwrap();
        self.exchange.pair.imigrasi.start().unwrap();
        let (_, intruder) = connected(&self.exchange, &self.shop).unwrap();
        self.intruder = intruder;
        self.before = Used::by(&self.exchange.pair.imigrasi).unwrap();
    }

    /// From here on nothing around may change.
    pub(super) fn settle_down(&mut self) {
        self.around = self.surroundings();
    }

    /// Tries a whole table, then a good bundle.
    pub(super) fn all(group: &str, cases: Vec<Case>) {
        let mut ground = Self::new();
        for case in cases {
            let bundle = (case.make)(&ground.shop).unwrap();
            ground.attempt(&case.name, &bundle, case.expect);
        }
        ground.end(group);
    }

    /// One case: pushed twice, and looked at from all sides.
    pub(super) fn attempt(&mut self, name: &str, bundle: &Bundle, expect: Expect) {
        assert!(self.tried.insert(name.to_owned()), "{name} twice");
        let cost = self.judged(bundle, expect);
        if let Err(error) = cost.map(|cpu| self.cpu_max = self.cpu_max.max(cpu)) {
            self.wrong
                .push(format!("{name}: {expect:?} expected: {error:#}"));
        }
    }

    /// What it cost.
    fn judged(&mut self, bundle: &Bundle, expect: Expect) -> Result<Duration> {
        let used = Used::by(&self.exchange.pair.imigrasi)?;
        let before = inbox_tree(&self.exchange.pair.imigrasi)?;
        let first = self.answer(bundle, expect)?;
        let again = self.answer(bundle, expect).context("the second time")?;
        ensure!(first == again, "another answer the second time");
        ensure!(
            !self.exchange.pair.imigrasi.has_ended()?,
            "the daemon ended"
        );
        let staging = self.exchange.pair.imigrasi.path(home::INBOX_STAGING);
        until("an empty staging", SWEEP, || {
            Ok(below(&staging).is_empty().then_some(()))
        })?;
        let after = inbox_tree(&self.exchange.pair.imigrasi)?;
        if let Expect::Door(_) = expect {
            let parts = below(
                &self
                    .exchange
                    .pair
                    .imigrasi
                    .path(&home::incoming(&self.shop.way.from)),
            );
            ensure!(parts.is_empty(), "parts are left: {parts:?}");
        }
        if expect == Expect::Imported {
            ensure!(after.len() > before.len(), "nothing was imported");
        } else {
            ensure!(after == before, "something was imported");
        }
        let around = self.surroundings();
        let differs = |(path, mode): &(&PathBuf, &u32)| self.around.get(*path) != Some(*mode);
        let new: Vec<_> = around.iter().filter(differs).collect();
        ensure!(new.is_empty(), "outside the home's own places: {new:?}");
        ensure!(around.len() == self.around.len(), "something is gone");
        let declared = u64::try_from(bundle.bytes.len())?;
        Used::by(&self.exchange.pair.imigrasi)?.since(&used, declared)
    }

    /// Pushes it, and checks what comes; the exact receipt where there is one.
    fn answer(&mut self, bundle: &Bundle, expect: Expect) -> Result<Option<Vec<u8>>> {
        let answer = self.intruder.push(bundle.manifest, &bundle.bytes)?;
        match (expect, answer) {
            (Expect::Door(code), Answer::Denied(found)) => {
                ensure!(found == code, "denied with {found}");
                self.without_receipt(bundle)
            }
            (Expect::Held(reason), Answer::Taken) => {
                let manifest = bundle.manifest.to_string();
                let receiver = &mut self.exchange.pair.imigrasi;
                receiver.wait_for("the hold", PATIENCE, |status| {
                    let mut all = status.incoming.iter();
                    let one = all.find(|one| one.manifest == manifest)?;
                    (one.held.as_deref() == Some(reason)).then_some(())
                })?;
                self.without_receipt(bundle)
            }
            (Expect::Refused(code), Answer::Taken) => self.receipt(bundle, Some(code)).map(Some),
            (Expect::Imported | Expect::Known, Answer::Taken) => {
                self.receipt(bundle, None).map(Some)
            }
            (_, answer) => bail!("the answer was {answer:?}"),
        }
    }

    fn without_receipt(&self, bundle: &Bundle) -> Result<Option<Vec<u8>>> {
        let offered = self.intruder.is_receipt_offered(bundle.manifest)?;
        ensure!(!offered, "a receipt was signed");
        Ok(None)
    }

    fn receipt(&self, bundle: &Bundle, code: Option<&str>) -> Result<Vec<u8>> {
        let container = self.intruder.receipt(bundle.manifest)?;
        let verified = VerifiedReceipt::verify(&container, &self.keyring, now())?;
        let receipt = verified.receipt();
        ensure!(receipt.manifest == bundle.manifest, "for another bundle");
        let found = receipt.refusal.map(amanah_format::refusal::Refusal::code);
        ensure!(
            found == code,
            "the receipt says {:?} {found:?}",
            receipt.outcome
        );
        ensure!(
            (receipt.outcome == Outcome::Imported) == code.is_none(),
            "no success"
        );
        Ok(container)
    }

    /// Everything on the ground but what the receiver's home may change, with its kind and mode.
    fn surroundings(&self) -> BTreeMap<PathBuf, u32> {
        let ground = self.exchange.folder();
        let home = self.exchange.pair.imigrasi.home();
        let is_own = |path: &Path| {
            let name = path.strip_prefix(home).unwrap_or(path).to_string_lossy();
            let published = name.starts_with(".amanah-tmp-");
            let owns = |own| path.starts_with(home.join(own)) || path == ground.join(own);
            published || OWN.iter().any(owns)
        };
        below(ground)
            .into_iter()
            .filter(|(path, _)| !is_own(path))
            .collect()
    }

    /// What must hold at the end, whatever was pushed; says how many cases were tried.
    pub(super) fn end(mut self, group: &str) {
        self.good();
        self.told(group);
    }

    /// A good bundle is imported still.
    pub(super) fn good(&mut self) {
        let good = self
            .shop
            .seal(&self.shop.draft(&[("baik.txt", b"baik")]))
            .unwrap();
        self.attempt("a good bundle afterwards", &good, Expect::Imported);
    }

    /// Memory, what was left where, and everything that went wrong.
    pub(super) fn told(mut self, group: &str) {
        let used = Used::by(&self.exchange.pair.imigrasi).unwrap();
        for (path, mode) in below(self.exchange.pair.imigrasi.home()) {
            let (kind, rights) = (mode & 0o170_000, mode & 0o7_777);
            let is_plain = kind == 0o100_000 && rights & 0o7_111 == 0 || kind == 0o040_000;
            if !is_plain && !path.starts_with(self.exchange.pair.imigrasi.home().join("requests")) {
                self.wrong
                    .push(format!("left: {} {mode:o}", path.display()));
            }
        }
        println!(
            "bad input, {group}: {} cases, at most {:?} for one, peak {} KiB",
            self.tried.len(),
            self.cpu_max,
            used.peak_kib
        );
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        used.holds_no_more_than(&self.before).unwrap();
    }
}

/// All below a folder with kind and mode, following no link; empty where there is none.
pub(super) fn below(folder: &Path) -> BTreeMap<PathBuf, u32> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        found.insert(entry.path(), metadata.permissions().mode());
        if metadata.is_dir() {
            found.extend(below(&entry.path()));
        }
    }
    found
}
