//! What happens to an item in the very moment in which it is claimed, opened or read: the daemon stands still at a named instant
//! of SPOOL.md while somebody who may write to the outbox changes, takes away or exchanges what is there. What is sent is
//! whole and as it lay there in the end; what may not be sent comes back; another's file never leaves.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE, files_below};
use amanah_tests::gate::{Gate, HOLD_IN};
use amanah_tests::waiting::until;
use anyhow::{Context, Result, ensure};

use super::limits::Used;
use crate::program;

mod cases;

use cases::{Case, End, Scene, before_it_is_aside, while_it_is_read};

/// What no operator may read; a canary.
const SECRET: &str = "bukan milik operator";

/// What goes back into the outbox is taken up again at once.
const QUIET: &str = "\n[outbox]\nquiet_secs_files = 0\nquiet_secs_folders = 0\n";

/// Both daemons, the sender with gates, and what it must not send.
struct Office {
    exchange: Exchange,
    gates: PathBuf,
    secret: PathBuf,
    secrets: PathBuf,
    wrong: Vec<String>,
}

impl Office {
    fn new() -> Result<Self> {
        let mut exchange = Exchange::found(program())?;
        let ground = exchange.folder().to_owned();
        let (gates, secrets) = (ground.join("gerbang"), ground.join("rahasia"));
        fs::create_dir(&gates)?;
        fs::create_dir(&secrets)?;
        let secret = secrets.join("rahasia.txt");
        fs::write(&secret, SECRET)?;
        exchange.pair.imigrasi.start()?;
        let config = exchange.pair.phu.folder().join(home::CONFIG);
        let mut text = fs::read_to_string(&config)?;
        text.push_str(QUIET);
        fs::write(&config, text)?;
        let phu = &mut exchange.pair.phu;
        let launch = phu.launch().clone();
        let gates_text = gates.to_str().context("a path")?;
        phu.launch_daemon(&launch.with(HOLD_IN, gates_text))?;
        phu.until_up()?;
        exchange.pair.until_connected()?;
        Ok(Self {
            exchange,
            gates,
            secret,
            secrets,
            wrong: Vec::new(),
        })
    }

    fn outbox(&self) -> PathBuf {
        let way = &self.exchange.out;
        self.exchange.pair.phu.outbox(&way.to, &way.flow)
    }

    /// Drops it, waits for the instant, changes it, and lets the daemon go on.
    fn play(&mut self, case: &Case) -> Result<()> {
        let (gate, name) = (Gate::shut(&self.gates, case.point)?, item_name(case));
        let way = self.exchange.out.clone();
        let item = self.exchange.item(&way, &name, case.files)?;
        item.drop_into(&self.outbox())?;
        gate.until_reached()?;
        let scene = Scene {
            item: self.place_of(&name)?,
            aside: self.outbox().join(format!(".lain-{name}")),
            secret: &self.secret,
            secrets: &self.secrets,
        };
        (case.change)(&scene)?;
        drop(gate);
        let found = self.end_of(&name, &case.end)?;
        ensure!(
            found == case.end,
            "{:?} expected, {found:?} found",
            case.end
        );
        Ok(())
    }

    /// Where the item is: under its own name, or aside.
    fn place_of(&self, name: &str) -> Result<PathBuf> {
        let own = self.outbox().join(name);
        if own.exists() {
            return Ok(own);
        }
        let entries = fs::read_dir(self.outbox())?;
        let paths = entries.flatten().map(|entry| entry.path());
        let mut claims = paths.filter(|path| {
            let name = path.file_name().unwrap_or_default();
            name.as_encoded_bytes()
                .starts_with(home::CLAIM_PREFIX.as_bytes())
        });
        claims.next().context("a claim")
    }

    /// What became of the item, once nothing more happens to it.
    fn end_of(&mut self, name: &str, expected: &End) -> Result<End> {
        if *expected == End::Gone {
            // A good item after it: so many scans later nothing of this one was taken up again.
            self.passes_on(&format!("sesudah {name}"))?;
        }
        let phu = &mut self.exchange.pair.phu;
        let (state, reason) = phu.wait_for(name, PATIENCE, |status| {
            let all = status.outgoing.iter();
            let ours = all.filter(|one| one.items.iter().any(|item| item.name == name));
            let mut ends = ours.map(|one| (one.state.clone(), one.return_reason.clone()));
            let done = |(state, _): &(String, _)| ["settled", "returned"].contains(&&**state);
            match expected {
                End::Gone => ends
                    .find(|(state, _)| state != "put-back")
                    .or(Some(Default::default())),
                End::Sent(_) | End::Returned(_) => ends.find(done),
            }
        })?;
        match (state.as_str(), reason) {
            ("", _) => Ok(End::Gone),
            ("settled", _) => Ok(End::Sent(self.arrived(name)?)),
            (_, reason) => {
                let codes = ["not-a-file", "folder-empty", "name-not-portable"];
                let reason = reason.unwrap_or(state);
                let known = codes.into_iter().find(|code| *code == reason);
                known.map(End::Returned).context(reason)
            }
        }
    }

    /// A good item goes its way.
    fn passes_on(&mut self, name: &str) -> Result<()> {
        let way = self.exchange.out.clone();
        let good = self.exchange.drop_text(&way, name, "baik")?;
        self.exchange.settled(&[good]).map(drop)
    }

