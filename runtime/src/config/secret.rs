//! A value that does not print.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a secret shows of itself.
const HIDDEN: &str = "****";

/// Shorter secrets can be guessed.
const LENGTH_MIN: usize = 32;

/// A secret from the configuration, or none. It prints and serialises as `****`.
#[derive(Clone, Default)]
pub struct Secret(Option<SecretString>);

impl Secret {
    /// A secret.
    pub fn new(value: impl Into<String>) -> Self {
        let value: String = value.into();
        Self((!value.is_empty()).then(|| SecretString::from(value)))
    }

    /// The value, for the one place that needs it.
    pub fn expose(&self) -> Option<&str> {
        self.0.as_ref().map(ExposeSecret::expose_secret)
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// Why this secret must not be used in production, if so.
    pub(super) fn weakness(&self) -> Option<&'static str> {
        let value = self.expose()?;
        let distinct: std::collections::BTreeSet<char> = value.chars().collect();
        let lower = value.to_ascii_lowercase();
        if ["changeme", "password", "example", "insecure", "default"].iter().any(|word| lower.contains(word)) {
            Some("it looks like a placeholder")
        } else if value.len() < LENGTH_MIN {
            Some("it has fewer than 32 characters")
        } else if distinct.len() < 8 {
            Some("it has fewer than 8 different characters")
        } else {
            None
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_set() { HIDDEN } else { "none" })
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(_) => serializer.serialize_some(HIDDEN),
            None => serializer.serialize_none(),
        }
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value: Option<String> = Option::deserialize(deserializer)?;
        // What was printed can't be read back: neither from a dump of the configuration nor from defaults that hold a secret.
        if value.as_deref() == Some(HIDDEN) {
            return Err(serde::de::Error::custom("a hidden secret is not a secret"));
        }
        Ok(Self::new(value.unwrap_or_default()))
    }
}
