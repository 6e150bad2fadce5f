//! A certificate for development, so that a phone in the same network gets a secure page.
//!
//! It is kept, because a browser asks once per certificate; it is made anew when the names change.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rcgen::{CertifiedKey, generate_simple_self_signed};

use super::{TlsError, TlsFiles};

/// A self-signed certificate for `names` (host names and addresses) in `dir`, made if there is none for them.
pub fn dev_cert(dir: &Path, names: &[impl AsRef<str>]) -> Result<TlsFiles, TlsError> {
    let files = TlsFiles { cert: dir.join("dev-cert.pem"), key: dir.join("dev-key.pem") };
    let names: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
    let list = dir.join("dev-cert.names");
    let wanted = names.join("\n");
    let known = std::fs::read_to_string(&list).is_ok_and(|made_for| made_for == wanted);
    if known && super::read(&files).is_ok() {
        return Ok(files);
    }
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names)
        .map_err(|error| TlsError::Certificate { path: files.cert.clone(), reason: error.to_string() })?;
    std::fs::create_dir_all(dir).map_err(|error| file(dir, &error))?;
    write(&files.key, &signing_key.serialize_pem(), 0o600)?;
    write(&files.cert, &cert.pem(), 0o644)?;
    write(&list, &wanted, 0o644)?;
    // The names of the files are the folder's: without this a power cut could bring another certificate.
    File::open(dir).and_then(|folder| folder.sync_all()).map_err(|error| file(dir, &error))?;
    Ok(files)
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)
        .and_then(|mut opened| opened.write_all(text.as_bytes()).and_then(|()| opened.sync_all()))
        .map_err(|error| file(path, &error))
}

fn file(path: &Path, error: &std::io::Error) -> TlsError {
    TlsError::File { path: path.to_path_buf(), reason: error.to_string() }
}
