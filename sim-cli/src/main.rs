//! The `brownout` binary: everything is in the library, so that tests and other binaries can use it.

fn main() -> std::process::ExitCode {
    sim_cli::main_with(&sim_models::Catalog::bundled())
}
