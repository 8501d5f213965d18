//! What the demo shows while it works: chapters, the commands as a user would type them, and how far a transfer is: as a bar
//! on a terminal, as plain lines otherwise, and not at all with `--json`.

use std::fmt::Display;

use amanahd::catalogue::{Language, Text, moment};
use anyhow::{Result, anyhow};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::attacks::Attack;
use super::exchange::Progress;
use super::items::Way;
use super::launch::Ran;
use super::texts;
use crate::exit::{Failure, Outcome};
use crate::screen::Screen;

/// The demo's voice.
pub(crate) struct Telling<'a, 'b> {
    screen: &'a mut Screen<'b>,
}

impl<'a, 'b> Telling<'a, 'b> {
    pub(crate) fn new(screen: &'a mut Screen<'b>) -> Self {
        Self { screen }
    }

    /// A sentence on a line of its own.
    pub(crate) fn say(&mut self, text: Text, values: &[&dyn Display]) -> Result<()> {
        let line = self.screen.text(text, values);
        self.line(&line)
    }

    /// A new part of the story.
    pub(crate) fn chapter(&mut self, text: Text, values: &[&dyn Display]) -> Result<()> {
        self.line("")?;
        self.say(text, values)
    }

    /// A command that was run.
    pub(crate) fn command(&mut self, ran: &Ran) -> Result<()> {
        self.line(&format!("   $ {}", ran.typed))
    }

    /// How an attack ended.
    pub(crate) fn attack(&mut self, attack: &Attack) -> Result<()> {
        let name = self.screen.text(attack.kind.text, &[]);
        if attack.is_as_expected() {
            let outcome = self.outcome(attack);
            return self.say(texts::ATTACK, &[&name, &outcome]);
        }
        self.say(
            texts::ATTACK_WRONG,
            &[&name, &attack.got, &attack.kind.expected],
        )
    }

    /// What came of an attack, in words where it is what was expected.
    pub(crate) fn outcome(&self, attack: &Attack) -> String {
        if attack.is_as_expected() {
            self.screen.text(attack.kind.outcome, &[])
        } else {
            attack.got.clone()
        }
    }

    /// A line that was composed already.
    pub(crate) fn line(&mut self, line: &str) -> Result<()> {
        if self.screen.json {
            return Ok(());
        }
        said(self.screen.line(line))?;
        said(self.screen.flush())
    }

    /// In the chosen language.
    pub(crate) fn text(&self, text: Text, values: &[&dyn Display]) -> String {
        self.screen.text(text, values)
    }

    /// The half of a note in both languages that is in the chosen one: Indonesian comes first.
    pub(crate) fn half_of<'n>(&self, note: &'n str) -> &'n str {
        let halves = note.split_once("\n----\n\n");
        halves.map_or(note, |(id, en)| match self.screen.language {
            Language::Indonesian => id,
            Language::English => en,
        })
    }

    /// A number as people write it.
    pub(crate) fn count(&self, number: u64) -> String {
        moment::count(number, self.screen.language)
    }

    /// Shows how far a direction is.
    pub(crate) fn transfer<'t>(
        &'t mut self,
        way: &Way,
        items: usize,
    ) -> Result<Transfer<'t, 'a, 'b>> {
        let items = u64::try_from(items)?;
        let target = if self.screen.shows_progress() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(items), target);
        bar.set_style(ProgressStyle::with_template(
            "   {prefix} {bar:32} {pos}/{len}  {msg}  {elapsed}",
        )?);
        bar.set_prefix(format!("{} → {}", way.from, way.to));
        Ok(Transfer {
            telling: self,
            way: way.clone(),
            items,
            bar,
            told: None,
        })
    }
}

/// A direction under way.
pub(crate) struct Transfer<'t, 'a, 'b> {
    telling: &'t mut Telling<'a, 'b>,
    way: Way,
    items: u64,
    bar: ProgressBar,
    told: Option<u64>,
}

impl Transfer<'_, '_, '_> {
    /// A look: the bar moves; without one a line is said whenever more items are done.
    pub(crate) fn show(&mut self, progress: Progress) {
        self.bar.set_position(progress.items);
        self.bar.set_message(format!(
            "{} / {}",
            size(progress.sent_bytes),
            size(progress.bytes)
        ));
        if self.bar.is_hidden() && self.told != Some(progress.items) {
            self.told = Some(progress.items);
            let values: [&dyn Display; 4] =
                [&self.way.from, &self.way.to, &progress.items, &self.items];
            // A line that cannot be written now fails at the next sentence as well, which says so.
            let _ = self.telling.say(texts::WAITING, &values);
        }
    }

    /// The bar stays as it ended.
    pub(crate) fn finish(self) {
        self.bar.finish();
    }
}

/// Writing to the screen failed: the one failure that a line can have.
fn said<T>(outcome: Outcome<T>) -> Result<T> {
    outcome.map_err(|failure: Failure| anyhow!(failure.sentence(Language::English)))
}

/// A length as people say it.
pub(crate) fn size(bytes: u64) -> String {
    indicatif::DecimalBytes(bytes).to_string()
}
