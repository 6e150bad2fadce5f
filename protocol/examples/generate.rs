//! Writes the files that are made from this crate (see `protocol::generate`): the SDK's declarations and the documents' tables.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for file in protocol::generate::files() {
        let path = root.join(file.path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, file.content)?;
    }
    Ok(())
}
