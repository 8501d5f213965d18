//! The program under test: the very story of `amanah`, with the kill points that no shipped binary holds. The tests start it
//! as users do, and it starts itself where the demo does.

fn main() -> std::process::ExitCode {
    amanah::main()
}
