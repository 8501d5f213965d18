//! The ground of these tests: Imigrasi's real daemon, which listens, and a folder in which somebody at Penyelenggaraan Haji
//! dan Umrah works by hand: its transport key, the peer's host key, two sealed bundles. The peer has a bundle waiting for it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use amanah_format::card::VerifiedCard;
use amanah_format::{home, receipt};
use amanah_tests::exchange::{Arrived, Dropped, Exchange, PATIENCE};
use amanah_tests::items::Way;
use amanah_tests::pilgrims;

use crate::program;

/// Longest run of one command of a client, in seconds: what takes longer hangs.
const COMMAND_SECS_MAX: &str = "20";
/// How `timeout` ends where the command did not.
const HANGS: [i32; 2] = [124, 137];
/// Large enough that a client has many requests in flight, small enough for a test: a text that hardly compresses.
const NUMBERS: u64 = 200_000;

/// What a command printed, and whether it succeeded.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) success: bool,
    pub(super) printed: String,
}

impl Ran {
    /// Demands that it succeeded.
    pub(super) fn succeeded(self) -> String {
        assert!(self.success, "{}", self.printed);
        self.printed
    }

    /// Demands that it failed, and said something about it.
    pub(super) fn refused(self, what: &str) -> String {
        assert!(!self.success, "{what} was allowed: {}", self.printed);
        assert!(!self.printed.trim().is_empty(), "{what}: failed silently");
        self.printed
    }
}

/// The ground.
pub(super) struct Stage {
    exchange: Exchange,
    dropped: Vec<Dropped>,
    /// Two bundles for the peer, by their names on the wire: one a few MB long.
    pub(super) small: String,
    pub(super) large: String,
    /// What waits for us at the peer.
    pub(super) offer: String,
    folder: PathBuf,
}

impl Stage {
    pub(super) fn set() -> Self {
        Self::set_with(NUMBERS)
    }

    /// With so many lines in the large bundle.
    pub(super) fn set_with(lines: u64) -> Self {
        let mut exchange = Exchange::found(program()).unwrap();
        let (out, back) = (exchange.out.clone(), exchange.back.clone());
        exchange.pair.phu.start().unwrap();
        let (first, small) = sealed(&mut exchange, &out, &pilgrims::manifest(1, 50));
        let text = noise(2, lines);
        let (second, large) = sealed(&mut exchange, &out, &text);
        exchange.pair.phu.stop().unwrap();
        exchange.pair.imigrasi.start().unwrap();
        let text = noise(3, NUMBERS);
        let (_, offer) = sealed(&mut exchange, &back, &text);
        let folder = exchange.folder().join("klien");
        fs::create_dir(&folder).unwrap();
        let stage = Self {
            exchange,
            dropped: vec![first, second],
            small,
            large,
            offer,
            folder,
        };
        stage.furnish();
        stage
    }

    /// A place in the peer's home.
    pub(super) fn imigrasi(&self, place: &str) -> PathBuf {
        self.exchange.pair.imigrasi.path(place)
    }

    /// The name of the large bundle's file.
    pub(super) fn item(&self) -> &Path {
        Path::new(&self.dropped[1].item.name)
    }

    /// How long that is.
    pub(super) fn text_bytes(&self) -> u64 {
        fs::metadata(&self.dropped[1].item.material).unwrap().len()
    }

    /// What somebody needs who works by hand: the key, the host key from the peer's card, the bundles.
    fn furnish(&self) {
        let (phu, address) = (&self.exchange.pair.phu, self.exchange.pair.address);
        let key = self.path("transport");
        fs::copy(phu.folder().join(home::KEY_TRANSPORT), &key).unwrap();
        fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        let to = &self.exchange.out.to;
        let card = phu.folder().join(home::CARDS).join(home::card_file(to));
        let card = VerifiedCard::verify(&fs::read(card).unwrap()).unwrap();
        let (host, port) = (address.ip(), address.port());
        let host_key = &card.card().keys.transport[0].key;
        self.write("known_hosts", &format!("[{host}]:{port} {host_key}\n"));
        for name in [&self.small, &self.large] {
            fs::copy(phu.path(&home::queue(to)).join(name), self.path(name)).unwrap();
        }
    }

    /// A file in the folder where the client works.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The first `bytes` bytes of a bundle, as its file: what a cut transfer leaves, seen from the other side.
    pub(super) fn cut(&self, from: &Path, name: &str, bytes: usize) {
        let whole = fs::read(from).unwrap();
        fs::write(self.path(name), &whole[..bytes]).unwrap();
    }

    /// A script in that folder, ended when it takes too long. `bundle` is the name that its settings give.
    pub(super) fn command(&self, bundle: &str, script: &str) -> Command {
        let address = self.exchange.pair.address;
        let (host, port) = (address.ip(), address.port());
        self.write(
            "settings",
            &format!("host={host} port={port} party=phu key=transport\nname={bundle}\n"),
        );
        let mut command = Command::new("timeout");
        command
            .args(["-k", "1", COMMAND_SECS_MAX, "sh", "-c"])
            .arg(script);
        command.current_dir(&self.folder).stdin(Stdio::null());
        // No configuration or agent of whoever runs the tests.
        command
            .env("HOME", &self.folder)
            .env_remove("SSH_AUTH_SOCK");
        if script.contains("python3") {
            let before = std::env::var("PATH").unwrap();
            let path = format!("{}:{before}", super::paramiko::interpreter().display());
            command.env("PATH", path);
        }
        command
    }

