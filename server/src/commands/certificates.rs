//! `link certificates`: what processes on several machines trust each other by.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use link::grpc::make_certificate;

use crate::say;

/// A certificate for each process; its names are separated by commas.
pub(crate) fn run(folder: &Path, processes: &[String]) -> Result<ExitCode> {
    for process in processes {
        let names: Vec<String> = process.split(',').map(str::to_owned).collect();
        let files = make_certificate(folder, &names)?;
        say::answer(format_args!(
            "{process}: link.tls.ca = {:?}, link.tls.cert = {:?}, link.tls.key = {:?}",
            files.ca, files.cert, files.key
        ));
    }
    Ok(ExitCode::SUCCESS)
}
