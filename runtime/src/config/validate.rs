//! What must not be used although it parses.

use super::{ConfigError, Secret};

/// Where the process runs, by `SECURECONNECT_ENV`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Environment {
    /// On somebody's machine.
    #[default]
    Development,
    /// For real: weak and missing secrets are refused.
    Production,
}

impl Environment {
    /// The environment that these variables name.
    pub fn of(variables: &[(String, String)]) -> Self {
        let production = variables
            .iter()
            .any(|(name, value)| name == "SECURECONNECT_ENV" && value.eq_ignore_ascii_case("production"));
        match production {
            true => Self::Production,
            false => Self::Development,
        }
    }
}

/// What was found, each with its key.
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<String>,
}

impl Problems {
    /// Refuses the value of `key`.
    pub fn refuse(&mut self, key: &str, reason: impl std::fmt::Display) {
        self.found.push(format!("`{key}`: {reason}"));
    }

    /// Refuses a weak secret in production.
    pub fn check_secret(&mut self, key: &str, secret: &Secret, environment: Environment) {
        if environment == Environment::Production
            && let Some(weakness) = secret.weakness()
        {
            self.refuse(key, format!("{weakness}; make one with `openssl rand -hex 32`"));
        }
    }

    /// An error with all that was found, if anything was.
    pub fn into_result(self) -> Result<(), ConfigError> {
        match self.found.is_empty() {
            true => Ok(()),
            false => Err(ConfigError::Invalid(self.found)),
        }
    }
}

/// A configuration that knows what of it must not be used.
pub trait Validate {
    /// Reports every value that must not be used, under its dotted key.
    fn validate(&self, environment: Environment, problems: &mut Problems);
}
