//! Two ministries found each other: keys, cards exchanged with the fingerprint read aloud, an agreement drafted by one and
//! signed by both. Exactly the commands of the manual, in its order; the demo shows them, the tests rely on them.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

use amanah_format::home;
use amanah_format::id::{AgreementId, FlowName, PartyId};
use anyhow::{Context, Result};
use jiff::{ToSpan, Zoned};

use super::items::Way;
use super::launch::{Launch, Ran};
use super::ministry::Ministry;
use super::terms;

/// The agreement's id.
const AGREEMENT: &str = "pks-contoh";
/// What Penyelenggaraan Haji dan Umrah sends.
const MANIFESTS: &str = "manifes-umrah";
/// What Imigrasi sends.
const CROSSINGS: &str = "perlintasan";
/// Why the data may be processed.
const PURPOSE: &str =
    "PENERTIBAN:Menemukan keberangkatan melalui biro yang tidak terdaftar (peragaan)";
/// On what legal ground.
const LEGAL_BASIS: &str = "UU 27/2022 pasal 20 ayat (2) huruf e";
/// What a flow may carry: any file that a user of the demo has.
const BYTES_MAX: u64 = 1 << 40;
/// Where the draft of an agreement with schemas is laid out.
const DRAFT: &str = "perjanjian";
/// What makes table flows land in a database.
const TABLES: &str = "\n[store.tables]\nkind = \"sqlite\"\n";

/// What the two agree upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terms {
    /// A flow of files each way.
    Files,
    /// The ministries' datasets, as rows of a database at either side, and a flow of files each way.
    Datasets,
}

/// Two ministries on this machine.
pub struct Pair {
    /// Penyelenggaraan Haji dan Umrah, which dials.
    pub phu: Ministry,
    /// Imigrasi, which has the one open port.
    pub imigrasi: Ministry,
    /// Where Imigrasi listens.
    pub address: SocketAddr,
    terms: Terms,
}

/// Where a pair is founded, and how its programs are started.
pub struct Ground<'a> {
    /// A folder of its own: homes, logs and papers under way.
    pub folder: &'a Path,
    /// How Penyelenggaraan Haji dan Umrah starts its programs.
    pub phu: Launch,
    /// How Imigrasi does.
    pub imigrasi: Launch,
}

impl Ground<'_> {
    /// Founds the pair on an agreement about files; no daemon runs yet. `told` hears of each command.
    ///
    /// # Errors
    /// A command fails.
    pub fn found(self, told: &mut dyn FnMut(&Ministry, &Ran) -> Result<()>) -> Result<Pair> {
        self.found_on(Terms::Files, told)
    }

    /// The same on these terms.
    ///
    /// # Errors
    /// A command fails.
    pub fn found_on(
        self,
        terms: Terms,
        told: &mut dyn FnMut(&Ministry, &Ran) -> Result<()>,
    ) -> Result<Pair> {
        let ministry = |party: &str, launch: Launch| -> Result<Ministry> {
            let party: PartyId = party.parse()?;
            Ok(Ministry::new(
                launch,
                self.folder.join(party.as_str()),
                party,
            ))
        };
        let pair = Pair {
            phu: ministry("phu", self.phu)?,
            imigrasi: ministry("imigrasi", self.imigrasi)?,
            address: free_address()?,
            terms,
        };
        let mut steps = Steps {
            folder: self.folder,
            told,
        };
        steps.identities(&pair)?;
        steps.peers(&pair)?;
        steps.agreement(&pair)?;
        if terms == Terms::Datasets {
            for ministry in pair.both() {
                let config = ministry.folder().join(home::CONFIG);
                let text = std::fs::read_to_string(&config)?;
                std::fs::write(&config, text + TABLES)?;
            }
        }
        Ok(pair)
    }
}

/// The commands of the founding.
struct Steps<'a> {
    folder: &'a Path,
    told: &'a mut dyn FnMut(&Ministry, &Ran) -> Result<()>,
}

