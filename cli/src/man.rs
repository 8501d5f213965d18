//! `amanah man`: the pages of the manual, for whoever packages or installs. Made from the trees that read the arguments and
//! from the sample of the configuration, so that they never lag behind: amanah(1) and one page for each of its commands,
//! amanahd(8), amanahd.toml(5). In English; the commands themselves speak both languages.

use std::path::PathBuf;

use amanahd::{args::Amanahd, catalogue::Language};
use clap::{Command, CommandFactory};
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};

use crate::{
    args::Arguments,
    exit::{Exit, Failure, Outcome},
    help, papers,
    screen::Screen,
};

mod config;

/// What the foot of every page says.
const MANUAL: &str = "Amanah";
const SOURCE: &str = concat!("amanah ", env!("CARGO_PKG_VERSION"));
/// Whoever reads a page may read it everywhere.
const MODE: u32 = 0o644;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  amanah man --out /usr/local/share/man")]
pub(crate) struct Wanted {
    /// Folder of the manual: its man1, man5 and man8 are made where they are missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// A page: its name, its section, its text.
type Page = (String, &'static str, Vec<u8>);

pub(crate) fn run(wanted: &Wanted, screen: &mut Screen<'_>) -> Outcome {
    for (name, section, text) in pages().map_err(|error| Failure::new(Exit::Io, error))? {
        let folder = wanted.out.join(format!("man{section}"));
        std::fs::create_dir_all(&folder).map_err(|error| Failure::io(&folder, &error))?;
        let file = folder.join(format!("{name}.{section}"));
        papers::write_mode(&file, &text, MODE)?;
        screen.line(&file.display().to_string())?;
    }
    Ok(Exit::Ok)
}

/// All pages.
fn pages() -> std::io::Result<Vec<Page>> {
    let mut pages = Vec::new();
    let amanah = help::translate(Arguments::command(), Language::English);
    of(amanah, "1", &mut pages)?;
    of(Amanahd::command(), "8", &mut pages)?;
    pages.push(("amanahd.toml".to_owned(), "5", config::page()?));
    Ok(pages)
}

/// The page of a program and those of its commands, hidden ones left out.
fn of(mut command: Command, section: &'static str, pages: &mut Vec<Page>) -> std::io::Result<()> {
    command = command.disable_help_subcommand(true);
    command.build();
    each(&command, section, pages)
}

fn each(command: &Command, section: &'static str, pages: &mut Vec<Page>) -> std::io::Result<()> {
    let shown = |sub: &&Command| !sub.is_hide_set();
    for sub in command.get_subcommands().filter(shown) {
        each(sub, section, pages)?;
    }
    let name = command.get_display_name().unwrap_or(command.get_name());
    let beneath = command.get_after_help().map(ToString::to_string);
    let command = command.clone().version(env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.after_help(None::<&str>));
    let mut text = Vec::new();
    let man = man.source(SOURCE).manual(MANUAL);
    man.section(section).render(&mut text)?;
    beneath.map_or(Ok(()), |beneath| as_it_stands(&beneath, &mut text))?;
    pages.push((name.to_owned(), section, text));
    Ok(())
}

/// What stands beneath a command's help, line by line: its first line is the heading.
fn as_it_stands(beneath: &str, text: &mut Vec<u8>) -> std::io::Result<()> {
    let (heading, lines) = beneath.split_once('\n').unwrap_or(("Notes:", beneath));
    let mut page = Roff::new();
    page.control(
        "SH",
        [heading.trim_end_matches(':').to_uppercase().as_str()],
    );
    page.control("nf", []);
    for line in lines.lines() {
        page.text([roman(line)]);
    }
    page.control("fi", []);
    page.to_writer(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_is_shown_has_a_page() {
        let pages = pages().unwrap();
        let names: Vec<_> = pages
            .iter()
            .map(|(name, section, _)| format!("{name}.{section}"))
            .collect();
        for wanted in [
            "amanah.1",
            "amanah-send.1",
            "amanah-agreement-draft.1",
            "amanahd.8",
            "amanahd-run.8",
            "amanahd.toml.5",
        ] {
            assert!(
                names.iter().any(|name| name == wanted),
                "{wanted}: {names:?}"
            );
        }
        assert!(
            !names.iter().any(|name| name.contains("daemon")),
            "a hidden command"
        );
        assert!(pages.iter().all(|(_, _, text)| !text.is_empty()));
    }
}
