//! The shipped files as they are read: YAML with its anchors merged and, in compose files, the variables filled in.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

pub(crate) const PRODUCTION: &str = "docker-compose.production.yml";
pub(crate) const TWO_GATEWAYS: &str = "docker-compose.two-gateways.yml";
pub(crate) const MONITORING: &str = "docker-compose.monitoring.yml";

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The text of a shipped file.
pub(crate) fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A shipped YAML file.
pub(crate) fn yaml(path: &str) -> Value {
    let mut tree: serde_norway::Value =
        serde_norway::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    // What an anchor itself takes from another one comes with the next turn.
    loop {
        let before = tree.clone();
        tree.apply_merge().unwrap_or_else(|error| panic!("{path}: {error}"));
        if tree == before {
            break;
        }
    }
    serde_json::to_value(tree).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A compose file as an engine reads it where these variables are set.
pub(crate) fn compose(path: &str, variables: &[(&str, &str)]) -> Value {
    let mut tree = yaml(path);
    fill_all(&mut tree, variables);
    tree
}

/// The strings of a list.
pub(crate) fn words(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|word| word.as_str().expect("a word").to_owned()).collect()
}

/// Runs a tool that must find nothing wrong.
pub(crate) fn must_pass(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; run scripts/setup"));
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}

fn fill_all(tree: &mut Value, variables: &[(&str, &str)]) {
    match tree {
        Value::String(text) => *text = fill(text, variables),
        Value::Array(items) => items.iter_mut().for_each(|item| fill_all(item, variables)),
        Value::Object(fields) => fields.values_mut().for_each(|field| fill_all(field, variables)),
        _ => {}
    }
}

/// `$$`, `${NAME}`, `${NAME:-default}` and `${NAME:?message}`.
fn fill(text: &str, variables: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        filled += before;
        if let Some(after) = after.strip_prefix('$') {
            filled.push('$');
            rest = after;
            continue;
        }
        let (name, after) = after.strip_prefix('{').and_then(|rest| rest.split_once('}')).expect("${NAME}");
        let (name, default) = name.split_once(":-").map_or((name, None), |(name, default)| (name, Some(default)));
        let name = name.split(":?").next().unwrap_or(name);
        let set = variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        filled += set.or(default).unwrap_or_else(|| panic!("{name} is not set"));
        rest = after;
    }
    filled + rest
}

#[test]
fn variables_are_filled_in_as_an_engine_does() {
    let set = [("A", "1")];
    assert_eq!(fill("${A}:${A:-2}:${B:-2}:${B:-}:$$(x)", &set), "1:1:2::$(x)");
    assert_eq!(fill("${A:?say}", &set), "1");
}
