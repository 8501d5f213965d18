//! The program under test: the very story of `amanah`, with the kill points that no shipped binary holds. The tests start it
//! as users do, and it starts itself where the demo does.

fn main() -> std::process::ExitCode {
    abort_on_panic();
    amanah::main()
}

/// What is shipped is built so that a panic ends the process; a build for tests would unwind and go on without the thread.
fn abort_on_panic() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        told(panic);
        std::process::abort();
    }));
}
