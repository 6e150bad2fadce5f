//! The rules of the house, held by a test instead of by memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test states what must be")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// From the bottom to the top; an arrow of the crate graph only ever points to a crate that stands further left.
const LAYERS: &[&[&str]] = &[
    &["secureconnect-rig"],
    &["secureconnect-protocol"],
    &["secureconnect-link"],
    &["secureconnect-runtime"],
    &[
        "secureconnect-gateway",
        "secureconnect-auth",
        "secureconnect-chat",
        "secureconnect-signaling",
        "secureconnect-storage",
        "secureconnect-turn",
    ],
    &["secureconnect"],
    &["secureconnect-client"],
    &["secureconnect-tests"],
    &["secureconnect-bench", "secureconnect-fuzz"],
];

/// What clients and their tests may stand on, of ours: they see the system from outside.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("secureconnect-client", &["secureconnect-protocol"]),
    ("secureconnect-tests", &["secureconnect-protocol", "secureconnect-client", "secureconnect-rig"]),
];

/// No file of code is longer than this many lines.
const LINES_MAX: usize = 500;

const CODE: &[&str] = &["rs", "ts", "js", "mjs", "css", "html", "proto", "sh"];
const GENERATED: &[&str] = &["sdk/src/generated.ts"];

#[test]
fn the_crate_graph_only_points_down() {
    let metadata = metadata();
    let layers: BTreeMap<&str, usize> =
        LAYERS.iter().enumerate().flat_map(|(layer, crates)| crates.iter().map(move |name| (*name, layer))).collect();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let layer = layers.get(name).unwrap_or_else(|| panic!("{name} has no place in LAYERS and in ARCHITECTURE.md"));
        for dependency in ours(package, &layers) {
            assert!(layers[dependency] < *layer, "{name} must not depend on {dependency}");
        }
        if let Some((_, allowed)) = OUTSIDE.iter().find(|(outside, _)| *outside == name) {
            for dependency in ours(package, &layers) {
                assert!(allowed.contains(&dependency), "{name} sees the system from outside");
            }
        }
    }
}

#[test]
fn the_architecture_names_every_folder_and_only_folders_that_exist() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let table: BTreeSet<&str> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| line.split('|').nth(1).unwrap().split(','))
        .map(|folder| folder.trim().trim_matches('`').trim_end_matches('/'))
        .collect();
    for folder in &table {
        assert!(root().join(folder).is_dir(), "ARCHITECTURE.md names {folder}/");
    }
    for package in metadata()["packages"].as_array().unwrap() {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap()).to_path_buf();
        let folder = manifest.parent().unwrap().file_name().unwrap().to_str().unwrap();
        assert!(table.contains(folder), "ARCHITECTURE.md doesn't name {folder}/");
    }
}

#[test]
fn no_file_has_more_than_one_idea() {
    let long = code().into_iter().filter_map(|file| {
        let lines = read(&file).lines().count();
        (lines > LINES_MAX).then(|| format!("{} has {lines} lines: split it", shown(&file)))
    });
    none(long);
}

#[test]
fn every_module_says_why_it_is_this_way() {
    let is_test =
        |file: &Path| file.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs");
    let is_module = |file: &PathBuf| has_extension(file, "rs") && !is_test(Path::new(&shown(file)));
    let rust = code().into_iter().filter(is_module);
    let silent = rust.filter(|file| !read(file).trim_start().starts_with("//!"));
    none(silent.map(|file| format!("{} does not open with `//!`", shown(&file))));
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"]].map(|parts| parts.concat());
    let macros = [["todo", "!("], ["unimplemented", "!("], ["dbg", "!("]].map(|p| p.concat());
    let mut left = Vec::new();
    for file in code() {
        for (number, line) in read(&file).lines().enumerate() {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            let marked = words.any(|word| marks.iter().any(|mark| mark == word))
                || macros.iter().any(|name| line.contains(name));
            if marked {
                left.push(format!("{}:{}: {line}", shown(&file), number + 1));
            }
        }
    }
    none(left);
}

#[test]
fn nothing_grows_without_bound() {
    let unbounded = [["unbounded", "_channel"], ["mpsc::unbounded", "("], ["flume::unb", "ounded"]];
    let unbounded = unbounded.map(|parts| parts.concat());
    for file in code().iter().filter(|file| has_extension(file, "rs")) {
        let text = read(file);
        for name in &unbounded {
            assert!(!text.contains(name), "{} uses {name}", shown(file));
        }
    }
}

#[test]
fn tests_wait_for_conditions_and_are_neither_skipped_nor_repeated() {
    let sleeping = [["thread::", "sleep("], ["time::", "sleep("]].map(|parts| parts.concat());
    let ignored = ["#[", "ignore"].concat();
    for file in code().iter().filter(|file| has_extension(file, "rs")) {
        let text = read(file);
        assert!(!text.contains(&ignored), "{} skips a test", shown(file));
        let is_test = shown(file).split('/').any(|part| part == "tests" || part == "tests.rs");
        let waits = shown(file) == "rig/src/wait.rs" || text.contains("start_paused");
        if is_test && !waits {
            for name in &sleeping {
                assert!(!text.contains(name), "{} sleeps; use harness::wait", shown(file));
            }
        }
    }
}

#[test]
fn a_link_in_a_document_leads_to_a_file() {
    let mut broken = Vec::new();
    for file in files(&root(), &|path| has_extension(path, "md")) {
        let text = read(&file);
        let targets = text.split("](").skip(1);
        for target in targets.filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap();
            let elsewhere = path.is_empty() || path.contains(':') || path.contains(' ');
            if !elsewhere && !file.parent().unwrap().join(path).exists() {
                broken.push(format!("{} links to {target}", shown(&file)));
            }
        }
    }
    none(broken);
}

/// Fails with everything that breaks a rule, not only the first of it.
fn none(broken: impl IntoIterator<Item = String>) {
    let broken: Vec<String> = broken.into_iter().collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

fn ours<'a>(package: &'a Value, layers: &BTreeMap<&str, usize>) -> Vec<&'a str> {
    let dependencies = package["dependencies"].as_array().unwrap().iter();
    let names = dependencies.map(|dependency| dependency["name"].as_str().unwrap());
    names.filter(|name| layers.contains_key(name)).collect()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn code() -> Vec<PathBuf> {
    let is_code = |path: &Path| CODE.iter().any(|extension| has_extension(path, extension));
    let mut files = files(&root(), &is_code);
    files.retain(|file| !GENERATED.contains(&shown(file).as_str()));
    assert!(files.len() > 50, "the rules hold for something");
    files
}

fn files(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let skipped =
            name.starts_with('.') || ["target", "node_modules", "dist", "data", "output"].contains(&name.as_str());
        if skipped || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path, wanted));
        } else if wanted(&path) {
            found.push(path);
        }
    }
    found
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", shown(path)))
}
