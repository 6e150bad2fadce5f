//! Laying values over the defaults, one key at a time.

use std::marker::PhantomData;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::nearest::nearest;
use super::{ConfigError, ENV_PREFIX, RESERVED};

pub(super) struct Overlay<T> {
    current: Value,
    /// Maps that were empty in the defaults: below them every name is good.
    free: Vec<Vec<String>>,
    typed: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned> Overlay<T> {
    pub(super) fn new(defaults: &T) -> Result<Self, ConfigError> {
        let current = serde_json::to_value(defaults).map_err(|error| ConfigError::Defaults(error.to_string()))?;
        serde_json::from_value::<T>(current.clone()).map_err(|error| ConfigError::Defaults(error.to_string()))?;
        let mut free = Vec::new();
        collect_free(&current, &mut Vec::new(), &mut free);
        Ok(Self { current, free, typed: PhantomData })
    }

    pub(super) fn file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_path_buf(), source })?;
        let syntax = |reason: String| ConfigError::Syntax { path: path.to_path_buf(), reason };
        let table: toml::Table = toml::from_str(&text).map_err(|error| syntax(error.to_string()))?;
        let tree = serde_json::to_value(table).map_err(|error| syntax(error.to_string()))?;
        let origin = path.display().to_string();
        let Value::Object(tree) = tree else {
            return Ok(());
        };
        self.tree(&mut Vec::new(), tree, &origin)
    }

    pub(super) fn environment(&mut self, env: impl Iterator<Item = (String, String)>) -> Result<(), ConfigError> {
        let mut variables: Vec<(String, String)> =
            env.filter(|(name, _)| name.starts_with(ENV_PREFIX) && !RESERVED.contains(&name.as_str())).collect();
        variables.sort();
        let mut files = Vec::new();
        for (name, text) in variables {
            let key: Vec<String> = name[ENV_PREFIX.len()..].split("__").map(str::to_ascii_lowercase).collect();
            if !self.knows(&key)
                && let Some(secret) = without_file_suffix(&key)
                && self.knows(&secret)
            {
                files.push((secret, name, text));
                continue;
            }
            self.set_text(&key, &text, &name)?;
        }
        for (key, name, path) in files {
            let content = std::fs::read_to_string(&path).map_err(|error| ConfigError::Value {
                key: key.join("."),
                origin: name.clone(),
                reason: format!("{path}: {error}"),
            })?;
            self.set(&key, Value::String(content.trim().to_owned()), &name)?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<T, ConfigError> {
        serde_json::from_value(self.current).map_err(|error| ConfigError::Defaults(error.to_string()))
    }

    /// Sets all leaves of a tree; a section is never replaced as a whole.
    fn tree(&mut self, at: &mut Vec<String>, tree: Map<String, Value>, origin: &str) -> Result<(), ConfigError> {
        for (name, value) in tree {
            at.push(name);
            let section = matches!(lookup(&self.current, at), Some(Value::Object(known)) if !known.is_empty());
            match value {
                Value::Object(inner) if section => self.tree(at, inner, origin)?,
                value => self.set(at, value, origin)?,
            }
            at.pop();
        }
        Ok(())
    }

    /// A variable's text as TOML if that fits, else as it stands.
    fn set_text(&mut self, key: &[String], text: &str, origin: &str) -> Result<(), ConfigError> {
        let plain = Value::String(text.to_owned());
        let parsed = toml::from_str::<toml::Table>(&format!("value = {text}"))
            .ok()
            .and_then(|mut table| table.remove("value"))
            .and_then(|value| serde_json::to_value(value).ok());
        match parsed {
            None => self.set(key, plain, origin),
            // Where neither fits, the first complaint is about what the author most likely meant.
            Some(value) => {
                self.set(key, value, origin).or_else(|error| self.set(key, plain, origin).map_err(|_| error))
            }
        }
    }

    fn set(&mut self, key: &[String], value: Value, origin: &str) -> Result<(), ConfigError> {
        if !self.knows(key) {
            return Err(self.unknown(key, origin));
        }
        let wrong = |reason: String| ConfigError::Value { key: key.join("."), origin: origin.to_owned(), reason };
        if let Some(Value::Object(section)) = lookup(&self.current, key)
            && !section.is_empty()
        {
            return Err(wrong("this is a section, not a value".to_owned()));
        }
        let mut tried = self.current.clone();
        let Some(place) = place(&mut tried, key) else {
            return Err(self.unknown(key, origin));
        };
        *place = value;
        serde_json::from_value::<T>(tried.clone()).map_err(|error| wrong(error.to_string()))?;
        self.current = tried;
        Ok(())
    }

    fn knows(&self, key: &[String]) -> bool {
        lookup(&self.current, key).is_some() || self.free.iter().any(|map| key.starts_with(map))
    }

    fn unknown(&self, key: &[String], origin: &str) -> ConfigError {
        let all = leaves(&self.current);
        let dotted = key.join(".");
        let siblings = || {
            // Up to here the key exists; the next word is the one that doesn't.
            let (depth, section) = (0..key.len()).rev().find_map(|depth| {
                let section = lookup(&self.current, &key[..depth])?.as_object()?;
                Some((depth, section))
            })?;
            let found = nearest(&key[depth], section.keys().map(String::as_str))?;
            let mut full: Vec<&str> = key.iter().map(String::as_str).collect();
            full[depth] = found;
            Some(full.join("."))
        };
        // A right name in a wrong section, or a slip anywhere.
        let elsewhere = || {
            let last = key.last()?;
            all.iter()
                .find(|leaf| leaf.rsplit('.').next() == Some(last))
                .cloned()
                .or_else(|| nearest(&dotted, all.iter().map(String::as_str)).map(str::to_owned))
        };
        ConfigError::UnknownKey {
            key: dotted.clone(),
            origin: origin.to_owned(),
            suggestion: siblings().or_else(elsewhere),
        }
    }
}

fn without_file_suffix(key: &[String]) -> Option<Vec<String>> {
    let mut key = key.to_vec();
    let last = key.last_mut()?;
    *last = last.strip_suffix("_file")?.to_owned();
    Some(key)
}

fn lookup<'a>(tree: &'a Value, key: &[String]) -> Option<&'a Value> {
    key.iter().try_fold(tree, |tree, name| tree.as_object()?.get(name))
}

/// The place of a key, made below an empty map.
fn place<'a>(tree: &'a mut Value, key: &[String]) -> Option<&'a mut Value> {
    let Some((first, rest)) = key.split_first() else {
        return Some(tree);
    };
    if tree.is_null() {
        *tree = Value::Object(Map::new());
    }
    let child = tree.as_object_mut()?.entry(first.clone()).or_insert(Value::Null);
    place(child, rest)
}

/// The paths of all empty maps.
fn collect_free(tree: &Value, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let Value::Object(map) = tree else { return };
    if map.is_empty() && !at.is_empty() {
        found.push(at.clone());
    }
    for (name, value) in map {
        at.push(name.clone());
        collect_free(value, at, found);
        at.pop();
    }
}

/// All keys by their dotted names.
fn leaves(tree: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if let Value::Object(map) = tree {
        for (name, value) in map {
            match value {
                Value::Object(inner) if !inner.is_empty() => {
                    found.extend(leaves(value).into_iter().map(|leaf| format!("{name}.{leaf}")))
                }
                _ => found.push(name.clone()),
            }
        }
    }
    found
}
