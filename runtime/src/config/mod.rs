//! Layered configuration (RS7): defaults < file < environment < `*_FILE` secrets.
//!
//! The defaults are the schema: a key that they do not have is refused wherever it comes from, with its full dotted
//! name and the nearest name that exists. A misspelt limit that silently does nothing is worse than no start.
//! Each value is tried on its own against the type it is for, so an error names the key, not "line 3, column 7".
//!
//! * File: TOML.
//! * Environment: `SECURECONNECT_SECTION__KEY`, two underscores per level, the value in TOML or as plain text.
//! * Secrets: `SECURECONNECT_SECTION__KEY_FILE` names a file whose trimmed content is the value.
//!
//! A section that is an empty map in the defaults takes any key (a table by name). Keys that are `None` by default
//! are known like all others.

mod documented;
mod nearest;
mod overlay;
mod secret;
mod validate;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use documented::render_documented;
pub use secret::Secret;
pub use validate::{Environment, Problems, Validate};

use overlay::Overlay;

/// What environment variables of ours start with.
pub const ENV_PREFIX: &str = "SECURECONNECT_";

/// Variables with our prefix that are not keys: the kind of environment, and where the file is.
pub const RESERVED: [&str; 2] = ["SECURECONNECT_ENV", "SECURECONNECT_CONFIG"];

/// What is wrong with the configuration; the message names the key and where it was set.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{path}: {reason}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and what.
        reason: String,
    },
    /// There is no such key.
    #[error("unknown key `{key}` in {origin}{}", suggestion.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    UnknownKey {
        /// The full dotted key.
        key: String,
        /// The file or the variable.
        origin: String,
        /// The nearest key that exists.
        suggestion: Option<String>,
    },
    /// The value does not fit the key.
    #[error("`{key}` in {origin}: {reason}")]
    Value {
        /// The full dotted key.
        key: String,
        /// The file or the variable.
        origin: String,
        /// Why it does not fit.
        reason: String,
    },
    /// The values fit their keys but must not be used.
    #[error("{}", .0.join("\n"))]
    Invalid(Vec<String>),
    /// The defaults themselves can't be used; a fault of the build.
    #[error("defaults: {0}")]
    Defaults(String),
}

/// Lays file and environment over `defaults`.
pub fn load<T: Serialize + DeserializeOwned>(
    defaults: T,
    file: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
) -> Result<T, ConfigError> {
    let mut overlay: Overlay<T> = Overlay::new(&defaults)?;
    if let Some(path) = file {
        overlay.file(path)?;
    }
    overlay.environment(env)?;
    overlay.finish()
}

/// [`load`], then refuses what must not be used in the environment that `SECURECONNECT_ENV` names.
pub fn load_validated<T: Serialize + DeserializeOwned + Validate>(
    defaults: T,
    file: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
) -> Result<T, ConfigError> {
    let variables: Vec<(String, String)> = env.collect();
    let environment = Environment::of(&variables);
    let config = load(defaults, file, variables.into_iter())?;
    let mut problems = Problems::default();
    config.validate(environment, &mut problems);
    problems.into_result().map(|()| config)
}
