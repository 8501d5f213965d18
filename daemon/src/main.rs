//! amanahd: the daemon. Everything is in the library; see `args` for the command line and `supervise` for the story.
//! This file must stay without a decision of its own: the hidden `amanah daemon` runs the same function.

use std::process::ExitCode;

fn main() -> ExitCode {
    amanahd::args::main()
}
