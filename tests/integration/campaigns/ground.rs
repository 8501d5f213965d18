//! The ground of a campaign: a founded pair with flows in all three lanes in both directions, traffic by seed, and a witness
//! who remembers what was dropped.

mod rest;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use amanah_tests::exchange::Exchange;
use amanah_tests::items::{Way, drop_copy};
use amanah_tests::ministry::Ministry;
use anyhow::{Context, Result};

use super::checker::{Dropped, Side, Witness, files_of};
use super::dice::Dice;
use crate::program;

/// Flows beside the pair's own two, which are of the lane `normal`: one way, lane.
const LANES: [(&str, &str, &str); 4] = [
    ("darurat", "out", "urgent"),
    ("arsip", "out", "bulk"),
    ("darurat-balik", "in", "urgent"),
    ("arsip-balik", "in", "bulk"),
];
/// Items of the lane `bulk` are long enough to be in flight for a while.
const BULK_BYTES: u64 = 3_000_000;
/// Others are as small as a day's list.
const LIST_BYTES: u64 = 40_000;
/// Longest recovery that passes: the promise is 2 s, a machine that does other work beside is given more.
const RECOVERY_MAX: Duration = Duration::from_secs(20);

/// A drop that nobody saw moved in (its side was dead) is settled after a second instead of a minute; a home may be small.
const IMPATIENT: &str =
    "[outbox]\nquiet_secs_files = 1\nquiet_secs_folders = 1\n[limits]\nfree_bytes_min = 1000000\n";

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Who of the two.
pub(super) const PHU: usize = 0;
pub(super) const IMIGRASI: usize = 1;

/// The pair, its ways and its witness.
pub(super) struct Ground {
    pub(super) exchange: Exchange,
    pub(super) witness: Witness,
    /// Each direction's flows; the last of each three is the bulk one.
    pub(super) ways: Vec<Way>,
    /// How long each start took until the first status was out.
    pub(super) recoveries: Vec<Duration>,
    /// Items that have a name, dropped or not.
    named: usize,
    /// What its operator could not drop because the disk was full.
    late: Vec<Copying>,
}

/// What is dropped: its material, the outbox, how the witness knows it.
type Copying = (PathBuf, PathBuf, Dropped);

impl Ground {
    /// Founded, nobody runs.
    pub(super) fn found() -> Result<Self> {
        let exchange = Exchange::found(program())?;
        agree_on_lanes(&exchange)?;
        for ministry in exchange.pair.both() {
            let config = ministry.folder().join("amanah.toml");
            let text = fs::read_to_string(&config)?;
            fs::write(&config, format!("{text}\n{IMPATIENT}"))?;
        }
        let side = |ministry: &Ministry| Side {
            party: ministry.party().to_string(),
            home: ministry.home().to_owned(),
        };
        let sides = [side(&exchange.pair.phu), side(&exchange.pair.imigrasi)];
        let mut ways = vec![exchange.out.clone(), exchange.back.clone()];
        for (flow, direction, _) in LANES {
            let mut way = if direction == "out" {
                exchange.out.clone()
            } else {
                exchange.back.clone()
            };
            way.flow = flow.parse()?;
            ways.push(way);
        }
        let witness = Witness {
            sides,
            dropped: Vec::new(),
            may_refuse: false,
        };
        Ok(Self {
            exchange,
            witness,
            ways,
            recoveries: Vec::new(),
            named: 0,
            late: Vec::new(),
        })
    }

    /// Founded, running, connected.
    pub(super) fn running() -> Result<Self> {
        let mut ground = Self::found()?;
        ground.exchange.pair.start()?;
        Ok(ground)
    }

    /// One of the two.
    pub(super) fn ministry(&mut self, who: usize) -> &mut Ministry {
        match who {
            PHU => &mut self.exchange.pair.phu,
            _ => &mut self.exchange.pair.imigrasi,
        }
    }

    /// Drops an item of any shape into any lane of any direction.
    pub(super) fn drop_any(&mut self, dice: &mut Dice) -> Result<()> {
        let way = dice.pick(&self.ways).clone();
        let bytes = if way.flow.as_str().starts_with("arsip") {
            BULK_BYTES
        } else {
            LIST_BYTES
        };
        let bytes = dice.below(bytes);
        let parts = if dice.chance(20) { 3 } else { 1 };
        self.drop_item(&way, dice, bytes, parts)
    }

    /// Drops an item of so many bytes; of more than one part, it is a folder. Where the disk is full it is dropped later.
    pub(super) fn drop_item(
        &mut self,
        way: &Way,
        dice: &mut Dice,
        bytes: u64,
        parts: u64,
    ) -> Result<()> {
        let name = format!("butir-{:04}.csv", self.named);
        self.named += 1;
        let material = self.exchange.folder().join("bahan").join(&name);
        if parts == 1 {
            fs::create_dir_all(material.parent().context("no folder")?)?;
            fs::write(&material, dice.text(bytes))?;
        }
        for part in 1..=parts.saturating_mul(u64::from(parts > 1)) {
            fs::create_dir_all(material.join("regu"))?;
            fs::write(
                material.join(format!("regu/{part}.csv")),
                dice.text(bytes / parts),
            )?;
        }
        let dropped = Dropped {
            from: way.from.to_string(),
            to: way.to.to_string(),
            flow: way.flow.to_string(),
            name,
            files: files_of(&material)?.context("no material")?,
        };
        let (sender, _) = self.exchange.pair.sender_and_receiver(&way.from);
        let outbox = sender.outbox(&way.to, &way.flow);
        self.drop_one((material, outbox, dropped))
    }

