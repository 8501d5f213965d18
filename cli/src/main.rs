//! The command `amanah`. Everything it does is in the library, so that a test can call the same story.
//! It holds no decision of its own.

fn main() -> std::process::ExitCode {
    amanah::main()
}