    /// All files of this item at the receiver, of whatever bundle, by their paths below it.
    fn arrived(&self, name: &str) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
        let way = &self.exchange.out;
        let receiver = &self.exchange.pair.imigrasi;
        let inbox = receiver
            .path(home::INBOX)
            .join(way.from.as_str())
            .join(way.flow.as_str());
        let mut files = BTreeMap::new();
        for path in files_below(&inbox)? {
            // BUNDLE-ID/NAME, or BUNDLE-ID/NAME/ENTRY
            let below: PathBuf = path.strip_prefix(&inbox)?.components().skip(1).collect();
            if let Ok(entry) = below.strip_prefix(name) {
                let twice = files.insert(entry.to_owned(), fs::read(&path)?);
                ensure!(twice.is_none(), "{below:?} came twice");
            }
        }
        Ok(files)
    }

    /// No file of the receiver holds what is another's.
    fn keeps_the_secret(&mut self) -> Result<()> {
        ensure!(
            fs::read_to_string(&self.secret)? == SECRET,
            "it was changed"
        );
        for path in files_below(&self.exchange.pair.imigrasi.path(home::INBOX))? {
            let holds = String::from_utf8_lossy(&fs::read(&path)?).contains(SECRET);
            ensure!(!holds, "it left, as {}", path.display());
        }
        Ok(())
    }
}

/// A name that no rule of ours forbids.
fn item_name(case: &Case) -> String {
    case.name.replace(": ", " - ")
}

fn play_all(group: &str, cases: &[Case]) {
    let mut office = Office::new().unwrap();
    let before = Used::by(&office.exchange.pair.phu).unwrap();
    for case in cases {
        if let Err(error) = office.play(case) {
            office.wrong.push(format!("{}: {error:#}", case.name));
        }
    }
    office.keeps_the_secret().unwrap();
    let used = Used::by(&office.exchange.pair.phu).unwrap();
    let cpu = used.since(&before, 0).unwrap();
    println!(
        "bad input, {group}: {} cases, {cpu:?}, peak {} KiB",
        cases.len(),
        used.peak_kib
    );
    assert!(office.wrong.is_empty(), "{}", office.wrong.join("\n"));
    office.passes_on("baik.csv").unwrap();
}

#[test]
fn what_is_exchanged_while_it_is_claimed_is_sent_whole_or_comes_back() {
    play_all("exchanged while claimed", &before_it_is_aside());
}

#[test]
fn what_changes_while_it_is_read_is_sent_whole_or_comes_back() {
    play_all("changed while read", &while_it_is_read());
}

/// It stands aside as the disk has it, and as far as the journal knows it does not: nothing is concluded from an outbox that is away.
#[test]
fn what_stood_aside_when_the_outbox_went_away_is_sent_under_its_own_name() {
    let mut office = Office::new().unwrap();
    let gate = Gate::shut(&office.gates, "collect.recorded").unwrap();
    let (way, name) = (office.exchange.out.clone(), "pergi.csv");
    let item = office.exchange.drop_text(&way, name, "pergi").unwrap();
    gate.until_reached().unwrap();
    let phu = &mut office.exchange.pair.phu;
    let bundle = phu.wait_for("the claim", PATIENCE, |status| {
        let mut all = status.outgoing.iter();
        let ours = all.find(|one| one.items.iter().any(|item| item.name == name))?;
        Some(ours.bundle.clone())
    });
    let claim = format!("{}{}-0", home::CLAIM_PREFIX, bundle.unwrap());
    let outbox = phu.path(home::OUTBOX);
    let away = outbox.with_extension("pergi");
    let folder = office.outbox();
    fs::rename(folder.join(name), folder.join(claim)).unwrap();
    fs::rename(&outbox, &away).unwrap();
    fs::write(&outbox, "").unwrap();
    drop(gate);
    let phu = &mut office.exchange.pair.phu;
    let failing = phu.wait_for("what fails", PATIENCE, |status| {
        let mut alarms = status.alarms.iter();
        let found = alarms.find(|alarm| alarm.code == "stage-failing");
        found.map(|alarm| alarm.subject.clone())
    });
    assert_eq!(failing.unwrap(), "collect");
    fs::remove_file(&outbox).unwrap();
    fs::rename(&away, &outbox).unwrap();
    office.exchange.settled(&[item]).unwrap();
}

/// Where the home was there is a folder in which a confined daemon may read nothing.
#[test]
fn what_is_sealed_when_the_home_goes_away_is_sent_when_it_is_back() {
    let mut office = Office::new().unwrap();
    let gate = Gate::shut(&office.gates, "collect.stood-aside").unwrap();
    let way = office.exchange.out.clone();
    let item = office.exchange.drop_text(&way, "pergi.csv", "pergi");
    let item = item.unwrap();
    gate.until_reached().unwrap();
    let phu = &office.exchange.pair.phu;
    let (home, log) = (phu.folder().to_owned(), phu.log());
    let away = home.with_extension("pergi");
    fs::rename(&home, &away).unwrap();
    fs::create_dir(&home).unwrap();
    drop(gate);
    // Or it was sealed before it went: sealing waits for no gate.
    until("sealing, or its failure", PATIENCE, || {
        let log = fs::read_to_string(&log)?;
        let tried = log.contains("stage=\"seal\"") || log.contains("event=\"sealed\"");
        Ok(tried.then_some(()))
    })
    .unwrap();
    fs::remove_dir(&home).unwrap();
    fs::rename(&away, &home).unwrap();
    office.exchange.settled(&[item]).unwrap();
}
