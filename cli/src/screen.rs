//! What a command prints to: sentences in one language, tables, JSON. Foreign text is escaped where it is composed
//! (`catalogue::shown`); nothing else writes to the streams.

use std::fmt::Display;
use std::io::Write;

use amanahd::catalogue::{Language, Text, faces};
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use serde::Serialize;

use crate::exit::{Exit, Failure, Outcome};

/// A rule under the heads and nowhere else: a screen has few lines.
const RULED: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Where output goes.
pub struct Streams<'a> {
    /// Facts.
    pub out: &'a mut dyn Write,
    /// Complaints, hints, progress.
    pub err: &'a mut dyn Write,
    /// Whether a person watches: only then there are progress bars.
    pub is_terminal: bool,
}

/// The streams with what was chosen for them.
pub(crate) struct Screen<'a> {
    streams: Streams<'a>,
    pub(crate) language: Language,
    pub(crate) json: bool,
}

impl<'a> Screen<'a> {
    pub(crate) fn new(streams: Streams<'a>, language: Language, json: bool) -> Self {
        Self {
            streams,
            language,
            json,
        }
    }

    /// Whether a progress bar may be drawn.
    pub(crate) fn shows_progress(&self) -> bool {
        self.streams.is_terminal && !self.json
    }

    /// Whether the screen may be redrawn.
    pub(crate) fn is_terminal(&self) -> bool {
        self.streams.is_terminal
    }

    /// A sentence with its values, in the chosen language.
    pub(crate) fn text(&self, text: Text, values: &[&dyn Display]) -> String {
        text.with(self.language, values)
    }

    /// A sentence on a line of its own.
    pub(crate) fn say(&mut self, text: Text, values: &[&dyn Display]) -> Outcome<()> {
        let line = self.text(text, values);
        self.line(&line)
    }

    /// A line that was composed already.
    pub(crate) fn line(&mut self, line: &str) -> Outcome<()> {
        writeln!(self.streams.out, "{line}").map_err(|error| unwritable(&error))
    }

    /// Text that moves the cursor itself, at once.
    pub(crate) fn raw(&mut self, text: &str) -> Outcome<()> {
        let written = self.streams.out.write_all(text.as_bytes());
        let written = written.and_then(|()| self.streams.out.flush());
        written.map_err(|error| unwritable(&error))
    }

    /// An empty table with these heads; on a terminal it is as wide as that, and long cells wrap.
    pub(crate) fn table<const N: usize>(&self, heads: [Text; N]) -> Table {
        let mut table = Table::new();
        table.load_style(RULED);
        table.set_header(heads.map(|head| self.text(head, &[])));
        if let Some((_, columns)) = self.size() {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(columns);
        }
        table
    }

    /// Rows and columns of the terminal; none where there is none.
    pub(crate) fn size(&self) -> Option<(u16, u16)> {
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
        let is_known = self.streams.is_terminal && size.ws_col > 0 && size.ws_row > 0;
        is_known.then_some((size.ws_row, size.ws_col))
    }

    /// What to do next: beside the facts, so that a pipe does not see it.
    pub(crate) fn hint(&mut self, text: Text, values: &[&dyn Display]) -> Outcome<()> {
        let line = self.text(text, values);
        writeln!(self.streams.err, "{line}").map_err(|error| unwritable(&error))
    }

    /// The facts as one JSON object.
    pub(crate) fn facts(&mut self, facts: &impl Serialize) -> Outcome<()> {
        let text =
            serde_json::to_string_pretty(facts).map_err(|error| Failure::new(Exit::Io, error))?;
        self.line(&text)
    }

    pub(crate) fn flush(&mut self) -> Outcome<()> {
        self.streams.out.flush().map_err(|error| unwritable(&error))
    }

    /// Says why it failed, and returns the exit code. Failing to say so changes nothing.
    pub(crate) fn complain(&mut self, failure: &Failure) -> Exit {
        let message = failure.sentence(self.language);
        if message.is_empty() {
            return failure.exit;
        }
        let line = if self.json {
            let code = failure.exit.code();
            serde_json::json!({"format": "amanah-error/1", "exit": code, "message": message})
                .to_string()
        } else {
            self.text(faces::FAILED, &[&message])
        };
        let _ = writeln!(self.streams.err, "{line}");
        failure.exit
    }

    /// A failure whose sentence is in the catalogue.
    pub(crate) fn failure(&self, exit: Exit, text: Text, values: &[&dyn Display]) -> Failure {
        Failure::new(exit, self.text(text, values))
    }
}

/// Who reads no further (`amanah status | head`) has seen enough: nothing is said about it.
fn unwritable(error: &std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        Failure::new(Exit::Io, "")
    } else {
        Failure::new(Exit::Io, error)
    }
}