    /// From the moment that it is dropped the witness knows it.
    fn drop_one(&mut self, (material, outbox, dropped): Copying) -> Result<()> {
        self.witness.dropped.push(dropped);
        let Some(dropped) = self.witness.dropped.last() else {
            return Ok(());
        };
        let copied = drop_copy(&material, &outbox, dropped.name.as_ref());
        let Err(error) = copied else {
            return Ok(());
        };
        let mut causes = error.chain().filter_map(|cause| cause.downcast_ref());
        if !causes.any(|cause: &std::io::Error| cause.kind() == ErrorKind::StorageFull) {
            return Err(error);
        }
        let dropped = self.witness.dropped.pop();
        self.late
            .extend(dropped.map(|dropped| (material, outbox, dropped)));
        Ok(())
    }

    /// What did not get into the outbox because the disk was full; how many there were.
    pub(super) fn drop_late(&mut self) -> Result<u64> {
        let late = std::mem::take(&mut self.late);
        let count = u64::try_from(late.len())?;
        late.into_iter().try_for_each(|one| self.drop_one(one))?;
        Ok(count)
    }

    /// Starts one again, and measures how long that takes.
    pub(super) fn restart(&mut self, who: usize) -> Result<()> {
        let start = Instant::now();
        self.ministry(who).start()?;
        self.recoveries.push(start.elapsed());
        anyhow::ensure!(
            start.elapsed() < RECOVERY_MAX,
            "recovery took {:?}",
            start.elapsed()
        );
        Ok(())
    }

    /// Ends one as `kill -9` does, and looks at what it left.
    pub(super) fn kill(&mut self, who: usize) -> Result<()> {
        self.ministry(who).kill()?;
        self.witness.instant(who)
    }

    /// Waits until everything that was dropped is settled; none when it is not in time.
    pub(super) fn until_settled(&mut self, within: Duration) -> Result<Option<()>> {
        let start = Instant::now();
        while start.elapsed() < within {
            if self.is_settled() {
                return Ok(Some(()));
            }
            std::thread::sleep(LOOK_EVERY);
        }
        println!("{}", self.under_way());
        Ok(None)
    }

    /// Waits until everything is settled, or `who` has died, but no longer; whether it died.
    pub(super) fn until_settled_or_dead(&mut self, who: usize, within: Duration) -> Result<bool> {
        let start = Instant::now();
        while start.elapsed() < within && !self.is_settled() {
            if self.ministry(who).has_ended()? {
                return Ok(true);
            }
            std::thread::sleep(LOOK_EVERY);
        }
        self.ministry(who).has_ended()
    }
}

/// A second agreement beside the pair's first, with the flows of the other lanes.
fn agree_on_lanes(exchange: &Exchange) -> Result<()> {
    let [phu, imigrasi] = exchange.pair.both();
    let today = jiff::Zoned::now().date();
    let day = |days: i64| {
        today
            .saturating_add(jiff::Span::new().days(days))
            .to_string()
    };
    let (from, until) = (day(-1), day(300));
    let flows =
        LANES.map(|(flow, direction, lane)| format!("{flow}:{direction}:1000000000:{lane}"));
    let mut words = vec![
        "agreement",
        "draft",
        "--id",
        "pks-jalur",
        "--peer",
        "imigrasi",
    ];
    words.extend([
        "--title",
        "Jalur (uji coba)",
        "--from",
        &from,
        "--until",
        &until,
    ]);
    words.extend([
        "--purpose",
        "PENERTIBAN:Uji coba",
        "--legal-basis",
        "UU 27/2022 pasal 20",
    ]);
    words.extend([
        "--dpia",
        "DPIA-1",
        "--officer",
        "a@phu.test",
        "--peer-officer",
        "b@imigrasi.test",
    ]);
    for flow in &flows {
        words.extend(["--flow", flow]);
    }
    phu.run(&words)?;
    let paper = |name: &str| exchange.folder().join(name).to_string_lossy().into_owned();
    let (half, whole) = (paper("jalur.1.amanah"), paper("jalur.2.amanah"));
    phu.run(&["agreement", "sign", "pks-jalur"])?;
    phu.run(&["agreement", "export", "pks-jalur", &half])?;
    imigrasi.run(&["agreement", "import", &half])?;
    imigrasi.run(&["agreement", "sign", "pks-jalur"])?;
    imigrasi.run(&["agreement", "export", "pks-jalur", &whole])?;
    phu.run(&["agreement", "import", &whole])?;
    anyhow::ensure!(Path::new(&whole).exists(), "the agreement was not exported");
    Ok(())
}

/// Middle and longest of the recoveries, for the line that is printed.
pub(super) fn spread(times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort();
    let millis = |index: usize| sorted.get(index).map_or(0, Duration::as_millis);
    let (middle, last) = (sorted.len() / 2, sorted.len().saturating_sub(1));
    format!("p50 {} ms, longest {} ms", millis(middle), millis(last))
}
