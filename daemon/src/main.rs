//! amanahd: the daemon. Everything is in the library; see `args` for the command line and `supervise` for the story.

use std::process::ExitCode;

fn main() -> ExitCode {
    amanahd::args::main()
}
