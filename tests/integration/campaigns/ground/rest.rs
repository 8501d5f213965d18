//! When a ground is at rest: everything that was dropped is settled, and both daemons have stopped with nothing under way. Then the
//! program's own proofs and the witness look at all of it.

use std::fs;
use std::path::PathBuf;

use amanah_tests::exchange::PATIENCE;
use amanah_tests::waiting;
use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::super::checker::Counted;
use super::{Ground, IMIGRASI, PHU};

/// States of rows from which nothing happens.
const RESTS: [&str; 3] = ["outbound.settled", "outbound.put-back", "inbound.delivered"];

impl Ground {
    /// Waits until nothing is under way, stops both, and looks at everything.
    pub(in super::super) fn comes_to_rest(&mut self) -> Result<Counted> {
        let mut quiet = 0;
        waiting::until("rest", PATIENCE, || {
            quiet = if self.is_quiet(true)? { quiet + 1 } else { 0 };
            // Twice, because the last state is published a moment before the last file is swept.
            if quiet < 2 {
                return Ok(None);
            }
            for who in [PHU, IMIGRASI] {
                let (status, _) = self.ministry(who).stop()?;
                ensure!(status.success(), "stopped with {status}");
            }
            // What they published may have been older than what they did; what they say when they stop is not.
            if !self.is_quiet(false)? {
                quiet = 0;
                self.restart(PHU)?;
                self.restart(IMIGRASI)?;
                return Ok(None);
            }
            Ok(Some(()))
        })
        .with_context(|| self.under_way())?;
        self.proofs_verify()?;
        self.witness.rest()
    }

    /// Whether everything dropped lies in `sent/`.
    pub(in super::super) fn is_settled(&self) -> bool {
        self.unsettled().next().is_none()
    }

    /// Where what was dropped does not lie in `sent/`.
    fn unsettled(&self) -> impl Iterator<Item = PathBuf> {
        let sides = &self.witness.sides;
        let places = self.witness.dropped.iter().map(|item| {
            let sender = &sides[usize::from(item.from != sides[PHU].party)];
            let sent = sender.home.join("sent").join(&item.to).join(&item.flow);
            sent.join(&item.name)
        });
        places.filter(|place| !place.exists())
    }

    fn published(&self, who: usize) -> Result<Value> {
        let file = self.witness.sides[who].home.join("status.json");
        Ok(serde_json::from_slice(&fs::read(file)?)?)
    }

    /// Everything dropped lies in `sent/`, and no row is in a state from which something happens, as both said while they ran or when
    /// they stopped.
    fn is_quiet(&self, running: bool) -> Result<bool> {
        if !self.is_settled() {
            return Ok(false);
        }
        for who in [PHU, IMIGRASI] {
            let status = self.published(who)?;
            let counts = status["counts"].as_object().context("no counts")?;
            let busy =
                |(state, rows): (&String, &Value)| rows != 0 && !RESTS.contains(&state.as_str());
            if status["running"] != running || counts.iter().any(busy) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What an error shows: counts and alarms of both, and the last words of their logs.
    pub(in super::super) fn under_way(&mut self) -> String {
        let mut text = String::new();
        for place in self.unsettled() {
            text.push_str(&format!("\nnot there: {}", place.display()));
        }
        for who in [PHU, IMIGRASI] {
            let status = self.published(who).unwrap_or_default();
            let log = fs::read_to_string(self.ministry(who).log()).unwrap_or_default();
            let lines: Vec<_> = log.lines().rev().take(12).collect();
            let lines: Vec<_> = lines.into_iter().rev().collect();
            let (counts, alarms) = (&status["counts"], &status["alarms"]);
            text.push_str(&format!(
                "\n{who}: {counts} {alarms}\n{}\n",
                lines.join("\n")
            ));
        }
        text
    }

    /// The program's own proof beside the checker's: every receipt and both ledgers verify.
    fn proofs_verify(&self) -> Result<()> {
        for ministry in self.exchange.pair.both() {
            ministry.run(&["ledger", "verify"])?;
        }
        let [phu, imigrasi] = self.exchange.pair.both();
        for (own, peer) in [(phu, imigrasi), (imigrasi, phu)] {
            let folder = own.path(&format!("receipts/received/{}", peer.party()));
            if folder.exists() && folder.read_dir()?.next().is_some() {
                amanah_tests::evidence::verify_receipts(own, peer)?;
            }
        }
        Ok(())
    }
}
