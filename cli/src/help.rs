//! The short descriptions that `--help` shows, in both languages, and the examples beneath.
//! Option texts stay in English; what each command is for does not.

use std::ffi::OsString;

use amanahd::catalogue::{Language, Text, faces::help};

/// Under the help of `amanah` itself.
pub(crate) const EXAMPLES: &str = "\
Examples:
  amanah init --party kemenhaj --name 'Kementerian Haji dan Umrah' --contact 'Piket, +62 21 …'
  amanah send imigrasi manifes-umrah manifes-2026-11-22.csv --wait
  amanah status
  amanah verify bundle.amanah receipt.amanah

Exit codes: 0 ok · 1 does not verify, or negative outcome · 64 usage · 65 bad document · 66 no such file
            69 daemon not running · 74 I/O · 77 not permitted · 78 configuration";

/// `--lang` where it stands in the arguments, else the locale.
pub(crate) fn language(arguments: &[OsString]) -> Language {
    let mut texts = arguments.iter().filter_map(|argument| argument.to_str());
    while let Some(argument) = texts.next() {
        let value = if argument == "--lang" {
            texts.next()
        } else {
            argument.strip_prefix("--lang=")
        };
        if let Some(value) = value {
            return Language::of_locale(value);
        }
    }
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL")
        .or_else(|| set("LC_MESSAGES"))
        .or_else(|| set("LANG"));
    Language::of_locale(locale.as_deref().unwrap_or_default())
}

/// Puts the description of each command into the tree.
pub(crate) fn translate(command: clap::Command, language: Language) -> clap::Command {
    let about = about("").in_language(language);
    describe(command.about(about), "", language)
}

fn describe(command: clap::Command, path: &str, language: Language) -> clap::Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    names.into_iter().fold(command, |command, name| {
        let path = format!("{path}{name}");
        let text = about(&path).in_language(language);
        command.mut_subcommand(&name, |sub| {
            describe(sub.about(text), &format!("{path} "), language)
        })
    })
}

/// The description of the command at `path` (`agreement sign`); of an unknown one nothing.
fn about(path: &str) -> Text {
    let found = help::COMMANDS.iter().find(|(name, _)| *name == path);
    found.map_or(Text { id: "", en: "" }, |(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn check(command: &clap::Command, path: &str) {
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let path = format!("{path}{}", sub.get_name());
            assert!(!about(&path).id.is_empty(), "{path} is not described");
            check(sub, &format!("{path} "));
        }
    }

    #[test]
    fn every_command_is_described_in_both_languages() {
        let command = crate::args::Arguments::command();
        check(&command, "");
        command.debug_assert();
    }

    #[test]
    fn the_language_of_help_is_that_of_the_argument() {
        let arguments = |texts: &[&str]| texts.iter().map(OsString::from).collect::<Vec<_>>();
        let given = language(&arguments(&["amanah", "--lang", "id"]));
        assert_eq!(given, Language::Indonesian);
        assert_eq!(language(&arguments(&["--lang=en"])), Language::English);
    }
}
