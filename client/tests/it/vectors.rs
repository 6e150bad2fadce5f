//! The recorded vectors in `protocol/vectors`: what the core does, step by step, held for this client and for the SDK alike.
//!
//! `UPDATE_VECTORS=1 cargo test -p secureconnect-client --test it vectors` records them anew after a deliberate change; the
//! difference is then read like code.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};

#[test]
fn the_core_does_what_the_vectors_say() {
    let update = std::env::var_os("UPDATE_VECTORS").is_some();
    let mut files = vector_files();
    files.sort();
    assert!(files.len() >= 10, "the vectors are there");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let vector: Value = serde_json::from_str(&text).unwrap();
        let steps = vector["steps"].as_array().unwrap();
        let mut player = crate::script::Player::new(&vector["settings"]);
        let mut recorded = Vec::new();
        for (number, step) in steps.iter().enumerate() {
            let outcome = player.play(step);
            if !update {
                let expected = json!({ "expect": step["expect"], "wake": step["wake"] });
                let name = file.file_name().unwrap().to_string_lossy();
                assert_eq!(outcome, expected, "{name}, step {}: {}", number + 1, step["input"]);
            }
            recorded.push((step.clone(), outcome));
        }
        if update {
            std::fs::write(&file, render(&vector, &recorded)).unwrap();
        }
    }
}

fn vector_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/vectors");
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect()
}

/// One line for every input and every output, so that differences are read easily.
fn render(vector: &Value, recorded: &[(Value, Value)]) -> String {
    let mut text = String::from("{\n");
    for field in ["name", "about", "settings"] {
        text += &format!("  \"{field}\": {},\n", vector[field]);
    }
    text += "  \"steps\": [";
    for (number, (step, outcome)) in recorded.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        text += &format!("{comma}\n    {{ \"at_ms\": {},", step["at_ms"]);
        if step["app_reads"] == json!(false) {
            text += " \"app_reads\": false,";
        }
        text += &format!(" \"input\": {},\n      \"expect\": [", step["input"]);
        let outputs = outcome["expect"].as_array().unwrap();
        let lines: Vec<_> = outputs.iter().map(|o| format!("\n        {o}")).collect();
        text += &lines.join(",");
        text += &format!(" ],\n      \"wake\": {} }}", outcome["wake"]);
    }
    text += "\n  ]\n}\n";
    text
}
