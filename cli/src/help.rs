//! The short descriptions that `--help` shows, in both languages, and the examples beneath.
//! Option texts stay in English; what each command is for does not.

pub(crate) mod examples;

use std::ffi::OsString;

use amanahd::catalogue::{Language, Text, faces::help};

/// As wide as the terminal, and not wider than a page; a page where there is none.
pub(crate) fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    let columns = size.map(|size| usize::from(size.ws_col));
    columns
        .filter(|columns| (40..100).contains(columns))
        .unwrap_or(100)
}

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

/// Puts the description of each command into the tree, and what every command takes under a heading of its own.
pub(crate) fn translate(command: clap::Command, language: Language) -> clap::Command {
    let heading = help::EVERYWHERE.in_language(language);
    let everywhere: Vec<clap::Id> = command
        .get_arguments()
        .filter(|arg| arg.is_global_set())
        .map(|arg| arg.get_id().clone())
        .collect();
    let command = everywhere.into_iter().fold(command, |command, id| {
        command.mut_arg(id, |arg| arg.help_heading(heading))
    });
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
            let sub = with_examples(sub.about(text), &path, language);
            describe(sub, &format!("{path} "), language)
        })
    })
}

/// The examples beneath a command, its own or those of the list.
fn with_examples(command: clap::Command, path: &str, language: Language) -> clap::Command {
    let own = command.get_after_help().map(ToString::to_string);
    let own = own.as_deref().and_then(|text| text.split_once('\n'));
    let listed = examples::COMMANDS.iter().find(|(name, _)| *name == path);
    let lines = own
        .map(|(_, lines)| lines)
        .or(listed.map(|(_, lines)| *lines));
    let Some(lines) = lines else {
        return command;
    };
    let head = help::EXAMPLES.in_language(language);
    let text = format!("{head}\n{lines}");
    command.after_help(text)
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

    /// The words of a line as a shell would read them: single quotes, and no more than the examples use.
    fn words(line: &str) -> Vec<OsString> {
        let mut words = Vec::new();
        for (place, part) in line.split('\'').enumerate() {
            if place % 2 == 1 {
                words.push(OsString::from(part));
            } else {
                let plain = part.split('>').next().unwrap_or_default();
                words.extend(plain.split_whitespace().map(OsString::from));
            }
        }
        words
    }

    fn check_examples(command: &clap::Command, path: &str) {
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let path = format!("{path} {}", sub.get_name());
            let text = sub.get_after_help().map(ToString::to_string);
            let text = text.unwrap_or_default().replace("\\\n", " ");
            let lines: Vec<&str> = text.lines().skip(1).map(str::trim).collect();
            assert!(
                lines.iter().any(|line| line.starts_with(&path)),
                "{path}: {text}"
            );
            for line in lines {
                let parsed = crate::args::parse(&words(line));
                assert!(parsed.is_ok(), "{line}: {:?}", parsed.err());
            }
            check_examples(sub, &path);
        }
    }

    #[test]
    fn every_command_has_examples_that_the_command_line_understands() {
        let command = crate::args::Arguments::command();
        check_examples(&translate(command, Language::English), "amanah");
    }

    #[test]
    fn the_commands_of_the_readme_are_understood_as_they_stand() {
        let readme = include_str!("../../README.md").replace("\\\n", " ");
        let lines = readme.lines().flat_map(|line| line.split(" && "));
        let commands: Vec<&str> = lines
            .map(str::trim)
            .filter(|line| line.starts_with("amanah "))
            .collect();
        assert!(commands.len() >= 9, "{commands:?}");
        for command in commands {
            let parsed = crate::args::parse(&words(command));
            assert!(parsed.is_ok(), "{command}: {:?}", parsed.err());
        }
    }

    #[test]
    fn what_every_command_takes_stands_apart_from_its_own_options() {
        let arguments =
            ["amanah", "--lang", "id", "agreement", "draft", "--help"].map(OsString::from);
        let text = crate::args::parse(&arguments).unwrap_err().to_string();
        let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
        assert!(place("--peer-officer") < place("Opsi umum"));
        assert!(place("Opsi umum") < place("--config"));
        assert!(place("--config") < place("Contoh:"));
    }

    #[test]
    fn the_language_of_help_is_that_of_the_argument() {
        let arguments = |texts: &[&str]| texts.iter().map(OsString::from).collect::<Vec<_>>();
        let given = language(&arguments(&["amanah", "--lang", "id"]));
        assert_eq!(given, Language::Indonesian);
        assert_eq!(language(&arguments(&["--lang=en"])), Language::English);
    }
}