impl Steps<'_> {
    fn run(&mut self, ministry: &Ministry, words: &[&str]) -> Result<Ran> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let ran = ministry.run(&words)?;
        (self.told)(ministry, &ran)?;
        Ok(ran)
    }

    fn identities(&mut self, pair: &Pair) -> Result<()> {
        let (name, contact) = (
            "Direktorat Jenderal Penyelenggaraan Haji dan Umrah (peragaan)",
            "Piket PHU, phu.test",
        );
        self.run(
            &pair.phu,
            &[
                "init",
                "--party",
                "phu",
                "--name",
                name,
                "--contact",
                contact,
            ],
        )?;
        let (name, contact) = (
            "Direktorat Jenderal Imigrasi (peragaan)",
            "Piket Imigrasi, imigrasi.test",
        );
        let address = pair.address.to_string();
        let identity = [
            "init",
            "--party",
            "imigrasi",
            "--name",
            name,
            "--contact",
            contact,
        ];
        let listening = ["--address", &address, "--network", "127.0.0.0/8"];
        self.run(&pair.imigrasi, &[identity.as_slice(), &listening].concat())?;
        Ok(())
    }

    /// Each exports its card; the other adds it with the fingerprint that the first reads aloud.
    fn peers(&mut self, pair: &Pair) -> Result<()> {
        let address = pair.address.to_string();
        for (owner, other) in [(&pair.imigrasi, &pair.phu), (&pair.phu, &pair.imigrasi)] {
            let card = self.paper(&format!("{}.card.amanah", owner.party()));
            let export = self.run(owner, &["card", "export", &card, "--json"])?;
            let fingerprint = fingerprint_in(&export)?;
            let mut words = vec!["peer", "add", &card, "--fingerprint", &fingerprint];
            if other.party() == pair.phu.party() {
                words.extend(["--dial", &address]);
            }
            self.run(other, &words)?;
        }
        Ok(())
    }

    /// Drafted and signed by the one, signed by the other, and back.
    fn agreement(&mut self, pair: &Pair) -> Result<()> {
        match pair.terms {
            Terms::Files => self.draft_files(pair)?,
            Terms::Datasets => {
                let folder = self.folder.join(DRAFT);
                let draft = terms::lay_out(&folder, pair.both(), BYTES_MAX)?;
                let draft = draft.to_string_lossy();
                self.run(&pair.phu, &["agreement", "draft", "--file", &draft])?;
            }
        }
        let id = pair.id();
        let (half, whole) = (
            self.paper(&format!("{id}.1.amanah")),
            self.paper(&format!("{id}.2.amanah")),
        );
        for (ministry, words) in [
            (&pair.phu, ["agreement", "sign", id].as_slice()),
            (&pair.phu, &["agreement", "export", id, &half]),
            (&pair.imigrasi, &["agreement", "import", &half]),
            (&pair.imigrasi, &["agreement", "sign", id]),
            (&pair.imigrasi, &["agreement", "export", id, &whole]),
            (&pair.phu, &["agreement", "import", &whole]),
        ] {
            self.run(ministry, words)?;
        }
        Ok(())
    }

    /// A flow of files each way, in words of the command line.
    fn draft_files(&mut self, pair: &Pair) -> Result<()> {
        let today = Zoned::now().date();
        let (from, until) = (
            today.checked_sub(1.day())?.to_string(),
            today.checked_add(1.year())?.to_string(),
        );
        let (out, back) = (
            format!("{MANIFESTS}:out:{BYTES_MAX}"),
            format!("{CROSSINGS}:in:{BYTES_MAX}"),
        );
        let title = "Pertukaran Data Jemaah Haji dan Umrah (peragaan)";
        let head = [
            "agreement",
            "draft",
            "--id",
            AGREEMENT,
            "--peer",
            "imigrasi",
            "--title",
            title,
            "--cards-by-chain",
        ];
        let body = [
            "--flow", &out, "--flow", &back, "--from", &from, "--until", &until,
        ];
        let law = [
            "--purpose",
            PURPOSE,
            "--legal-basis",
            LEGAL_BASIS,
            "--dpia",
            "DPIA-CONTOH-01",
        ];
        let officers = [
            "--officer",
            "ppdp@phu.test",
            "--peer-officer",
            "ppdp@imigrasi.test",
        ];
        self.run(
            &pair.phu,
            &[head.as_slice(), &body, &law, &officers].concat(),
        )?;
        Ok(())
    }

    /// A paper that travels between the two by hand.
    fn paper(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }
}

impl Pair {
    /// Starts both daemons and waits until they are connected.
    ///
    /// # Errors
    /// One does not come up, or they do not connect.
    pub fn start(&mut self) -> Result<()> {
        self.imigrasi.start()?;
        self.phu.start()?;
        self.until_connected()
    }

    /// Waits until the connection stands.
    ///
    /// # Errors
    /// It does not come.
    pub fn until_connected(&mut self) -> Result<()> {
        let peer = self.imigrasi.party().clone();
        self.phu
            .wait_for_peer("the connection", &peer, |peer| peer.connected)
    }

    /// The two directions of files.
    ///
    /// # Errors
    /// Never: the names are right.
    pub fn ways(&self) -> Result<[Way; 2]> {
        let (phu, imigrasi) = (self.phu.party(), self.imigrasi.party());
        let way = |from: &PartyId, to: &PartyId, flow: &str| -> Result<Way> {
            let flow: FlowName = flow.parse()?;
            Ok(Way {
                from: from.clone(),
                to: to.clone(),
                flow,
            })
        };
        let [out, back] = match self.terms {
            Terms::Files => [MANIFESTS, CROSSINGS],
            Terms::Datasets => terms::FILES,
        };
        Ok([way(phu, imigrasi, out)?, way(imigrasi, phu, back)?])
    }

    /// The agreement's id.
    ///
    /// # Errors
    /// Never: the id is right.
    pub fn agreement(&self) -> Result<AgreementId> {
        Ok(self.id().parse()?)
    }

    const fn id(&self) -> &'static str {
        match self.terms {
            Terms::Files => AGREEMENT,
            Terms::Datasets => terms::ID,
        }
    }

    /// The ministry of this id and the other one.
    pub fn sender_and_receiver(&mut self, from: &PartyId) -> (&mut Ministry, &mut Ministry) {
        if from == self.phu.party() {
            (&mut self.phu, &mut self.imigrasi)
        } else {
            (&mut self.imigrasi, &mut self.phu)
        }
    }

    /// Both, for what is done on either side.
    #[must_use]
    pub const fn both(&self) -> [&Ministry; 2] {
        [&self.phu, &self.imigrasi]
    }
}

fn fingerprint_in(ran: &Ran) -> Result<String> {
    let facts: serde_json::Value =
        serde_json::from_str(&ran.stdout).with_context(|| ran.typed.clone())?;
    Ok(facts
        .get("fingerprint")
        .and_then(|text| text.as_str())
        .with_context(|| ran.stdout.clone())?
        .to_owned())
}

/// Where a daemon of this process can listen: a free port of a loopback address that no other process takes for its own, so
/// that nobody can take the port before the daemon does.
///
/// # Errors
/// No port is free.
pub fn free_address() -> Result<SocketAddr> {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let own = Ipv4Addr::new(
        127,
        64 | (high & 63),
        low,
        NEXT.fetch_add(1, Ordering::Relaxed).max(1),
    );
    let listener =
        TcpListener::bind((own, 0)).with_context(|| format!("no port of {own} is free"))?;
    Ok(listener.local_addr()?)
}
