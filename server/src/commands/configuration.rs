//! `config check` and `config print`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::cli::Configuration;
use crate::config::Config;
use crate::say;

pub(crate) fn run(command: Configuration, file: Option<PathBuf>, data_dir: Option<PathBuf>) -> Result<ExitCode> {
    match command {
        Configuration::Check { file: checked } => {
            Config::load(checked.or(file).as_deref())?;
            say::answer("the configuration is in order");
        }
        Configuration::Print { defaults: true } => say::answer(Config::documented_defaults()?.trim_end()),
        Configuration::Print { defaults: false } => {
            let mut config = Config::load(file.as_deref())?;
            if let Some(data_dir) = data_dir {
                config.data_dir = data_dir;
            }
            say::answer(config.to_toml()?.trim_end());
        }
    }
    Ok(ExitCode::SUCCESS)
}
