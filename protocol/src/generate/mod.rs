//! What is made from this crate for others: the TypeScript declarations of the SDK and the tables in the documents.
//!
//! Types and tables are written once, in Rust. The SDK's wire types, its command table and its codes are generated from them,
//! and so are the documents, because a second hand-written list is wrong within weeks. The generated files are kept in the
//! repository, so that nobody needs Rust to use the SDK; a test here fails when they are stale.
//!
//! To write them anew: `cargo run -p secureconnect-protocol --example generate`.
//!
//! - [`bodies`]: which type each command takes and answers, and each event carries.
//! - `typescript`: from JSON schemas to declarations.
//! - `tables`: commands, codes and limits as TypeScript values.
//! - `markdown`: the same as tables for people.

pub mod bodies;
mod markdown;
mod tables;
mod typescript;

/// A generated file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Generated {
    /// Its path from the root of the repository.
    pub path: &'static str,
    /// Its whole content.
    pub content: String,
}

/// Everything that is generated, in a fixed order.
#[must_use]
pub fn files() -> Vec<Generated> {
    vec![
        Generated { path: "sdk/src/generated.ts", content: typescript::render() },
        Generated { path: "docs/codes.md", content: markdown::codes() },
        Generated { path: "docs/commands.md", content: markdown::commands() },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_generated_files_are_what_the_code_says() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for file in files() {
            let kept = std::fs::read_to_string(root.join(file.path)).unwrap_or_default();
            assert!(
                kept == file.content,
                "{} is stale: cargo run -p secureconnect-protocol --example generate",
                file.path
            );
        }
    }

    #[test]
    fn generating_twice_makes_the_same() {
        assert_eq!(files(), files());
    }
}
