//! `amanah completions`: what a shell needs to complete commands and options. Made from the tree that reads the arguments, so that
//! it never lags behind; hidden commands stay hidden.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::{
    args::Arguments,
    exit::{Exit, Outcome},
    help,
    screen::Screen,
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  amanah completions bash > /usr/share/bash-completion/completions/amanah\n  amanah completions zsh > /usr/share/zsh/vendor-completions/_amanah"
)]
pub(crate) struct Wanted {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(wanted: &Wanted, screen: &mut Screen<'_>) -> Outcome {
    let mut command = help::translate(Arguments::command(), screen.language);
    let mut text = Vec::new();
    generate(wanted.shell, &mut command, "amanah", &mut text);
    screen.raw(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use crate::tests::stand::amanah;

    #[test]
    fn each_shell_gets_a_script_that_knows_the_commands() {
        for shell in ["bash", "zsh", "fish"] {
            let script = amanah(&["completions", shell]).ok().out;
            for word in ["quarantine", "doctor", "older-than"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}