    /// Runs such a script.
    pub(super) fn sh(&self, bundle: &str, script: &str) -> Ran {
        let mut command = self.command(bundle, script);
        let output = command.output().expect("coreutils has timeout");
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8_lossy(&printed).into_owned();
        let code = output.status.code();
        assert!(
            !code.is_some_and(|code| HANGS.contains(&code)),
            "it hangs: {script}\n{printed}"
        );
        Ran {
            success: output.status.success(),
            printed,
        }
    }

    /// The name of the receipt for a bundle.
    pub(super) fn receipt(bundle: &str) -> String {
        let digest = amanah_format::digest::Digest::from_hex(bundle.trim_end_matches(".amanah"));
        receipt::name(&digest.unwrap())
    }

    /// Waits until the peer has imported a bundle and offers its receipt: the very bytes.
    pub(super) fn answered(&mut self, bundle: &str) -> Vec<u8> {
        let digest = bundle.trim_end_matches(".amanah").to_owned();
        let imigrasi = &mut self.exchange.pair.imigrasi;
        let folder = imigrasi.path(&home::receipts_sent(&self.exchange.out.from));
        let place = folder.join(Self::receipt(bundle));
        imigrasi
            .wait_for("the receipt", PATIENCE, |status| {
                // Its file is there a moment before it is offered.
                let manifest = format!("sha256:{digest}");
                let mut all = status.incoming.iter();
                let row = all.find(|row| row.manifest == manifest)?;
                let is_offered = ["acknowledged", "delivered"].contains(&row.state.as_str());
                (is_offered && place.exists()).then_some(())
            })
            .unwrap_or_else(|error| panic!("{digest}: {error:#}"));
        fs::read(place).unwrap()
    }

    /// A receipt in the folder is one that the sender believes.
    pub(super) fn verifies(&self, receipt: &str) {
        let words = ["verify".into(), self.folder.join(receipt).into_os_string()];
        let ran = self.exchange.pair.phu.run(&words).unwrap();
        assert!(!ran.stdout.is_empty());
    }

    /// How much of a bundle lies at the peer, not handed over yet.
    pub(super) fn arrived_of(&self, bundle: &str) -> u64 {
        let folder = home::incoming(&self.exchange.out.from);
        let folder = self.exchange.pair.imigrasi.path(&folder);
        let part = fs::metadata(folder.join(format!("{bundle}.part")));
        part.map_or(0, |part| part.len())
    }

    /// The peer's copy of what waits for us.
    pub(super) fn offered(&self) -> PathBuf {
        let queue = home::queue(&self.exchange.back.to);
        self.exchange.pair.imigrasi.path(&queue).join(&self.offer)
    }

    /// The peer's daemon ends as in a power cut, and comes back.
    pub(super) fn restart_peer(&mut self) {
        self.exchange.pair.imigrasi.kill().unwrap();
        self.exchange.pair.imigrasi.start().unwrap();
    }

    /// Every file that a request of the client could have made, changed or removed at the peer.
    pub(super) fn touched(&self) -> BTreeSet<OsString> {
        let imigrasi = &self.exchange.pair.imigrasi;
        let places = [home::INCOMING, home::QUEUE, home::INBOX];
        let files =
            places.map(|place| amanah_tests::exchange::files_below(&imigrasi.path(place)).unwrap());
        files
            .into_iter()
            .flatten()
            .map(PathBuf::into_os_string)
            .collect()
    }

    /// Both daemons settle everything in the end: what went by hand was imported once, and its receipts verify.
    pub(super) fn settles(mut self) {
        self.exchange.pair.phu.start().unwrap();
        let arrived: Vec<Arrived> = self.exchange.settled(&self.dropped).unwrap();
        self.exchange.holds(&arrived).unwrap();
    }
}

/// Drops a text and waits for its sealed bundle in the sender's queue; its name.
fn sealed(exchange: &mut Exchange, way: &Way, text: &str) -> (Dropped, String) {
    let (sender, _) = exchange.pair.sender_and_receiver(&way.from);
    let queue = sender.path(&home::queue(&way.to));
    let before = names(&queue);
    let item = format!("{}.csv", text.len());
    let dropped = exchange.drop_text(way, &item, text).unwrap();
    let (sender, _) = exchange.pair.sender_and_receiver(&way.from);
    let fresh = sender.wait_for("the bundle in the queue", PATIENCE, |status| {
        let queued = status
            .outgoing
            .iter()
            .filter(|bundle| bundle.state == "queued");
        let complete = queued.count() > before.len();
        complete
            .then(|| names(&queue).difference(&before).next().cloned())
            .flatten()
    });
    (dropped, fresh.unwrap())
}

fn names(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeSet::new();
    };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// Numbers in which no compressor sees a rule.
fn noise(seed: u64, lines: u64) -> String {
    let mut state = seed;
    let mut line = |_| {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        format!("{:016x}\n", mixed ^ (mixed >> 27))
    };
    (0..lines).map(&mut line).collect()
}
