//! The defaults as a commented TOML file, made from the defaults themselves so that it can't go stale.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Map, Value};

use super::ConfigError;

/// Renders `defaults` with the comment of each dotted key from `comments`; sections may have one too.
///
/// Every key needs a comment and every comment a key: what is not explained is an error, as is an explanation of
/// nothing. A key without a default is shown commented out.
pub fn render_documented<T: Serialize>(defaults: &T, comments: &[(&str, &str)]) -> Result<String, ConfigError> {
    let tree = serde_json::to_value(defaults).map_err(|error| ConfigError::Defaults(error.to_string()))?;
    let Value::Object(tree) = tree else {
        return Err(ConfigError::Defaults("not a table".to_owned()));
    };
    let mut page = Page { comments, used: vec![false; comments.len()], text: String::new(), missing: Vec::new() };
    page.table("", &tree);
    let stale = comments
        .iter()
        .zip(&page.used)
        .filter(|(_, used)| !**used)
        .map(|((key, _), _)| format!("`{key}` is explained but does not exist"));
    let problems: Vec<String> =
        page.missing.iter().map(|key| format!("`{key}` is not explained")).chain(stale).collect();
    match problems.is_empty() {
        true => Ok(page.text),
        false => Err(ConfigError::Invalid(problems)),
    }
}

struct Page<'a> {
    comments: &'a [(&'a str, &'a str)],
    used: Vec<bool>,
    text: String,
    missing: Vec<String>,
}

impl Page<'_> {
    /// Values first, then sections: in TOML a value after a section header would belong to that section.
    fn table(&mut self, path: &str, table: &Map<String, Value>) {
        for (name, value) in table.iter().filter(|(_, value)| !is_section(value)) {
            let key = join(path, name);
            self.comment(&key, true);
            let _ = match value {
                Value::Null => writeln!(self.text, "# {name} ="),
                Value::Object(_) => writeln!(self.text, "# [{key}]"),
                value => writeln!(self.text, "{name} = {}", literal(value)),
            };
        }
        for (name, value) in table {
            if let Value::Object(section) = value
                && is_section(value)
            {
                let key = join(path, name);
                self.text.push('\n');
                self.comment(&key, false);
                let _ = writeln!(self.text, "[{key}]");
                self.table(&key, section);
            }
        }
    }

    fn comment(&mut self, key: &str, needed: bool) {
        match self.comments.iter().position(|(known, _)| *known == key) {
            Some(index) => {
                self.used[index] = true;
                for line in self.comments[index].1.lines() {
                    let _ = writeln!(self.text, "# {line}");
                }
            }
            None if needed => self.missing.push(key.to_owned()),
            None => {}
        }
    }
}

fn is_section(value: &Value) -> bool {
    matches!(value, Value::Object(section) if !section.is_empty())
}

fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    }
}

fn literal(value: &Value) -> String {
    match value {
        // JSON's string escapes are a subset of TOML's.
        Value::String(text) => Value::String(text.clone()).to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(table) => {
            let pairs: Vec<String> = table.iter().map(|(name, value)| format!("{name} = {}", literal(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}
